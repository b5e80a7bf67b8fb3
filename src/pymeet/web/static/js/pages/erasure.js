// /erasure#pme1.…: how far an erasure is. The text in the fragment is signed, names nobody, and never reaches a log.

import '../privacy-words.js';
import { useState } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { statusIn } from '../models/receipts.js';
import { ErasureStatusView } from '../views/erasure.js';
import { Toast } from '../views/toast.js';
import { Field, Page, html, start } from '../views/ui.js';

/** @param {{ onFound: (token: string) => void }} props */
function AskForLink({ onFound }) {
  const [typed, setTyped] = useState('');
  const [error, setError] = useState('');
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const token = statusIn(typed);
    if (token) onFound(token);
    else setError(t('erasure.badLink'));
  };
  const change = (/** @type {string} */ value) => { setTyped(value); setError(''); };
  return html`
    <form class="card" onSubmit=${submit} novalidate>
      <p>${t('erasure.paste')}</p>
      <${Field} label=${t('erasure.link')} value=${typed} onInput=${change} error=${error} input=${{ autocomplete: 'off', spellcheck: false, autofocus: true }} />
      <button type="submit" class="button primary">${t('guest.show')}</button>
    </form>`;
}

function Erasure() {
  const [token, setToken] = useState(statusIn(location.hash));
  return html`
    <${Page} narrow>
      <div class="data">
        <h1>${t('erasure.title')}</h1>
        ${token ? html`<${ErasureStatusView} token=${token} />` : html`<${AskForLink} onFound=${setToken} />`}
      </div>
      <${Toast} />
    </${Page}>`;
}

// Another link opened in this tab differs in its fragment only, for which the browser loads nothing.
window.addEventListener('hashchange', () => location.reload());
void start('erasure.title', () => html`<${Erasure} />`);
