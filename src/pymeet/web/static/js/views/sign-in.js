// The first step of signing in: a password or a passkey, and the ways for those who have neither at hand.

/** @import { Me, SignedIn } from '../api.js' */
import { useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { passkeyOptions, signInByPasskey } from '../api-accounts.js';
import { t } from '../i18n.js';
import { waysIn } from '../models/account.js';
import { Problem, wordsFor as refusal } from './act.js';
import { passkeysWork, showPasskey } from './passkey.js';
import { ProviderButton } from './provider-button.js';
import { Field, Icon, html } from './ui.js';

/** @param {unknown} error */
function wordsFor(error) {
  const wrong = error instanceof api.ApiError && error.code === 'wrong_credentials';
  return wrong ? t('signIn.wrong') : refusal(error);
}

/** @param {{ me: Me | null, onLink: () => void }} props */
function OtherWays({ me, onLink }) {
  const ways = waysIn(me);
  return html`
    <div class="other-ways">
      ${ways.mail && html`<button type="button" class="text-button" onClick=${onLink}>${t('signIn.byLink')}</button>`}
      ${ways.mail && html`<a class="text-button" href="/forgot">${t('signIn.lost')}</a>`}
      ${ways.register && html`<a class="text-button" href="/register">${t('signIn.register')}</a>`}
    </div>
    ${me && !ways.mail && html`<p class="quiet-text">${t('signIn.forgot')}</p>`}
    ${ways.mail && !ways.register && html`<p class="quiet-text">${t('signIn.byInvitation')}</p>`}`;
}

/**
 * @param {object} props
 * @param {Me | null} props.me
 * @param {string} props.next where to go on afterwards
 * @param {string} props.email
 * @param {(email: string) => void} props.onEmail
 * @param {string} [props.problem] why one is back here
 * @param {(answer: SignedIn) => void} props.onAnswer
 * @param {(pending: { password: string, detail: string }) => void} props.onPending the account waits to be erased
 * @param {() => void} props.onLink
 */
export function SignInForm({ me, next, email, onEmail, problem: before = '', onAnswer, onPending, onLink }) {
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState(before);
  const [busy, setBusy] = useState(false);
  const [anyway, setAnyway] = useState(false);
  const provider = me?.oidc;
  const run = async (/** @type {() => Promise<SignedIn>} */ work) => {
    setBusy(true);
    setProblem('');
    try {
      onAnswer(await work());
    } catch (error) {
      if (error instanceof api.ApiError && error.code === 'erasure_pending') onPending({ password, detail: error.message });
      else setProblem(wordsFor(error));
      setBusy(false);
    }
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void run(() => api.signIn(email.trim(), password));
  };
  const byPasskey = () => void run(async () => {
    const { ticket, options } = await passkeyOptions();
    return signInByPasskey(ticket, await showPasskey(options));
  });
  if (provider?.only && !anyway) {
    return html`
      <section class="card account" aria-labelledby="sign-in-title">
        <h1 id="sign-in-title">${t('signIn.title')}</h1>
        <${Problem} text=${problem} />
        <p>${t('provider.only', { name: provider.name })}</p>
        <${ProviderButton} name=${provider.name} next=${next} primary />
        <div class="other-ways"><button type="button" class="text-button" onClick=${() => setAnyway(true)}>${t('provider.admin')}</button></div>
      </section>`;
  }
  return html`
    <form class="card account" onSubmit=${submit}>
      <h1>${t('signIn.title')}</h1>
      <${Problem} text=${problem} />
      ${provider && html`
        <${ProviderButton} name=${provider.name} next=${next} />
        <p class="or"><span>${t('signIn.or')}</span></p>`}
      <${Field} label=${t('signIn.email')} type="email" value=${email} onInput=${onEmail}
        input=${{ autocomplete: 'username', required: true, autofocus: true }} />
      <${Field} label=${t('signIn.password')} type="password" value=${password} onInput=${setPassword}
        input=${{ autocomplete: 'current-password', required: true }} />
      <button type="submit" class="button primary wide" disabled=${busy}>${t('signIn.do')}</button>
      ${passkeysWork() && html`
        ${!provider && html`<p class="or"><span>${t('signIn.or')}</span></p>`}
        <button type="button" class="button wide" disabled=${busy} onClick=${byPasskey}><${Icon} name="fingerprint" />${t('signIn.passkey')}</button>`}
      <${OtherWays} me=${me} onLink=${onLink} />
    </form>`;
}
