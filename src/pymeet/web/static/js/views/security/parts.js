// What the parts of the security page share.

import { useState } from '../../../vendor/preact-hooks.js';
import { t } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { Dialog, Field, html } from '../ui.js';

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
 * Asks for the password before something that matters; a session that somebody left open is not enough for it.
 * @param {object} props
 * @param {string} props.title
 * @param {string} [props.text]
 * @param {string} props.action
 * @param {boolean} [props.danger]
 * @param {(password: string) => Promise<unknown>} props.work
 * @param {() => void} props.onClose
 * @param {any} [props.children] further fields, before that of the password
 */
export function PasswordDialog({ title, text, action, danger = false, work, onClose, children }) {
  const [password, setPassword] = useState('');
  const { busy, problem, setProblem, act } = useAct();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(() => work(password));
  };
  const change = (/** @type {string} */ value) => { setPassword(value); setProblem(''); };
  return html`
    <${Dialog} title=${title} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        ${text && html`<p>${text}</p>`}
        <${Problem} text=${problem} />
        ${children}
        <${Field} label=${t('security.yourPassword')} type="password" value=${password} onInput=${change}
          input=${{ autocomplete: 'current-password', required: true }} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class=${danger ? 'button danger' : 'button primary'} disabled=${busy || !password}>${action}</button>
        </div>
      </form>
    </${Dialog}>`;
}
