// The second step of signing in: an app, passkeys, and codes for the day when both are lost.

/** @import { Passkey, Security } from '../../api-accounts.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-accounts.js';
import { dateOf, t } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { makePasskey, passkeysWork } from '../passkey.js';
import { toast } from '../toast.js';
import { Dialog, Field, Icon, IconButton, Note, html } from '../ui.js';
import { codesLeft } from './codes.js';
import { Line, PasswordDialog } from './parts.js';
import { SetUpTotp } from './totp.js';

/** @typedef {{ security: Security, reload: () => Promise<unknown>, onCodes: (codes: string[]) => void }} Props */

/** @param {Props} props */
function App({ security, reload, onCodes }) {
  const [open, setOpen] = useState(/** @type {'set_up' | 'remove' | null} */ (null));
  const close = () => setOpen(null);
  const { totp } = security;
  // There are no new codes where a passkey has brought some before.
  const active = async (/** @type {string[]} */ codes) => {
    if (codes.length) return onCodes(codes);
    close();
    toast(t('totp.active'));
    return reload();
  };
  const remove = async (/** @type {string} */ password) => {
    await api.removeTotp(password);
    close();
    toast(t('totp.removed'));
    await reload();
  };
  return html`
    <${Line} title=${t('totp.name')} mark=${totp && html`<span class="mark good"><${Icon} name="check" />${t('security.active')}</span>`}
      below=${totp ? t('totp.since', { date: dateOf(totp.since) }) : t('totp.what')}>
      ${totp
        ? html`<button type="button" class="button small" aria-label=${t('totp.removeTitle')} onClick=${() => setOpen('remove')}>${t('security.remove')}…</button>`
        : html`<button type="button" class="button small" aria-label=${t('totp.title')} onClick=${() => setOpen('set_up')}>${t('security.setUp')}…</button>`}
      ${open === 'set_up' && html`<${SetUpTotp} onClose=${close} onCodes=${active} />`}
      ${open === 'remove' && html`<${PasswordDialog} title=${t('totp.removeTitle')} text=${t(security.passkeys.length ? 'totp.removeText' : 'totp.removeLast')}
        action=${t('security.remove')} danger onClose=${close} work=${remove} />`}
    </${Line}>`;
}

/** @param {Props} props */
function Codes({ security, onCodes }) {
  const [open, setOpen] = useState(false);
  const left = security.recovery_codes_left;
  const make = async (/** @type {string} */ password) => onCodes((await api.makeRecoveryCodes(password)).recovery_codes);
  return html`
    <${Line} title=${t('codes.name')} below=${codesLeft(left)}>
      <button type="button" class="button small" aria-label=${t('codes.makeTitle')} onClick=${() => setOpen(true)}>${t(left ? 'codes.renew' : 'codes.make')}…</button>
      ${open && html`<${PasswordDialog} title=${t('codes.makeTitle')} text=${t(left ? 'codes.renewText' : 'codes.makeText')} action=${t('codes.makeDo')}
        onClose=${() => setOpen(false)} work=${make} />`}
    </${Line}>`;
}

/** @param {{ onDone: (codes: string[] | undefined) => unknown, onClose: () => void }} props */
function AddPasskey({ onDone, onClose }) {
  const [name, setName] = useState('');
  const add = async (/** @type {string} */ password) => {
    const { options } = await api.newPasskeyOptions(password);
    await onDone((await api.addPasskey(name.trim() || t('passkey.unnamed'), await makePasskey(options)))?.recovery_codes);
  };
  return html`
    <${PasswordDialog} title=${t('passkey.addTitle')} text=${t('passkey.addText')} action=${t('passkey.addDo')} onClose=${onClose} work=${add}>
      <${Field} label=${t('passkey.field')} value=${name} onInput=${setName} hint=${t('passkey.fieldHint')} input=${{ maxlength: 60, autocomplete: 'off' }} />
    </${PasswordDialog}>`;
}

