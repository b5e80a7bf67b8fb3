// What the dialogs about a meeting have in common: fields, and whether one meeting of a series is meant or all of them.

/** @import { Entry } from '../../api-meetings.js' */
import { useId } from '../../../vendor/preact-hooks.js';
import { dateOf, momentOf, t } from '../../i18n.js';
import { html } from '../ui.js';

/** @typedef {'one' | 'series'} Scope */

/** When an occurrence is, as its reader says it. @param {Pick<Entry, 'all_day' | 'occurrence'>} entry */
export const whenOf = ({ all_day, occurrence }) => (all_day ? dateOf(occurrence.starts_at) : momentOf(occurrence.starts_at));

/** @param {{ label: string, value: string, onInput: (value: string) => void, hint?: string, children: any }} props */
export function Choice({ label, value, onInput, hint, children }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} value=${value} aria-describedby=${hint ? `${id}-note` : undefined}
        onChange=${(/** @type {any} */ event) => onInput(event.target.value)}>${children}</select>
      ${hint && html`<p id=${`${id}-note`} class="field-hint">${hint}</p>`}
    </div>`;
}

/** @param {{ label: string, value: string, onInput: (value: string) => void, hint?: string }} props */
export function Lines({ label, value, onInput, hint }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <textarea id=${id} rows="3" value=${value} aria-describedby=${hint ? `${id}-note` : undefined}
        onInput=${(/** @type {any} */ event) => onInput(event.target.value)}></textarea>
      ${hint && html`<p id=${`${id}-note`} class="field-hint">${hint}</p>`}
    </div>`;
}

/** @param {{ legend: string, entry: Entry, scope: Scope, onScope: (scope: Scope) => void }} props */
export function ScopeChoice({ legend, entry, scope, onScope }) {
  const name = useId();
  return html`
    <fieldset class="scope">
      <legend>${legend}</legend>
      ${/** @type {const} */ (['one', 'series']).map((each) => html`
        <label class="check"><input type="radio" name=${name} checked=${each === scope} onChange=${() => onScope(each)} />
          ${each === 'one' ? t('meet.onlyOne', { when: whenOf(entry) }) : t('meet.wholeSeries')}</label>`)}
    </fieldset>`;
}
