// /link#<token>: a one-time link that makes the first administrator or sets a password.

/** @import { LinkInfo } from '../api.js' */
import { signal } from '../../vendor/signals-core.js';
import { useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { accountErrors } from '../models/account.js';
import { Field, Note, Page, Statement, html, start } from '../views/ui.js';

const token = location.hash.slice(1);
const link = signal(/** @type {LinkInfo | 'invalid' | 'unreachable' | null} */ (null));

async function inspect() {
  link.value = null;
  try {
    link.value = token ? await api.inspectLink(token) : 'invalid';
  } catch (error) {
    link.value = error instanceof api.ApiError && error.status > 0 && error.status < 500 ? 'invalid' : 'unreachable';
  }
}

/** @param {{ info: LinkInfo }} props */
function AccountForm({ info }) {
  const first = info.purpose === 'first_admin';
  const [name, setName] = useState(info.name ?? '');
  const [email, setEmail] = useState(info.email ?? '');
  const [password, setPassword] = useState('');
  const [checked, setChecked] = useState(false);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const errors = accountErrors({ name, email, password }, first);
  const shown = checked ? errors : {};
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setChecked(true);
    setProblem('');
    if (Object.keys(errors).length > 0) {
      // The fields are marked only after the next render.
      requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector('[aria-invalid="true"]'))?.focus());
      return;
    }
    setBusy(true);
    try {
      await api.redeemLink(first ? { token, name: name.trim(), email: email.trim(), password } : { token, password });
      location.assign('/');
    } catch (error) {
      setProblem(error instanceof api.ApiError && error.message ? error.message : t('start.unreachable'));
      setBusy(false);
    }
  };
  return html`
    <form class="card account" onSubmit=${submit} novalidate>
      <h1>${t(first ? 'link.adminTitle' : 'link.passwordTitle')}</h1>
      <p>${t(first ? 'link.adminText' : 'link.passwordText')}</p>
      ${problem && html`<${Note} tone="danger" icon="circle-alert"><p>${problem}</p></${Note}>`}
      ${first && html`<${Field} label=${t('link.name')} value=${name} onInput=${setName} error=${shown.name && t('link.nameMissing')}
        input=${{ autocomplete: 'name', maxlength: 60, autofocus: true }} />`}
      <${Field} label=${t('signIn.email')} type="email" value=${email} onInput=${setEmail} error=${shown.email && t('link.emailBad')}
        input=${{ autocomplete: 'username', readonly: !first }} />
      <${Field} label=${t('link.password')} type="password" value=${password} onInput=${setPassword} hint=${t('link.hint')}
        error=${shown.password && t('link.passwordShort', { count: [...password].length })}
        input=${{ autocomplete: 'new-password', autofocus: !first }} />
      <button type="submit" class="button primary wide" disabled=${busy}>${t('link.do')}</button>
    </form>`;
}

function Link() {
  const found = link.value;
  if (found === 'invalid') {
    return html`<${Statement} title=${t('link.invalidTitle')} text=${t('link.invalid')}><a class="button primary" href="/">${t('app.back')}</a></${Statement}>`;
  }
  if (found === 'unreachable') {
    return html`<${Statement} title=${t('link.laterTitle')} text=${t('start.unreachable')}>
      <button type="button" class="button primary" onClick=${() => void inspect()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!found) return html`<${Page} narrow><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  return html`<${Page} narrow><${AccountForm} info=${found} /></${Page}>`;
}

// Another link opened in this tab differs in its fragment only, for which the browser loads nothing.
window.addEventListener('hashchange', () => location.reload());
void inspect();
void start('app.name', () => html`<${Link} />`);
