// Another e-mail address: the new one is asked first whether it is really theirs.

import { useState } from '../../../vendor/preact-hooks.js';
import { changeEmail } from '../../api-accounts.js';
import { t } from '../../i18n.js';
import { looksLikeEmail } from '../../models/account.js';
import { PasswordDialog } from '../security/parts.js';
import { Field, Note, html } from '../ui.js';

/** @param {{ email: string, mail: boolean }} props */
export function Address({ email, mail }) {
  const [open, setOpen] = useState(false);
  const [wanted, setWanted] = useState('');
  const [bad, setBad] = useState(false);
  const [sentTo, setSentTo] = useState('');
  const ask = async (/** @type {string} */ password) => {
    setBad(!looksLikeEmail(wanted));
    if (!looksLikeEmail(wanted)) return;
    await changeEmail(wanted.trim(), password);
    setSentTo(wanted.trim());
    setOpen(false);
  };
  return html`
    <section class="card" aria-labelledby="address-title">
      <div class="card-head">
        <div class="card-words">
          <h2 id="address-title">${t('signIn.email')}</h2>
          <p class="address">${email}</p>
          <p class="quiet-text">${t(mail ? 'address.text' : 'address.noMail')}</p>
        </div>
        ${mail && html`<button type="button" class="button" onClick=${() => { setWanted(''); setBad(false); setOpen(true); }}>${t('address.change')}…</button>`}
      </div>
      ${sentTo && html`<${Note} icon="mail"><p>${t('address.sent', { email: sentTo })}</p></${Note}>`}
      ${open && html`
        <${PasswordDialog} title=${t('address.change')} text=${t('address.dialog')} action=${t('address.do')} onClose=${() => setOpen(false)} work=${ask}>
          <${Field} label=${t('address.new')} type="email" value=${wanted} onInput=${(/** @type {string} */ value) => { setWanted(value); setBad(false); }}
            error=${bad ? t('link.emailBad') : ''} input=${{ autocomplete: 'email', required: true }} />
        </${PasswordDialog}>`}
    </section>`;
}
