// The HTTP API of docs/protocol.md, section 6: recordings, their films and tracks, and with whom they are shared.

import { call } from './api.js';

/** @typedef {'queued' | 'making' | 'ready' | 'failed' | 'cancelled'} FilmState */
/** @typedef {'grid' | 'speaker'} Layout */
/** @typedef {'mp4' | 'webm'} Format */
/** @typedef {{ id: string, state: FilmState, progress: number | null, format: Format, restricted?: boolean }} FilmShown */
/**
 * @typedef {object} FilmMore
 * @property {Layout} layout
 * @property {number} height
 * @property {boolean} names
 * @property {number | null} duration_ms
 * @property {number | null} size
 * @property {number | null} made_at
 */
/** @typedef {FilmShown & FilmMore} Film */
/** @typedef {'view' | 'tracks' | 'download' | 'rename' | 'delete' | 'restore' | 'share' | 'pin' | 'compose' | 'remove' | 'views'} May */
/**
 * @typedef {object} RecordingRow
 * @property {string} id
 * @property {string} name
 * @property {{ slug: string | null, name: string }} room
 * @property {boolean} mine
 * @property {number} started_at
 * @property {number | null} ended_at
 * @property {number | null} duration_ms
 * @property {{ id?: string, name: string, you: boolean }[]} people
 * @property {number} size
 * @property {number | null} delete_at
 * @property {number | null} pinned_until
 * @property {number | null} trashed_at
 * @property {'recording' | 'ended'} state
 * @property {FilmShown | null} film
 * @property {boolean} [held] by a legal hold
 * @property {May[]} may
 * @property {number | null} [pin_limit] the latest `pinned_until`
 */
/** @typedef {import('./types.js').Source} Source */
/** @typedef {{ id: string, source: Source, begins_at: number, duration_ms: number | null, size: number | null }} OwnTrack */
/** @typedef {{ id: string, name: string, you: boolean, tracks?: OwnTrack[] }} RecordedPerson */
/** @typedef {'spoke' | 'shared' | 'present' | 'marker' | 'message'} EventKind */
/** @typedef {{ kind: EventKind, person: string, begins_at: number, ends_at: number | null, text: string | null }} RecordingEvent */
/**
 * @typedef {object} Share
 * @property {string} id
 * @property {'member' | 'group' | 'link'} kind
 * @property {string | null} [name]
 * @property {number} made_at
 * @property {number | null} expires_at
 * @property {boolean} has_password
 */
/** @typedef {{ at: number, kind: 'film' | 'track' | 'film_download' | 'track_download', by: 'member' | 'link' | 'other', who: string | null }} View */
/**
 * @typedef {object} RecordingMore
 * @property {RecordedPerson[]} people while it runs or is in the trash: without tracks
 * @property {RecordingEvent[]} [events]
 * @property {Film[]} [films]
 * @property {Share[]} [shares]
 * @property {View[]} [views]
 */
/** @typedef {Omit<RecordingRow, 'people'> & RecordingMore} Recording */
/**
 * What somebody with a link sees.
 * @typedef {object} SharedRecording
 * @property {string} id
 * @property {string} name
 * @property {number} started_at
 * @property {number | null} duration_ms
 * @property {{ id?: string, name: string }[]} people
 * @property {RecordingEvent[]} [events]
 * @property {Pick<Film, 'id' | 'state' | 'duration_ms'> | null} film
 * @property {number | null} [may_until] until when the link works
 */
/** @typedef {{ layout: Layout, format: Format, height: number, names: boolean }} FilmOptions */

const at = (/** @type {string[]} */ ...parts) => `/recordings/${parts.map(encodeURIComponent).join('/')}`;

/** @typedef {{ recordings: number, bytes: number, free_bytes: number }} Storage */
/** Which of them: one's own and those shared with one, those in the trash, or (administrators) all. @typedef {'all' | 'trash' | 'others'} Which */
/** @param {Which} which @returns {Promise<{ recordings: RecordingRow[], storage_bytes?: number, storage?: Storage }>} */
export const recordings = (which) => call('GET', `/recordings${which === 'all' ? '' : `?${which}=true`}`);
/** @param {string} id @returns {Promise<Recording>} */
export const recording = (id) => call('GET', at(id));
/** @param {string} id @param {{ name?: string, pinned_until?: number | null }} change */
export const changeRecording = (id, change) => call('PATCH', at(id), change);
/** Into the trash. @param {string} id */
export const deleteRecording = (id) => call('DELETE', at(id));
/** @param {string} id */
export const restoreRecording = (id) => call('POST', at(id, 'restore'));
/** @param {string} id @param {string} person */
export const removePerson = (id, person) => call('POST', at(id, 'people', person, 'remove'));

/** @param {string} id @param {FilmOptions} options @returns {Promise<{ id: string }>} */
export const makeFilm = (id, options) => call('POST', at(id, 'films'), options);
/** @param {string} id @param {string} film */
export const cancelFilm = (id, film) => call('POST', at(id, 'films', film, 'cancel'));
/** @param {string} id @param {string} film */
export const retryFilm = (id, film) => call('POST', at(id, 'films', film, 'retry'));
/** @param {string} id @param {string} film */
export const deleteFilm = (id, film) => call('DELETE', at(id, 'films', film));
/** @param {string} id @param {string} film @param {boolean} [download] */
export const filmAddress = (id, film, download) => `/api/v1${at(id, 'films', film, 'file')}${download ? '?download=1' : ''}`;
/** @param {string} id @param {string} track @param {boolean} [download] */
export const trackAddress = (id, track, download) => `/api/v1${at(id, 'tracks', track, 'file')}${download ? '?download=1' : ''}`;

/** @param {string} id @param {{ email: string } | { group: string } | { days: number, password?: string }} share @returns {Promise<{ id: string, url?: string }>} */
export const shareRecording = (id, share) => call('POST', at(id, 'shares'), share);
/** @param {string} id @param {string} share */
export const revokeShare = (id, share) => call('DELETE', at(id, 'shares', share));

/** @param {string} token @param {string} [password] @returns {Promise<{ recording: SharedRecording }>} */
export const openShared = (token, password) => call('POST', '/shared-recordings', password ? { token, password } : { token });

/** @typedef {{ id: string, name: string, room: string | null, started_at: number, ended_at: number | null, duration_ms: number | null, delete_at: number | null }} GuestRecording */
/** Takes oneself out, also while it runs. @param {string} id */
export const leaveRecording = (id) => call('POST', `/my-data/recordings/${encodeURIComponent(id)}/remove`);
/** @param {string} receipt @param {string} id */
export const removeGuest = (receipt, id) => call('POST', `/guest-data/recordings/${encodeURIComponent(id)}/remove`, { receipt });
