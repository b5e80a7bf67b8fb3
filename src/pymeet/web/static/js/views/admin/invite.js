// Inviting somebody: by mail, or with a link to hand over where this server sends none.

/** @import { Invitation, RoleName } from '../../api-users.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { invite } from '../../api-users.js';
import { chosenLanguage, t } from '../../i18n.js';
import { looksLikeEmail } from '../../models/account.js';
import { Problem, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, Icon, Note, copy, html, useFocus } from '../ui.js';
import { Select } from './parts.js';

export const ROLES = /** @type {const} */ (['member', 'admin', 'dpo']);
const LANGUAGES = /** @type {const} */ ([['de', 'Deutsch'], ['en', 'English']]);

/** A link that only this dialog knows. @param {{ text: string, link: string, onClose: () => void }} props */
export function HandOver({ text, link, onClose }) {
  const title = useFocus();
  const take = async () => toast(t(await copy(link) ? 'rooms.copied' : 'codes.notCopied'));
  return html`
    <div class="dialog-form">
      <p ref=${title} tabindex="-1">${text}</p>
      <div class="link-box"><code class="link-text">${link}</code>
        <div class="actions"><button type="button" class="button primary" onClick=${() => void take()}><${Icon} name="copy" />${t('invite.copy')}</button></div></div>
      <p class="quiet-text">${t('invite.secret')}</p>
      <div class="actions"><button type="button" class="button" onClick=${onClose}>${t('app.close')}</button></div>
    </div>`;
}

/** @param {{ mail: boolean, onInvited: () => void, onClose: () => void }} props */
export function Invite({ mail, onInvited, onClose }) {
  const [given, setGiven] = useState(/** @type {Invitation} */ ({ email: '', name: '', role: 'member', language: chosenLanguage() }));
  const [checked, setChecked] = useState(false);
  const [link, setLink] = useState('');
  const { busy, problem, setProblem, act } = useAct();
  const set = (/** @type {keyof Invitation} */ key) => (/** @type {string} */ value) => { setGiven({ ...given, [key]: value }); setProblem(''); };
  const good = looksLikeEmail(given.email);
  const named = Boolean(given.name.trim());
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setChecked(true);
    if (!good || !named) return;
    void act(async () => {
      const sent = await invite({ ...given, email: given.email.trim(), name: given.name.trim(), role: /** @type {RoleName} */ (given.role) });
      onInvited();
      if (sent.link) setLink(sent.link);
      else {
        toast(t('invite.sent', { email: given.email.trim() }));
        onClose();
      }
    });
  };
  if (link) {
    return html`<${Dialog} key="link" title=${t('invite.linkTitle')} onClose=${onClose}>
      <${HandOver} text=${t('invite.linkText', { name: given.name.trim() })} link=${link} onClose=${onClose} /></${Dialog}>`;
  }
  return html`
    <${Dialog} key="form" title=${t('invite.title')} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit} novalidate>
        <p>${t(mail ? 'invite.text' : 'invite.textNoMail')}</p>
        <${Problem} text=${problem} />
        <${Field} label=${t('signIn.email')} type="email" value=${given.email} onInput=${set('email')} error=${checked && !good ? t('link.emailBad') : ''}
          input=${{ autocomplete: 'off', spellcheck: false }} />
        <${Field} label=${t('link.name')} value=${given.name} onInput=${set('name')} error=${checked && !named ? t('invite.nameMissing') : ''} hint=${t('invite.nameHint')}
          input=${{ autocomplete: 'off', maxlength: 60 }} />
        <div class="field-pair">
          <${Select} label=${t('members.role')} value=${given.role} onChange=${set('role')} options=${ROLES.map((role) => [role, t(`role.${role}`)])} />
          <${Select} label=${t('invite.language')} value=${given.language} onChange=${set('language')} options=${LANGUAGES} />
        </div>
        ${given.role !== 'member' && html`<${Note} tone="amber" icon="circle-alert"><p>${t(`roleText.${given.role}`)}</p></${Note}>`}
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy}>${t(mail ? 'invite.do' : 'invite.doNoMail')}</button>
        </div>
      </form>
    </${Dialog}>`;
}
