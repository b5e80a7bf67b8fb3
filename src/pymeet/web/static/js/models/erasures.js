// How an erasure goes on, and what there is to say about it when it is over.

/** @import { ErasureResult, ErasureStatus, RequestState } from '../api-privacy.js' */

export const LOOK_AGAIN_MS = 2000;
const STATES = /** @type {const} */ (['requested', 'verified', 'restricted', 'erasing', 'partial', 'done', 'refused', 'cancelled']);

/** Whether it may go on by itself any moment. @param {ErasureStatus} status @param {number} nowMs */
export function isMoving(status, nowMs) {
  if (['requested', 'verified', 'erasing'].includes(status.state)) return true;
  return status.state === 'restricted' && (status.erased_after ?? 0) <= nowMs;
}

/** Whether the person can still have the account back. @param {ErasureStatus} status @param {number} nowMs */
export function mayBeKept(status, nowMs) {
  return status.state === 'restricted' && (status.erased_after ?? 0) > nowMs;
}

/** The steps of the timeline that people have words for. @param {ErasureStatus} status */
export function stepsOf(status) {
  return status.events.filter(({ state }) => STATES.includes(/** @type {RequestState} */ (state)));
}

/** @param {Record<string, number>} counts */
const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);

/** What was done, in numbers. @param {ErasureResult} result */
export function totalsOf(result) {
  return { deleted: sum(result.deleted), anonymised: sum(result.anonymised), held: sum(result.held), files: result.files, rooms: result.rooms_without_owner };
}
