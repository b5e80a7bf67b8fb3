// What the parts of the security page share.

import { t } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { useConfirming } from '../confirming.js';
import { Dialog, html } from '../ui.js';

/** @typedef {{ reload: () => Promise<unknown> }} Reload */

/** A line of a list: what it is, something below, and its buttons. @param {{ title: any, below: any, mark?: any, children?: any }} props */
export function Line({ title, below, mark, children }) {
  return html`
    <li>
      <div class="timeline-words"><p><strong>${title}</strong>${mark && html` · ${mark}`}</p><p class="quiet-text">${below}</p></div>
      <div class="actions">${children}</div>
    </li>`;
}

/**
 * Asks once more who it is before something that matters; a session that somebody left open is not enough for it.
 * @param {object} props
 * @param {string} props.title
 * @param {string} [props.text]
 * @param {string} props.action
 * @param {boolean} [props.danger]
 * @param {boolean} [props.ready] whether the further fields are filled in
 * @param {(password: string | undefined) => Promise<unknown>} props.work nothing is handed to it where no password is needed
 * @param {() => void} props.onClose
 * @param {any} [props.children] further fields, before that of the password
 */
export function PasswordDialog({ title, text, action, danger = false, ready = true, work, onClose, children }) {
  const { busy, problem, setProblem, act } = useAct();
  const who = useConfirming({ label: t('security.yourPassword'), onChange: () => setProblem('') });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(() => work(who.password));
  };
  return html`
    <${Dialog} title=${title} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        ${text && html`<p>${text}</p>`}
        <${Problem} text=${problem} />
        ${!who.elsewhere && children}
        ${who.field}
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          ${!who.elsewhere && html`<button type="submit" class=${danger ? 'button danger' : 'button primary'} disabled=${busy || !who.ready || !ready}>${action}</button>`}
        </div>
      </form>
    </${Dialog}>`;
}
