// The HTTP API of docs/protocol.md, sections 5.1 and 5.2: one's own data, and an erasure under way.

/** @import { SignedIn } from './api.js' */
import { call, fetchFile } from './api.js';

/** @typedef {{ period: string, begins: string, gone_by: number | null }} Keep */
/** @typedef {{ name: string, title: string, purpose: string, basis: string, count: number, keep: Keep, recipients: string[] }} KeptClass */
/** @typedef {'building' | 'ready' | 'failed' | 'fetched'} ExportWord */
/**
 * @typedef {object} Archive
 * @property {string} id
 * @property {ExportWord} state
 * @property {number} requested_at
 * @property {number | null} ready_at
 * @property {number | null} link_until
 * @property {number} downloads_left
 * @property {number | null} size
 */
/** @typedef {'privacy_notice' | 'recording' | 'transcript' | 'streaming' | 'summary'} Purpose */
/** @typedef {'given' | 'refused' | 'withdrawn' | 'acknowledged'} Choice */
/** @typedef {{ id: string, purpose: Purpose, decision: Choice, recording?: string | null, notice_version: number, language: string, at: number }} Consent */
/** @typedef {'access' | 'rectification' | 'erasure' | 'restriction' | 'portability' | 'objection' | 'withdrawal'} RightName */
/** @typedef {'requested' | 'verified' | 'restricted' | 'erasing' | 'partial' | 'done' | 'refused' | 'cancelled'} RequestState */
/** @typedef {'granted' | 'granted_in_part' | 'nothing_held' | 'not_identified' | 'unfounded' | 'legal_duty' | 'withdrawn'} Decision */
/**
 * @typedef {object} OwnRequest
 * @property {string} id
 * @property {RightName} right
 * @property {RequestState} state
 * @property {number} received_at
 * @property {number} due_at
 * @property {number | null} closed_at
 * @property {Decision | null} decision
 */
/** @typedef {{ request: string, state: RequestState, erased_after: number | null }} ErasureUnderWay */
/** @typedef {{ kind: 'member', name: string, email: string }} MemberShown */
/** @typedef {{ kind: 'guest', name: string | null, room: string | null, at: number }} GuestShown */
/**
 * @template [P=MemberShown | GuestShown]
 * @typedef {object} OwnData
 * @property {P} person
 * @property {KeptClass[]} classes
 * @property {{ restricted: boolean, objecting: boolean }} limits
 * @property {ErasureUnderWay | null} erasure
 * @property {Archive[]} exports
 * @property {Consent[]} consents
 * @property {OwnRequest[]} requests
 * @property {{ version: number, published_at: number, acknowledged: boolean }} notice
 * @property {import('./api-recordings.js').GuestRecording[]} [recordings] of guests: those they are in
 */
/**
 * What an erasure did, as privacy/erasure.py says it.
 * @typedef {object} ErasureResult
 * @property {RequestState} state
 * @property {number} received_at_ms
 * @property {number} at_ms
 * @property {Record<string, number>} deleted
 * @property {Record<string, number>} anonymised
 * @property {number} files
 * @property {number} rooms_without_owner
 * @property {Record<string, number>} held
 * @property {number} files_left
 * @property {'clean' | 'found' | 'not_run'} search
 * @property {string[]} recipients
 * @property {number | null} backups_until_ms
 * @property {boolean} mail_queued
 */
/**
 * @typedef {object} ErasureStatus
 * @property {string} request
 * @property {RequestState} state
 * @property {{ state: RequestState, at: number }[]} events
 * @property {number | null} erased_after
 * @property {ErasureResult | null} result
 */

/** @returns {Promise<OwnData<MemberShown>>} */
export const myData = () => call('GET', '/my-data');
/** @param {string} name */
export const correctName = (name) => call('PATCH', '/my-data', { name });
/** @param {string} language @returns {Promise<{ id: string }>} */
export const makeArchive = (language) => call('POST', '/my-data/exports', { language });
/** @param {string} id */
export const archiveAddress = (id) => `/api/v1/my-data/exports/${encodeURIComponent(id)}/file`;
/** @param {'restriction' | 'objection'} limit @param {boolean} on */
export const setLimit = (limit, on) => call('PUT', `/my-data/${limit}`, { on });
/** @param {string} [password] @returns {Promise<{ request: string, erased_after: number, status: string }>} */
export const eraseMe = (password) => call('POST', '/my-data/erasure', { password });
/** @param {string} id */
export const withdrawConsent = (id) => call('POST', `/my-data/consents/${encodeURIComponent(id)}/withdraw`);
/** @param {string} id */
export const consentReceiptAddress = (id) => `/api/v1/my-data/consents/${encodeURIComponent(id)}/receipt`;
/** @param {number} version @param {string} language */
export const noticeRead = (version, language) => call('POST', '/my-data/notice', { version, language });

/** @param {string} receipt @returns {Promise<OwnData<GuestShown>>} */
export const guestData = (receipt) => call('POST', '/guest-data', { receipt });
/** @param {string} receipt @param {string} language */
export const guestArchive = (receipt, language) => fetchFile('POST', '/guest-data/export', { receipt, language });
/** @param {string} receipt @param {boolean} on */
export const restrictGuest = (receipt, on) => call('PUT', '/guest-data/restriction', { receipt, on });
/** @param {string} receipt @param {string} id */
export const withdrawGuestConsent = (receipt, id) => call('POST', `/guest-data/consents/${encodeURIComponent(id)}/withdraw`, { receipt });
/** @param {string} receipt @returns {Promise<{ request: string, status: string }>} */
export const eraseGuest = (receipt) => call('POST', '/guest-data/erasure', { receipt });

/** @param {string} status @returns {Promise<ErasureStatus>} */
export const inspectErasure = (status) => call('POST', '/erasures/inspect', { status });
/** @param {string} email @param {string} password @returns {Promise<SignedIn>} */
export const cancelErasure = (email, password) => call('POST', '/erasures/cancel', { email, password });
