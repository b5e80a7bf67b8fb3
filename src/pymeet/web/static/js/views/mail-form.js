// Asking for a mail: one field, and afterwards the same words for every address, known here or not.

import { useEffect, useRef, useState } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { looksLikeEmail } from '../models/account.js';
import { Problem, useAct } from './act.js';
import { Field, Icon, html, useFocus } from './ui.js';

/** @param {{ title: string, text: string, children?: any }} props */
export function LookIntoMail({ title, text, children }) {
  const heading = useFocus();
  return html`
    <section class="card account">
      <${Icon} name="mail" class="large-icon" />
      <h1 ref=${heading} tabindex="-1">${title}</h1>
      <p>${text}</p>
      <p class="quiet-text">${t('mail.notThere')}</p>
      ${children}
    </section>`;
}

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.text
 * @param {string} props.action
 * @param {string} [props.email] what was typed before
 * @param {(email: string) => Promise<unknown>} props.send
 * @param {(email: string) => void} props.onSent
 * @param {any} [props.children] below the button
 */
export function MailForm({ title, text, action, email: before = '', send, onSent, children }) {
  const [email, setEmail] = useState(before);
  const [bad, setBad] = useState(false);
  const { busy, problem, setProblem, act } = useAct();
  const form = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => /** @type {HTMLElement | null | undefined} */ (form.current?.querySelector('input'))?.focus(), []);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBad(!looksLikeEmail(email));
    if (!looksLikeEmail(email)) return;
    if (await act(() => send(email.trim()))) onSent(email.trim());
  };
  const change = (/** @type {string} */ value) => { setEmail(value); setBad(false); setProblem(''); };
  return html`
    <form class="card account" ref=${form} onSubmit=${submit} novalidate aria-labelledby="mail-title" aria-describedby="mail-text">
      <h1 id="mail-title">${title}</h1>
      <p id="mail-text">${text}</p>
      <${Problem} text=${problem} />
      <${Field} label=${t('signIn.email')} type="email" value=${email} onInput=${change} error=${bad ? t('link.emailBad') : ''}
        input=${{ autocomplete: 'username' }} />
      <button type="submit" class="button primary wide" disabled=${busy}>${action}</button>
      ${children}
    </form>`;
}
