// What the tables and dialogs of the admin page share.

import { useId } from '../../../vendor/preact-hooks.js';
import { lengthOf, t } from '../../i18n.js';
import { periodOf } from '../../models/periods.js';
import { html } from '../ui.js';

/** @param {string} text `90d`, or `forever` */
export function periodWords(text) {
  const period = periodOf(text);
  return period ? lengthOf(period.count, period.unit) : t('admin.forever');
}

/** A table that becomes a list on a phone; `columns` are its headings.
 * @param {{ label: string, columns: string[], class?: string, children: any }} props */
export function Table({ label, columns, class: extra = '', children }) {
  return html`
    <table class=${`kept dense ${extra}`} aria-label=${label}>
      <thead><tr>${columns.map((column) => html`<th scope="col">${column || html`<span class="visually-hidden">${t('admin.actions')}</span>`}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>`;
}

/** @param {{ label: string, value: string, onChange: (value: string) => void, options: readonly (readonly [string, string])[] }} props */
export function Select({ label, value, onChange, options }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
        ${options.map(([name, words]) => html`<option value=${name}>${words}</option>`)}
      </select>
    </div>`;
}

/** One of several, none chosen beforehand unless `value` says so.
 * @param {{ label: string, value: string, onChange: (value: string) => void, options: readonly (readonly [string, string])[] }} props */
export function Radios({ label, value, onChange, options }) {
  const name = useId();
  return html`
    <fieldset class="radios">
      <legend>${label}</legend>
      ${options.map(([option, words]) => html`
        <label class="check"><input type="radio" name=${name} value=${option} checked=${value === option} onChange=${() => onChange(option)} />${words}</label>`)}
    </fieldset>`;
}
