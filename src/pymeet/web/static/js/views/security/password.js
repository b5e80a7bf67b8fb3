// Another password. The other sessions end with the old one.

import { useState } from '../../../vendor/preact-hooks.js';
import { changePassword } from '../../api-accounts.js';
import { dateOf, t } from '../../i18n.js';
import { tooShort } from '../../models/account.js';
import { Problem, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, html } from '../ui.js';

/** @param {{ email: string, shortest: number, onDone: () => void, onClose: () => void }} props */
function ChangeDialog({ email, shortest, onDone, onClose }) {
  const [current, setCurrent] = useState('');
  const [wanted, setWanted] = useState('');
  const [checked, setChecked] = useState(false);
  const { busy, problem, setProblem, act } = useAct();
  const short = tooShort(wanted, shortest);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setChecked(true);
    if (!short && await act(() => changePassword(current, wanted))) onDone();
  };
  return html`
    <${Dialog} title=${t('security.changePassword')} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        <p>${t('security.changeText')}</p>
        <${Problem} text=${problem} />
        <input class="visually-hidden" type="email" autocomplete="username" value=${email} readonly tabindex="-1" aria-hidden="true" />
        <${Field} label=${t('security.currentPassword')} type="password" value=${current}
          onInput=${(/** @type {string} */ value) => { setCurrent(value); setProblem(''); }} input=${{ autocomplete: 'current-password', required: true }} />
        <${Field} label=${t('security.newPassword')} type="password" value=${wanted}
          onInput=${(/** @type {string} */ value) => { setWanted(value); setProblem(''); }} hint=${t('link.hint', { count: shortest })}
          error=${checked && short ? t('link.passwordShort', { count: [...wanted].length, shortest }) : ''} input=${{ autocomplete: 'new-password', required: true }} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy || !current || !wanted}>${t('security.changeDo')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** @param {{ email: string, changedAt: number | null, shortest: number, provider?: string, reload: () => Promise<unknown> }} props */
export function Password({ email, changedAt, shortest, provider, reload }) {
  const [open, setOpen] = useState(false);
  const none = !changedAt && provider;
  const done = async () => {
    setOpen(false);
    toast(t('security.passwordChanged'));
    await reload();
  };
  return html`
    <section class="card" aria-labelledby="password-title">
      <div class="card-head">
        <div class="card-words">
          <h2 id="password-title">${t('signIn.password')}</h2>
          <p class="quiet-text">${changedAt ? t('security.passwordSince', { date: dateOf(changedAt) }) : none ? t('provider.noPassword', { name: provider }) : t('security.passwordSet')}</p>
        </div>
        ${!none && html`<button type="button" class="button" onClick=${() => setOpen(true)}>${t('security.changePassword')}…</button>`}
      </div>
      ${open && html`<${ChangeDialog} email=${email} shortest=${shortest} onDone=${() => void done()} onClose=${() => setOpen(false)} />`}
    </section>`;
}
