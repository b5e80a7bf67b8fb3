// The HTTP API of docs/protocol.md: groups of members, one's own and, for administrators, all.

import { call } from './api.js';

/** @import { Member } from './api-users.js' */
/** @typedef {{ id: string, name: string, description: string, people: number, created_at: number }} Group */
/** @typedef {Group & { members: { id: string, name: string }[] }} OwnGroup */
/** @typedef {Group & { members: Member[], next: string | null }} WholeGroup */
/** @typedef {{ search?: string, after?: string, limit?: number }} Which */

/** @param {string} id */
const group = (id) => `/admin/groups/${encodeURIComponent(id)}`;
/** @param {string} id @param {string} person */
const memberOf = (id, person) => `${group(id)}/members/${encodeURIComponent(person)}`;

/** @param {string} path @param {Which} which @returns {Promise<any>} */
function list(path, which) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(which)) if (value) query.set(key, String(value));
  return call('GET', `${path}?${query}`);
}

/** The groups one is in, all of them. @returns {Promise<Group[]>} */
export async function ownGroups() {
  /** @type {Group[]} */
  const found = [];
  let after = '';
  do {
    const page = await list('/groups', { after, limit: 200 });
    found.push(...page.groups);
    after = page.next ?? '';
  } while (after);
  return found;
}
/** @param {string} id @returns {Promise<OwnGroup>} */
export const ownGroup = (id) => call('GET', `/groups/${encodeURIComponent(id)}`);

/** @param {Which} which @returns {Promise<{ groups: Group[], next: string | null }>} */
export const groups = (which) => list('/admin/groups', which);
/** @param {string} id @param {Which} which @returns {Promise<WholeGroup>} */
export const wholeGroup = (id, which) => list(group(id), which);
/** @param {{ name: string, description: string }} body @returns {Promise<Group>} */
export const addGroup = (body) => call('POST', '/admin/groups', body);
/** @param {string} id @param {{ name: string, description: string }} body @returns {Promise<Group>} */
export const changeGroup = (id, body) => call('PATCH', group(id), body);
/** @param {string} id */
export const deleteGroup = (id) => call('DELETE', group(id));
/** @param {string} id @param {string} person */
export const joinGroup = (id, person) => call('PUT', memberOf(id, person));
/** @param {string} id @param {string} person */
export const leaveGroup = (id, person) => call('DELETE', memberOf(id, person));
