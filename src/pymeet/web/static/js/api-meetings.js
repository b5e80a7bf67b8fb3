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
/** @typedef {{ recurrence_id: string, cancelled: boolean, start: string | null, duration_min: number | null }} Change one occurrence that is not as the rule says */
/** @typedef {{ name: string | null, answer: Answer, id?: string, email?: string | null, answered_at?: number | null }} Invitee the last three to the organiser only */
/** @typedef {Facts & { agenda: string, mine: boolean, answer: Answer | null, occurrence: Occurrence | null, changes: Change[], invitees: Invitee[] }} Whole */
/** @typedef {{ title: string, agenda?: string, start: string, time_zone: string, duration_min: number, rrule?: string | null }} Plan */
/** @typedef {Plan & { room?: string, invitees: { email: string }[], groups?: string[] }} NewPlan */

/** @param {number} limit @returns {Promise<{ occurrences: Entry[], next: string | null }>} */
export const nextMeetings = (limit) => call('GET', `/meetings?limit=${limit}`);
/** @param {string} id @returns {Promise<Whole>} */
export const meeting = (id) => call('GET', `/meetings/${id}`);
/** @param {NewPlan} plan */
export const planMeeting = (plan) => call('POST', '/meetings', plan);
/** @param {string} id @param {Partial<Plan>} plan */
export const changeMeeting = (id, plan) => call('PATCH', `/meetings/${id}`, plan);
/** @param {string} id */
export const cancelMeeting = (id) => call('DELETE', `/meetings/${id}`);
/** @param {string} id @param {string} occurrence @param {{ start: string, duration_min: number }} time */
export const moveOccurrence = (id, occurrence, time) => call('PATCH', `/meetings/${id}/occurrences/${occurrence}`, time);
/** @param {string} id @param {string} occurrence */
export const cancelOccurrence = (id, occurrence) => call('DELETE', `/meetings/${id}/occurrences/${occurrence}`);
/** @param {string} id @param {string} email */
export const invite = (id, email) => call('POST', `/meetings/${id}/invitees`, { email });
/** Everybody in it who is not invited yet. @param {string} id @param {string} group @returns {Promise<{ invitees: Invitee[] }>} */
export const inviteGroup = (id, group) => call('POST', `/meetings/${id}/groups`, { group });
/** @param {string} id @param {string} invitee */
export const uninvite = (id, invitee) => call('DELETE', `/meetings/${id}/invitees/${invitee}`);
/** @param {string} id @param {Answer} answer */
export const answerMeeting = (id, answer) => call('PUT', `/meetings/${id}/answer`, { answer });
/** @param {string} token @returns {Promise<Invitation>} */
export const inspectInvitation = (token) => call('POST', '/rsvp/inspect', { token });
/** @param {string} token @param {Answer} answer @returns {Promise<Invitation>} */
export const answerInvitation = (token, answer) => call('POST', '/rsvp/answer', { token, answer });
