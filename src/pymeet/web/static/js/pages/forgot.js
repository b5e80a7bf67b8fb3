// /forgot: a mail with a link to choose another password.

import '../accounts-words.js';
import { useState } from '../../vendor/preact-hooks.js';
import { resetPassword } from '../api-accounts.js';
import { t } from '../i18n.js';
import { LookIntoMail, MailForm } from '../views/mail-form.js';
import { Page, html, start } from '../views/ui.js';

function Forgot() {
  const [sent, setSent] = useState('');
  const back = html`<div class="other-ways"><a class="text-button" href="/sign-in">${t('factor.back')}</a></div>`;
  return html`
    <${Page} narrow>
      ${sent
        ? html`<${LookIntoMail} title=${t('mail.title')} text=${t('forgot.sent', { email: sent })}>${back}</${LookIntoMail}>`
        : html`<${MailForm} title=${t('forgot.title')} text=${t('forgot.text')} action=${t('forgot.do')} send=${resetPassword} onSent=${setSent}>${back}</${MailForm}>`}
    </${Page}>`;
}

void start('forgot.title', () => html`<${Forgot} />`);
