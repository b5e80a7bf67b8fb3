// The HTTP API of docs/protocol.md, section 4.4: how administrators look after rooms, live meetings, mail and settings.

import { call } from './api.js';

/**
 * @typedef {object} ListedRoom
 * @property {string} slug
 * @property {string} name
 * @property {{ id: string, name: string, email: string } | null} owner
 * @property {boolean} personal
 * @property {number} created_at
 * @property {number | null} last_used_at
 * @property {number} people how many are in it now
 */
/**
 * @typedef {object} LiveMeeting
 * @property {string} slug
 * @property {string} name
 * @property {number} since
 * @property {number} people
 * @property {number} waiting
 * @property {boolean} locked
 * @property {number | null} recording_since
 */
/** @typedef {{ id: string, name: string, role: 'host' | 'cohost' | 'member' | 'guest', kind: string, member: boolean, since: number, waits: boolean }} LivePerson */
/** @typedef {'waiting' | 'failed'} MailState */
/**
 * @typedef {object} QueuedMail
 * @property {string} id
 * @property {string} kind
 * @property {string} to not the whole address
 * @property {MailState} state
 * @property {number} created_at
 * @property {number} tries
 * @property {number | null} next_try_at
 * @property {number | null} failed_at
 * @property {string | null} error
 */
/** @typedef {{ kind: string, state: MailState, count: number }} MailKind */
/** @typedef {{ on: boolean, mails: QueuedMail[], next: string | null, kinds: MailKind[] }} MailPage */
/** @typedef {boolean | string | null} SettingValue */
/** @typedef {{ name: string, value: SettingValue, configured: SettingValue, set_here: boolean, choices: string[], changed_at: number | null }} Setting */

const part = encodeURIComponent;

/** @param {Record<string, string | number>} which */
function queryOf(which) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(which)) if (value) query.set(key, String(value));
  return query.size ? `?${query}` : '';
}

/** @param {{ search: string, after: string, limit: number }} which @returns {Promise<{ rooms: ListedRoom[], next: string | null }>} */
export const allRooms = (which) => call('GET', `/admin/rooms${queryOf(which)}`);
/** @param {string} slug @param {string | null} owner the id of an account @returns {Promise<ListedRoom>} */
export const handOver = (slug, owner) => call('PUT', `/admin/rooms/${part(slug)}/owner`, { owner });

/** @returns {Promise<{ meetings: LiveMeeting[], next: string | null }>} */
export const liveMeetings = () => call('GET', '/admin/live?limit=200');
/** @param {string} slug @returns {Promise<{ people: LivePerson[] }>} */
export const livePeople = (slug) => call('GET', `/admin/live/${part(slug)}/people`);
/** @param {string} slug */
export const endMeeting = (slug) => call('POST', `/admin/live/${part(slug)}/end`);
/** @param {string} slug @param {string} person @param {boolean} ban */
export const removePerson = (slug, person, ban) => call('POST', `/admin/live/${part(slug)}/people/${part(person)}/remove`, { ban });

/** @param {{ state: MailState, kind: string, after: string, limit: number }} which @returns {Promise<MailPage>} */
export const mails = (which) => call('GET', `/admin/mail${queryOf(which)}`);
/** @returns {Promise<{ count: number }>} */
export const retryAll = () => call('POST', '/admin/mail/retry');
/** @param {string} id */
export const retryMail = (id) => call('POST', `/admin/mail/${part(id)}/retry`);
/** @param {string} id */
export const dropMail = (id) => call('POST', `/admin/mail/${part(id)}/drop`);

/** @returns {Promise<{ settings: Setting[] }>} */
export const settings = () => call('GET', '/admin/settings');
/** @param {string} name @param {SettingValue} value @returns {Promise<Setting>} */
export const changeSetting = (name, value) => call('PUT', `/admin/settings/${part(name)}`, { value });
/** @param {string} name @returns {Promise<Setting>} */
export const giveBackSetting = (name) => call('DELETE', `/admin/settings/${part(name)}`);
