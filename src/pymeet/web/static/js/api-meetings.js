// The HTTP API of docs/protocol.md: scheduled meetings and answers to invitations.

import { call } from './api.js';

/** @typedef {'none' | 'accepted' | 'tentative' | 'declined'} Answer */
/** @typedef {{ recurrence_id: string, starts_at: number, ends_at: number }} Occurrence */
/**
 * @typedef {object} Facts
 * @property {string} id
 * @property {string} title
 * @property {string} organiser
 * @property {{ slug: string, name: string, url: string }} room
 * @property {string} start the wall clock of `time_zone`
 * @property {string} time_zone
 * @property {number} duration_min
 * @property {boolean} all_day
 * @property {string | null} rrule
 */
/** @typedef {Facts & { mine: boolean, answer: Answer | null, occurrence: Occurrence }} Entry */
/** @typedef {Facts & { agenda: string, answer: Answer, occurrence: Occurrence | null }} Invitation */
/** @typedef {{ title: string, agenda?: string, start: string, time_zone: string, duration_min: number, rrule?: string | null }} Plan */
/** @typedef {Plan & { room?: string, invitees: { email: string }[] }} NewPlan */

/** @param {number} limit @returns {Promise<{ occurrences: Entry[], next: string | null }>} */
export const nextMeetings = (limit) => call('GET', `/meetings?limit=${limit}`);
/** @param {string} id @returns {Promise<Facts & { agenda: string }>} */
export const meeting = (id) => call('GET', `/meetings/${id}`);
/** @param {NewPlan} plan */
export const planMeeting = (plan) => call('POST', '/meetings', plan);
/** @param {string} id @param {Plan} plan */
export const changeMeeting = (id, plan) => call('PATCH', `/meetings/${id}`, plan);
/** @param {string} id */
export const cancelMeeting = (id) => call('DELETE', `/meetings/${id}`);
/** @param {string} id @param {Answer} answer */
export const answerMeeting = (id, answer) => call('PUT', `/meetings/${id}/answer`, { answer });
/** @param {string} token @returns {Promise<Invitation>} */
export const inspectInvitation = (token) => call('POST', '/rsvp/inspect', { token });
/** @param {string} token @param {Answer} answer @returns {Promise<Invitation>} */
export const answerInvitation = (token, answer) => call('POST', '/rsvp/answer', { token, answer });
