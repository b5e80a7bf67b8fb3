// The HTTP API of docs/protocol.md, section 5.3: how administrators look after accounts.

import { call } from './api.js';

/** @typedef {'member' | 'admin' | 'dpo'} RoleName */
/** @typedef {'active' | 'disabled' | 'invited' | 'being_erased'} UserState */
/**
 * @typedef {object} Member
 * @property {string} id
 * @property {string} name
 * @property {string} email
 * @property {RoleName} role
 * @property {UserState} state
 * @property {number} created_at
 * @property {number | null} last_seen_at
 * @property {boolean} second_factor
 */
/** @typedef {{ email: string, name: string, role: RoleName, language: string }} Invitation */
/** @typedef {{ link?: string | null }} Sent the link only where no mail could carry it */

/** @param {string} id */
const user = (id) => `/admin/users/${encodeURIComponent(id)}`;

/** @param {{ search?: string, after?: string, limit?: number }} which @returns {Promise<{ users: Member[], next: string | null }>} */
export function members(which) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(which)) if (value) query.set(key, String(value));
  return call('GET', `/admin/users?${query}`);
}
/** @param {Invitation} body @returns {Promise<Sent>} */
export const invite = (body) => call('POST', '/admin/invitations', body);
/** @param {string} id */
export const disable = (id) => call('POST', `${user(id)}/disable`);
/** @param {string} id */
export const enable = (id) => call('POST', `${user(id)}/enable`);
/** @param {string} id @returns {Promise<Sent | null>} */
export const resetPassword = (id) => call('POST', `${user(id)}/reset-password`);
/** @param {string} id @param {RoleName} role */
export const setRole = (id, role) => call('PUT', `${user(id)}/role`, { role });
/** @typedef {{ tokens: import('./api-accounts.js').ApiToken[], identities: import('./api-accounts.js').Identity[] }} Access */
/** @param {string} id @returns {Promise<Access>} */
export const access = (id) => call('GET', `${user(id)}/access`);
/** @param {string} id @param {string} token */
export const revokeTokenOf = (id, token) => call('DELETE', `${user(id)}/tokens/${encodeURIComponent(token)}`);
/** @param {string} id @param {string} identity */
export const unlink = (id, identity) => call('DELETE', `${user(id)}/identities/${encodeURIComponent(identity)}`);
/** @param {string} id */
export const removeSecondFactor = (id) => call('POST', `${user(id)}/remove-second-factor`);
