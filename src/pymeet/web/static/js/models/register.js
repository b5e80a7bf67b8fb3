// The register of requests as the admin page shows it: which of them, and what may be decided.

/** @import { RegisteredRequest } from '../api-admin.js' */
/** @import { Decision, RightName } from '../api-privacy.js' */

export const RIGHTS = /** @type {const} */ (['access', 'rectification', 'erasure', 'restriction', 'portability', 'objection', 'withdrawal']);
export const FILTERS = /** @type {const} */ (['waiting', 'late', 'all']);
/** @typedef {typeof FILTERS[number]} Filter */

const DECISIONS = /** @type {const} */ (['granted', 'granted_in_part', 'nothing_held', 'not_identified', 'unfounded', 'legal_duty', 'withdrawn']);
const CLOSED = ['done', 'refused', 'cancelled'];

/** @param {RegisteredRequest} request */
export const isWaiting = (request) => !CLOSED.includes(request.state);

/** What is due first comes first; what is answered comes last, the newest in front.
 * @param {readonly RegisteredRequest[]} requests @param {Filter} filter */
export function shown(requests, filter) {
  const wanted = requests.filter((each) => filter === 'all' || (filter === 'late' ? each.overdue : isWaiting(each)));
  return [...wanted].sort((a, b) => Number(isWaiting(b)) - Number(isWaiting(a))
    || (isWaiting(a) ? a.due_at - b.due_at : b.received_at - a.received_at));
}

/** An erasure is granted by carrying it out, not by saying so. @param {RightName} right @returns {readonly Decision[]} */
export function decisionsFor(right) {
  return right === 'erasure' ? DECISIONS.filter((decision) => !decision.startsWith('granted')) : DECISIONS;
}
