// The HTTP API of docs/protocol.md, section 4.1: fields that administrators add to the profile.

import { call } from './api.js';

/** @typedef {{ id: string, label: string, editable: boolean, people: number, created_at: number }} ProfileField `people`: for how many it is filled in */
/** @typedef {{ id: string, label: string, editable: boolean, value: string | null }} FilledField */
/** @typedef {Record<string, string | null>} FieldValues by the id of the field */

/** @param {string} id */
const field = (id) => `/admin/profile-fields/${encodeURIComponent(id)}`;
/** @param {string} person */
const fieldsOfPerson = (person) => `/admin/users/${encodeURIComponent(person)}/profile-fields`;

/** @returns {Promise<{ fields: FilledField[] }>} */
export const ownFields = () => call('GET', '/profile/fields');
/** @param {FieldValues} values @returns {Promise<{ fields: FilledField[] }>} */
export const fillOwnFields = (values) => call('PATCH', '/profile/fields', { values });

/** @returns {Promise<{ fields: ProfileField[] }>} */
export const profileFields = () => call('GET', '/admin/profile-fields');
/** @param {{ label: string, editable: boolean }} body @returns {Promise<ProfileField>} */
export const addField = (body) => call('POST', '/admin/profile-fields', body);
/** @param {string} id @param {{ label?: string, editable?: boolean, place?: number }} body @returns {Promise<ProfileField>} */
export const changeField = (id, body) => call('PATCH', field(id), body);
/** @param {string} id */
export const deleteField = (id) => call('DELETE', field(id));
/** @param {string} person @returns {Promise<{ fields: FilledField[] }>} */
export const fieldsOf = (person) => call('GET', fieldsOfPerson(person));
/** @param {string} person @param {FieldValues} values @returns {Promise<{ fields: FilledField[] }>} */
export const fillFieldsOf = (person, values) => call('PATCH', fieldsOfPerson(person), { values });
