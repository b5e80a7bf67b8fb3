// What an owner decides about a room, and who was in it (docs/protocol.md, section 4).

import { call } from './api.js';

/**
 * @typedef {object} RoomSettings
 * @property {boolean | null} guests whether people without an account come in; null: as the server says
 * @property {'off' | 'guests' | 'everybody'} waiting_room
 * @property {boolean} has_password
 * @property {number | null} capacity
 * @property {'everybody' | 'members' | 'hosts'} may_share
 * @property {'hosts' | 'nobody'} may_record
 * @property {boolean} chat_history
 * @property {number | null} chat_limit
 * @property {{ guests: boolean, capacity: number }} server what holds where the room says nothing
 */
/** @typedef {Partial<Omit<RoomSettings, 'has_password' | 'server'> & { password: string | null }>} SettingsChange */
/** @typedef {{ name: string, member: boolean, kind: string, joined_at: number, left_at: number | null }} Attendee */

const of = (/** @type {string} */ slug) => `/rooms/${encodeURIComponent(slug)}`;

/** @param {string} slug @returns {Promise<RoomSettings>} */
export const roomSettings = (slug) => call('GET', `${of(slug)}/settings`);
/** @param {string} slug @param {SettingsChange} change @returns {Promise<RoomSettings>} */
export const changeRoomSettings = (slug, change) => call('PATCH', `${of(slug)}/settings`, change);
/** @param {string} slug @returns {Promise<{ people: Attendee[] }>} */
export const attendance = (slug) => call('GET', `${of(slug)}/attendance`);
