// /sign-in

import { useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { safePath } from '../models/slugs.js';
import { PendingErasure } from '../views/pending-erasure.js';
import { Field, Note, Page, html, start } from '../views/ui.js';

const next = safePath(new URLSearchParams(location.search).get('next'));

/** @param {unknown} error */
function wordsFor(error) {
  if (!(error instanceof api.ApiError) || error.status === 0) return t('start.unreachable');
  return error.status === 429 && error.message ? error.message : t('signIn.wrong');
}

function SignIn() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const [pending, setPending] = useState('');
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      await api.signIn(email.trim(), password);
      location.assign(next);
    } catch (error) {
      if (error instanceof api.ApiError && error.code === 'erasure_pending') setPending(error.message);
      else setProblem(wordsFor(error));
      setBusy(false);
    }
  };
  if (pending) return html`<${PendingErasure} email=${email.trim()} password=${password} detail=${pending} onKept=${() => location.assign(next)} />`;
  return html`
    <${Page} narrow>
      <form class="card account" onSubmit=${submit}>
        <h1>${t('signIn.title')}</h1>
        ${problem && html`<${Note} tone="danger" icon="circle-alert"><p>${problem}</p></${Note}>`}
        <${Field} label=${t('signIn.email')} type="email" value=${email} onInput=${setEmail}
          input=${{ autocomplete: 'username', required: true, autofocus: true }} />
        <${Field} label=${t('signIn.password')} type="password" value=${password} onInput=${setPassword}
          input=${{ autocomplete: 'current-password', required: true }} />
        <button type="submit" class="button primary wide" disabled=${busy}>${t('signIn.do')}</button>
        <p class="quiet-text">${t('signIn.forgot')}</p>
      </form>
    </${Page}>`;
}

void start('signIn.title', () => html`<${SignIn} />`);
