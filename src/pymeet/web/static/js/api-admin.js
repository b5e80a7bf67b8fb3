// The HTTP API of docs/protocol.md, section 5.3: what administrators and data protection officers do.

/** @import { Decision, RequestState, RightName } from './api-privacy.js' */
import { call, fetchFile } from './api.js';

/**
 * @typedef {object} RegisteredRequest
 * @property {string} id
 * @property {RightName} right
 * @property {'self' | 'guest' | 'operator' | 'inactivity'} origin
 * @property {string | null} who a name to administrators only
 * @property {RequestState} state
 * @property {number} received_at
 * @property {number} due_at
 * @property {number} days_left
 * @property {boolean} overdue
 * @property {Decision | null} decision
 */
/** @typedef {{ right: RightName, email?: string, receipt?: string, received_at?: number }} NewRequest */
/** @typedef {'complexity' | 'number_of_requests'} Extension */
/** @typedef {{ kind: 'member' | 'guest', id: string, name: string | null, email: string | null, counts: Record<string, number> }} FoundPerson */
/** @typedef {{ name: string, title: string, rows: number, action: 'delete' | 'anonymise' | 'keep' }} PlannedTable */
/** @typedef {{ tables: PlannedTable[], rooms: number, held: number, erased_after: number }} ErasurePlan */
/** @typedef {'legal_claim' | 'legal_duty' | 'authority_request' | 'investigation'} HoldReason */
/** @typedef {{ id: string, kind: 'member' | 'guest' | 'room', who: string | null, reason: HoldReason, placed_at: number, review_at: number }} Hold */
/** @typedef {{ email?: string, room?: string, receipt?: string, reason: HoldReason, review_days: number }} NewHold */
/**
 * @typedef {object} AuditEvent
 * @property {number} sequence
 * @property {number} at
 * @property {string} actor
 * @property {string} action
 * @property {string} target
 * @property {Record<string, string | number | boolean | null> | null} detail
 */
/** @typedef {{ intact: boolean, events: number, problems: { what: string, sequence: number | null }[] }} Verdict */
/** @typedef {{ name: string, title: string, period: string, coming: { period: string, from: number } | null, due: number }} RetentionClass */
/** @typedef {{ last: number | null, next: number | null, waiting: number, refused: string[] }} SweeperState */

/** @param {string} id */
const request = (id) => `/admin/requests/${encodeURIComponent(id)}`;
/** @param {string} id */
const person = (id) => `/admin/people/${encodeURIComponent(id)}`;

/** @returns {Promise<{ requests: RegisteredRequest[] }>} */
export const requests = () => call('GET', '/admin/requests');
/** @param {NewRequest} body @returns {Promise<{ id: string }>} */
export const register = (body) => call('POST', '/admin/requests', body);
/** @param {string} id @param {Decision} decision */
export const decide = (id, decision) => call('POST', `${request(id)}/decide`, { decision });
/** @param {string} id @param {Extension} reason */
export const extend = (id, reason) => call('POST', `${request(id)}/extend`, { reason });

/** @param {string} find @returns {Promise<{ people: FoundPerson[] }>} */
export const findPeople = (find) => call('POST', '/admin/people', { find });
/** @param {string} id @param {string} language @returns {Promise<{ id: string }>} */
export const exportPerson = (id, language) => call('POST', `${person(id)}/exports`, { language });
/** @param {string} id */
export const exportFile = (id) => fetchFile('GET', `/admin/exports/${encodeURIComponent(id)}/file`);
/** @param {string} id @returns {Promise<ErasurePlan>} */
export const erasurePlan = (id) => call('GET', `${person(id)}/erasure`);
/** @param {string} id @param {boolean} now @returns {Promise<{ request: string, erased_after: number }>} */
export const erasePerson = (id, now) => call('POST', `${person(id)}/erasure`, { now });

/** @returns {Promise<{ holds: Hold[] }>} */
export const holds = () => call('GET', '/admin/holds');
/** @param {NewHold} body @returns {Promise<{ id: string }>} */
export const placeHold = (body) => call('POST', '/admin/holds', body);
/** @param {string} id */
export const releaseHold = (id) => call('POST', `/admin/holds/${encodeURIComponent(id)}/release`);

/** @param {{ before?: number, action?: string, limit?: number }} which @returns {Promise<{ events: AuditEvent[] }>} */
export function audit(which) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(which)) if (value) query.set(key, String(value));
  return call('GET', `/admin/audit?${query}`);
}
/** @returns {Promise<Verdict>} */
export const verifyAudit = () => call('POST', '/admin/audit/verify');

/** @returns {Promise<{ classes: RetentionClass[], sweeper: SweeperState }>} */
export const retention = () => call('GET', '/admin/retention');
