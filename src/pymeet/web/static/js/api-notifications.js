// The HTTP API of docs/protocol.md, section 4.3: what members are told on the pages; and their calendar feed.

import { call } from './api.js';

/** @typedef {'meeting_invited' | 'meeting_changed' | 'meeting_cancelled' | 'meeting_answered' | 'recording_ready' | 'recording_shared' | 'recording_expiring' | 'export_ready' | 'somebody_waits' | 'new_device' | 'request_decided'} Kind */
/**
 * @typedef {object} Told
 * @property {string} id
 * @property {Kind} kind
 * @property {number} at
 * @property {boolean} read
 * @property {string} page
 * @property {string | null} subject
 * @property {string | null} person
 * @property {'accepted' | 'tentative' | 'declined' | null} answer
 * @property {number | null} moment
 * @property {boolean} all_day
 */
/** @typedef {{ in_app: boolean, mail?: boolean }} Choice */
/** @typedef {{ mail: boolean, reminder_min: number | null, kinds: Record<string, Choice> }} Settings */

/** @returns {Promise<{ unread: number }>} */
export const unread = () => call('GET', '/notifications/unread');
/** @param {string} after @returns {Promise<{ notifications: Told[], next: string | null, unread: number }>} */
export const notifications = (after) => call('GET', `/notifications?limit=20&after=${encodeURIComponent(after)}`);
/** @param {string} id */
export const markRead = (id) => call('POST', `/notifications/${encodeURIComponent(id)}/read`);
/** @param {number} upTo when the newest that was seen was told */
export const markAllRead = (upTo) => call('POST', '/notifications/read', { up_to: upTo });
/** @param {string} id */
export const deleteNotification = (id) => call('DELETE', `/notifications/${encodeURIComponent(id)}`);

/** @returns {Promise<Settings>} */
export const settings = () => call('GET', '/notification-settings');
/** @param {Settings} wanted */
export const changeSettings = (wanted) => call('PUT', '/notification-settings', wanted);

/** @returns {Promise<{ enabled: boolean, made_at: number | null }>} */
export const feed = () => call('GET', '/calendar-feed');
/** @returns {Promise<{ url: string }>} */
export const makeFeed = () => call('POST', '/calendar-feed');
export const endFeed = () => call('DELETE', '/calendar-feed');
