// /register: a mail with a link to make an account, on servers where everybody may.

/** @import { Me } from '../api.js' */
import '../accounts-words.js';
import { signal } from '../../vendor/signals-core.js';
import { useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { register } from '../api-accounts.js';
import { t } from '../i18n.js';
import { waysIn } from '../models/account.js';
import { LookIntoMail, MailForm } from '../views/mail-form.js';
import { Page, Statement, html, start } from '../views/ui.js';

const me = signal(/** @type {Me | null} */ (null));
const unreachable = signal(false);

async function load() {
  unreachable.value = false;
  try {
    me.value = await api.me();
  } catch {
    unreachable.value = true;
  }
}

function Register() {
  const [sent, setSent] = useState('');
  if (unreachable.value) {
    return html`<${Statement} title=${t('register.title')} text=${t('start.unreachable')}>
      <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!me.value) return html`<${Page} narrow><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  if (!waysIn(me.value).register) {
    return html`
      <${Statement} title=${t('register.closedTitle')} text=${t(me.value.registration === 'closed' ? 'register.closed' : 'register.invitation')}>
        <a class="button primary" href="/sign-in">${t('start.signIn')}</a><a class="button" href="/">${t('app.back')}</a></${Statement}>`;
  }
  const back = html`<div class="other-ways"><a class="text-button" href="/sign-in">${t('register.known')}</a></div>`;
  return html`
    <${Page} narrow>
      ${sent
        ? html`<${LookIntoMail} title=${t('mail.title')} text=${t('register.sent', { email: sent })}>${back}</${LookIntoMail}>`
        : html`<${MailForm} title=${t('register.title')} text=${t('register.text')} action=${t('register.do')} send=${register} onSent=${setSent}>${back}</${MailForm}>`}
    </${Page}>`;
}

void load();
void start('register.title', () => html`<${Register} />`);