/** @param {{ passkey: Passkey, onDone: () => unknown, onClose: () => void }} props */
function RenamePasskey({ passkey, onDone, onClose }) {
  const [name, setName] = useState(passkey.name);
  const { busy, problem, act } = useAct();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => {
      await api.renamePasskey(passkey.id, name.trim());
      await onDone();
    });
  };
  return html`
    <${Dialog} title=${t('passkey.renameTitle')} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        <${Problem} text=${problem} />
        <${Field} label=${t('passkey.field')} value=${name} onInput=${setName} input=${{ maxlength: 60, autocomplete: 'off', required: true }} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy || !name.trim()}>${t('app.save')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** @param {Props} props */
function Passkeys({ security, reload, onCodes }) {
  const [open, setOpen] = useState(/** @type {{ kind: 'add' } | { kind: 'rename' | 'delete', passkey: Passkey } | null} */ (null));
  const close = () => setOpen(null);
  const done = async (/** @type {string} */ words) => {
    close();
    toast(words);
    await reload();
  };
  const remove = async (/** @type {Passkey} */ passkey, /** @type {string} */ password) => {
    await api.removePasskey(passkey.id, password);
    await done(t('passkey.deleted'));
  };
  const added = (/** @type {string[] | undefined} */ codes) => (codes?.length ? onCodes(codes) : done(t('passkey.added')));
  const possible = security.passkeys_possible && passkeysWork();
  const last = security.passkeys.length === 1 && !security.totp;
  return html`
    <div class="sub-head">
      <div class="card-words"><h3>${t('passkey.title')}</h3><p class="quiet-text">${t('passkey.what')}</p></div>
      ${possible && html`<button type="button" class="button small" onClick=${() => setOpen({ kind: 'add' })}><${Icon} name="plus" />${t('passkey.add')}</button>`}
    </div>
    ${!possible && html`<p class="quiet-text">${t(security.passkeys_possible ? 'passkey.not' : 'passkey.noName')}</p>`}
    ${security.passkeys.length > 0 && html`
      <ul class="timeline">
        ${security.passkeys.map((passkey) => html`
          <${Line} key=${passkey.id} title=${passkey.name}
            below=${`${t('security.since', { date: dateOf(passkey.created_at) })} · ${passkey.last_used_at ? t('passkey.used', { date: dateOf(passkey.last_used_at) }) : t('passkey.unused')}`}>
            <${IconButton} icon="pencil" class="quiet" label=${t('passkey.rename', { name: passkey.name })} onClick=${() => setOpen({ kind: 'rename', passkey })} />
            <${IconButton} icon="trash-2" class="quiet" label=${t('passkey.delete', { name: passkey.name })} onClick=${() => setOpen({ kind: 'delete', passkey })} />
          </${Line}>`)}
      </ul>`}
    ${open?.kind === 'add' && html`<${AddPasskey} onDone=${added} onClose=${close} />`}
    ${open?.kind === 'rename' && html`<${RenamePasskey} passkey=${open.passkey} onDone=${() => done(t('passkey.renamed'))} onClose=${close} />`}
    ${open?.kind === 'delete' && html`
      <${PasswordDialog} title=${t('passkey.deleteTitle', { name: open.passkey.name })} text=${[t('passkey.deletePlan'), ...(last ? [t('passkey.deleteLast')] : [])].join(' ')}
        action=${t('passkey.deleteDo')} danger onClose=${close} work=${(/** @type {string} */ password) => remove(open.passkey, password)} />`}`;
}

/** @param {Props} props */
export function Factors(props) {
  const { security } = props;
  const has = Boolean(security.totp) || security.passkeys.length > 0;
  return html`
    <section class="card" aria-labelledby="factors-title">
      <div class="card-words"><h2 id="factors-title">${t('security.factors')}</h2><p class="quiet-text">${t(has ? 'security.factorsOn' : 'security.factorsOff')}</p></div>
      ${has && security.recovery_codes_left === 0 && html`<${Note} tone="amber" icon="circle-alert"><p>${t('codes.missing')}</p></${Note}>`}
      <ul class="timeline">
        <${App} ...${props} />
        ${has && html`<${Codes} ...${props} />`}
      </ul>
      <${Passkeys} ...${props} />
    </section>`;
}
