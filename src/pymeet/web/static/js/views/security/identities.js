// The account at the organisation's provider that is linked with this one: by it one signs in, too.

/** @import { Identity, Security } from '../../api-accounts.js' */
/** @import { Me } from '../../api.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { beginLinking, removeIdentity } from '../../api-oidc.js';
import { dateOf, t } from '../../i18n.js';
import { toast } from '../toast.js';
import { html } from '../ui.js';
import { Line, PasswordDialog } from './parts.js';

/** @param {{ me: Me, security: Security, reload: () => Promise<unknown> }} props */
export function Identities({ me, security, reload }) {
  const [open, setOpen] = useState(/** @type {'link' | Identity | null} */ (null));
  const close = () => setOpen(null);
  const name = me.oidc?.name;
  if (!name) return null;
  const link = async (/** @type {string | undefined} */ password) => location.assign((await beginLinking(password)).url);
  const remove = async (/** @type {string} */ id, /** @type {string | undefined} */ password) => {
    await removeIdentity(id, password);
    close();
    toast(t('identity.removed'));
    await reload();
  };
  return html`
    <section class="card" aria-labelledby="identities-title">
      <div class="card-words"><h2 id="identities-title">${t('identity.title', { name })}</h2><p class="quiet-text">${t('identity.text', { name })}</p></div>
      ${security.identities.length > 0
        ? html`
          <ul class="timeline">
            ${security.identities.map((identity) => html`
              <${Line} key=${identity.id} title=${identity.issuer.replace(/^https?:\/\//u, '')}
                below=${`${t('security.since', { date: dateOf(identity.created_at) })} · ${t('identity.used', { date: dateOf(identity.last_used_at) })}`}>
                <button type="button" class="button small" aria-label=${t('identity.removeTitle', { name })} onClick=${() => setOpen(identity)}>${t('security.remove')}…</button>
              </${Line}>`)}
          </ul>`
        : html`<div class="actions"><button type="button" class="button" onClick=${() => setOpen('link')}>${t('identity.link', { name })}…</button></div>`}
      ${open === 'link' && html`
        <${PasswordDialog} title=${t('identity.link', { name })} text=${t('identity.linkText', { name })} action=${t('identity.linkDo')} onClose=${close} work=${link} />`}
      ${open && open !== 'link' && html`
        <${PasswordDialog} title=${t('identity.removeTitle', { name })} text=${t('identity.removeText', { name })} action=${t('security.remove')} danger
          onClose=${close} work=${(/** @type {string | undefined} */ password) => remove(open.id, password)} />`}
    </section>`;
}
