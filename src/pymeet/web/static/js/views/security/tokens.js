// API tokens: making one, which is shown once, and revoking those that are no longer needed.

/** @import { ApiToken, MadeToken, Tokens as State } from '../../api-accounts.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-accounts.js';
import { lengthOf, t } from '../../i18n.js';
import { areasOf, daysUpTo, toggled } from '../../models/tokens.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { Select } from '../admin/parts.js';
import { toast } from '../toast.js';
import { ConfirmDialog, Field, Icon, Note, copy, html, useFocus } from '../ui.js';
import { Line, PasswordDialog } from './parts.js';
import { factsOf, nameOf } from './token-facts.js';

/** @param {{ all: string[], chosen: string[], onChange: (chosen: string[]) => void }} props */
function Scopes({ all, chosen, onChange }) {
  const box = (/** @type {string} */ area, /** @type {'read' | 'write'} */ verb, /** @type {boolean} */ there) => {
    const scope = `${area}:${verb}`;
    return html`<td>${there && html`
      <label class="scope-box"><input type="checkbox" aria-label=${`${nameOf(area)}: ${t(`scope.${verb}`)}`} checked=${chosen.includes(scope)}
        onChange=${() => onChange(toggled(all, chosen, scope))} /></label>`}</td>`;
  };
  return html`
    <table class="scopes">
      <thead><tr><th scope="col">${t('token.may')}</th><th scope="col">${t('scope.read')}</th><th scope="col">${t('scope.write')}</th></tr></thead>
      <tbody>${areasOf(all).map(({ area, read, write }) => html`
        <tr key=${area}>
          <th scope="row">${nameOf(area)}<span class="quiet-text">${t(/** @type {any} */ (`scope.text.${area}`))}</span></th>
          ${box(area, 'read', read)}${box(area, 'write', write)}
        </tr>`)}</tbody>
    </table>`;
}

/** @param {{ state: State, onMade: (made: MadeToken) => unknown, onClose: () => void }} props */
function MakeDialog({ state, onMade, onClose }) {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  const [days, setDays] = useState(String(state.default_days));
  const make = async (/** @type {string | undefined} */ password) => {
    await onMade(await api.makeToken({ name: name.trim(), scopes: chosen, days: Number(days), password }));
  };
  const options = daysUpTo(state.longest_days).map((each) => /** @type {const} */ ([String(each), lengthOf(each, 'day')]));
  return html`
    <${PasswordDialog} title=${t('token.makeTitle')} text=${t('token.makeText')} action=${t('token.makeDo')} onClose=${onClose} work=${make}
      ready=${name.trim() !== '' && chosen.length > 0}>
      <${Field} label=${t('token.name')} value=${name} onInput=${setName} hint=${t('token.nameHint')} input=${{ maxlength: 80, autocomplete: 'off', required: true }} />
      <${Scopes} all=${state.scopes} chosen=${chosen} onChange=${setChosen} />
      <${Select} label=${t('token.for')} value=${days} onChange=${setDays} options=${options} />
    </${PasswordDialog}>`;
}

/** It stays until it is put away on purpose. @param {{ made: MadeToken, onDone: () => void }} props */
function TheToken({ made, onDone }) {
  const title = useFocus();
  const take = async () => toast(t(await copy(made.token) ? 'token.copied' : 'codes.notCopied'));
  return html`
    <div class="link-box">
      <h3 ref=${title} tabindex="-1">${t('token.here', { name: made.name })}</h3>
      <p class="link-text">${made.token}</p>
      <${Note} tone="amber" icon="circle-alert"><p>${t('token.once')}</p></${Note}>
      <div class="actions">
        <button type="button" class="button primary" onClick=${() => void take()}><${Icon} name="copy" />${t('codes.copy')}</button>
        <button type="button" class="button" onClick=${onDone}>${t('codes.done')}</button>
      </div>
    </div>`;
}

export function Tokens() {
  const { value: state, problem: missing, reload } = useLoaded(api.tokens);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(/** @type {MadeToken | null} */ (null));
  const [revoking, setRevoking] = useState(/** @type {ApiToken | null} */ (null));
  const { busy, problem, act } = useAct();
  const onMade = async (/** @type {MadeToken} */ token) => {
    setMaking(false);
    setMade(token);
    await reload();
  };
  const revoke = (/** @type {ApiToken} */ token) => void act(async () => {
    await api.revokeToken(token.id);
    if (made?.id === token.id) setMade(null);
    toast(t('token.revoked'));
    await reload();
  });
  return html`
    <section class="card" aria-labelledby="tokens-title">
      <div class="card-head">
        <div class="card-words"><h2 id="tokens-title">${t('token.title')}</h2><p class="quiet-text">${t('token.what')} <a href="/api">${t('token.api')}</a></p></div>
        ${state && html`<button type="button" class="button" onClick=${() => setMaking(true)}>${t('token.make')}…</button>`}
      </div>
      <${Problem} text=${problem} />
      ${made && html`<${TheToken} key=${made.id} made=${made} onDone=${() => setMade(null)} />`}
      ${!state && html`<${Waiting} problem=${missing} />`}
      ${state && state.tokens.length > 0 && html`
        <ul class="timeline">${state.tokens.map((token) => html`
          <${Line} key=${token.id} title=${token.name} below=${factsOf(token).map((fact) => html`<span class="block">${fact}</span>`)}>
            <button type="button" class="button small" disabled=${busy} aria-label=${t('token.revokeOf', { name: token.name })}
              onClick=${() => setRevoking(token)}>${t('token.revoke')}…</button>
          </${Line}>`)}</ul>`}
      ${making && state && html`<${MakeDialog} state=${state} onMade=${onMade} onClose=${() => setMaking(false)} />`}
      ${revoking && html`
        <${ConfirmDialog} title=${t('token.revokeTitle', { name: revoking.name })} plan=${[t('token.revokePlan')]} action=${t('token.revoke')}
          onConfirm=${() => revoke(revoking)} onClose=${() => setRevoking(null)} />`}
    </section>`;
}
