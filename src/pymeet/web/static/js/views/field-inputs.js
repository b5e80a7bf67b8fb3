// What stands in the fields that administrators added to the profile, to be read and changed.

/** @import { FieldValues, FilledField } from '../api-fields.js' */
import { t } from '../i18n.js';
import { Field, html } from './ui.js';

/** What differs from before, as the server takes it. @param {FilledField[]} fields @param {Record<string, string>} given @returns {FieldValues} */
export function changedValues(fields, given) {
  const changed = fields.filter(({ id, value }) => (given[id] ?? '').trim() !== (value ?? ''));
  return Object.fromEntries(changed.map(({ id }) => [id, given[id].trim() || null]));
}

/** @param {FilledField[]} fields */
export const valuesOf = (fields) => Object.fromEntries(fields.map(({ id, value }) => [id, value ?? '']));

/** @param {{ fields: FilledField[], given: Record<string, string>, onGiven: (given: Record<string, string>) => void, all?: boolean }} props
 *   `all`: whoever looks may change every one */
export function FieldInputs({ fields, given, onGiven, all = false }) {
  return fields.map(({ id, label, editable }) => html`
    <${Field} key=${id} label=${label} value=${given[id]} hint=${all || editable ? undefined : t('fields.notYours')}
      onInput=${(/** @type {string} */ value) => onGiven({ ...given, [id]: value })}
      input=${{ autocomplete: 'off', maxlength: 200, readonly: !all && !editable }} />`);
}
