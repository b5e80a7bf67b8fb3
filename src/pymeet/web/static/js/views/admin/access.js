// What lets programs, and accounts at the organisation's provider, into somebody's account, for an administrator who ends it.

/** @import { Member } from '../../api-users.js' */
/** @import { ApiToken, Identity } from '../../api-accounts.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-users.js';
import { dateOf, t } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { factsOf } from '../security/token-facts.js';
import { Line } from '../security/parts.js';
import { toast } from '../toast.js';
import { ConfirmDialog, html } from '../ui.js';

/** Where it is, as people write it. @param {Identity} identity */
const placeOf = (identity) => identity.issuer.replace(/^https?:\/\//u, '');

/** @param {{ member: Member, onBack: () => void }} props */
export function AccessOf({ member, onBack }) {
  const { value, problem: missing, reload } = useLoaded(() => api.access(member.id));
  const [asked, setAsked] = useState(/** @type {ApiToken | null} */ (null));
  const [unlinking, setUnlinking] = useState(/** @type {Identity | null} */ (null));
  const { busy, problem, act } = useAct();
  const name = member.name || member.email;
  const end = (/** @type {() => Promise<unknown>} */ work, /** @type {string} */ words) => void act(async () => {
    await work();
    toast(words);
    await reload();
  });
  return html`
    <div class="dialog-form">
      <p class="quiet-text">${t('access.text')}</p>
      <${Problem} text=${problem} />
      ${!value && html`<${Waiting} problem=${missing} />`}
      ${value && !value.tokens.length && !value.identities.length && html`<p>${t('access.none', { name })}</p>`}
      ${value && value.tokens.length > 0 && html`
        <h3 id="access-tokens">${t('token.title')}</h3>
        <ul class="timeline" aria-labelledby="access-tokens">${value.tokens.map((token) => html`
          <${Line} key=${token.id} title=${token.name} below=${factsOf(token).map((fact) => html`<span class="block">${fact}</span>`)}>
            <button type="button" class="button small" disabled=${busy} aria-label=${t('token.revokeOf', { name: token.name })}
              onClick=${() => setAsked(token)}>${t('token.revoke')}…</button>
          </${Line}>`)}</ul>`}
      ${value && value.identities.length > 0 && html`
        <h3 id="access-linked">${t('access.linked')}</h3>
        <ul class="timeline" aria-labelledby="access-linked">${value.identities.map((identity) => html`
          <${Line} key=${identity.id} title=${placeOf(identity)}
            below=${`${t('security.since', { date: dateOf(identity.created_at) })} · ${t('identity.used', { date: dateOf(identity.last_used_at) })}`}>
            <button type="button" class="button small" disabled=${busy} aria-label=${t('access.unlinkOf', { place: placeOf(identity) })}
              onClick=${() => setUnlinking(identity)}>${t('access.unlink')}…</button>
          </${Line}>`)}</ul>`}
      <div class="actions"><button type="button" class="button" onClick=${onBack}>${t('members.backTo')}</button></div>
      ${asked && html`
        <${ConfirmDialog} title=${t('token.revokeTitle', { name: asked.name })} plan=${[t('token.revokePlan')]} action=${t('token.revoke')}
          onConfirm=${() => end(() => api.revokeTokenOf(member.id, asked.id), t('token.revoked'))} onClose=${() => setAsked(null)} />`}
      ${unlinking && html`
        <${ConfirmDialog} title=${t('access.unlinkTitle', { name })} plan=${[t('access.unlinkPlan', { name }), t('access.unlinkAgain')]} action=${t('access.unlink')}
          onConfirm=${() => end(() => api.unlink(member.id, unlinking.id), t('access.unlinked', { name }))} onClose=${() => setUnlinking(null)} />`}
    </div>`;
}
