// /link#<token>: a one-time link, for whatever it is. Opening the page uses nothing up: only a press of the button does,
// so that programs which look into mails cannot spend the link.

/** @import { LinkInfo, Me, SecondFactor, SignedIn, User } from '../api.js' */
/** @import { Asked } from '../models/account.js' */
import '../accounts-words.js';
import { signal } from '../../vendor/signals-core.js';
import { useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { SHORTEST_PASSWORD, accountErrors, askedBy } from '../models/account.js';
import { Problem, useAct } from '../views/act.js';
import { ProviderButton } from '../views/provider-button.js';
import { SecondFactorForm } from '../views/second-factor.js';
import { goOn } from '../views/signed-in.js';
import { Field, Page, Statement, html, start } from '../views/ui.js';

/** @typedef {{ name: 'form', link: LinkInfo, me: Me | null } | { name: 'factor', factor: SecondFactor } | { name: 'moved' } | { name: 'signIn' }} Step */

const token = location.hash.slice(1);
const step = signal(/** @type {Step | 'invalid' | 'unreachable' | null} */ (null));

async function inspect() {
  step.value = null;
  try {
    if (!token) throw new api.ApiError('no_link', '', 404);
    const [link, me] = await Promise.all([api.inspectLink(token), api.me().catch(() => null)]);
    if (link.purpose === 'change_email' && me && !me.user) step.value = { name: 'signIn' };
    else step.value = askedBy(link.purpose) ? { name: 'form', link, me } : 'invalid';
  } catch (error) {
    const refused = error instanceof api.ApiError && error.status > 0 && error.status < 500 && error.status !== 429;
    step.value = refused ? 'invalid' : 'unreachable';
  }
}

/** @param {User} user */
const done = (user) => goOn(user, '/');

/** @param {SignedIn} answer @param {LinkInfo} link */
function answered({ user, second_factor: factor }, link) {
  if (link.purpose === 'change_email') step.value = { name: 'moved' };
  else if (factor) step.value = { name: 'factor', factor };
  else if (user) done(user);
}

/** @param {{ link: LinkInfo, me: Me | null }} props */
function LinkForm({ link, me }) {
  const asked = /** @type {Asked} */ (askedBy(link.purpose));
  const shortest = me?.minimum_password ?? SHORTEST_PASSWORD;
  const [given, setGiven] = useState({ name: link.name ?? '', email: link.email ?? '', password: '' });
  const [checked, setChecked] = useState(false);
  const { busy, problem, act } = useAct();
  const set = (/** @type {'name' | 'email' | 'password'} */ key) => (/** @type {string} */ value) => setGiven({ ...given, [key]: value });
  const errors = accountErrors(given, asked, shortest);
  const shown = checked ? errors : {};
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setChecked(true);
    if (Object.keys(errors).length > 0) {
      // The fields are marked only after the next render.
      requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector('[aria-invalid="true"]'))?.focus());
      return;
    }
    const wanted = { token, name: given.name.trim(), email: given.email.trim(), password: given.password };
    const keys = /** @type {const} */ (['name', 'email', 'password']).filter((key) => asked[key]);
    void act(async () => {
      try {
        answered(await api.redeemLink(Object.assign({ token }, ...keys.map((key) => ({ [key]: wanted[key] })))), link);
      } catch (error) {
        if (!(error instanceof api.ApiError) || error.code !== 'sign_in_first') throw error;
        step.value = { name: 'signIn' };
      }
    });
  };
  const email = link.email ?? '';
  return html`
    <form class="card account" onSubmit=${submit} novalidate>
      <h1>${t(`link.title.${link.purpose}`)}</h1>
      ${me?.oidc?.only && asked.password && link.purpose !== 'first_admin' && html`
        <p>${t('provider.only', { name: me.oidc.name })}</p>
        <${ProviderButton} name=${me.oidc.name} next="/" primary />
        <p class="or"><span>${t('signIn.or')}</span></p>`}
      <p>${t(`link.text.${link.purpose}`, { email })}</p>
      <${Problem} text=${problem} />
      ${asked.name && html`<${Field} label=${t('link.name')} value=${given.name} onInput=${set('name')} error=${shown.name && t('link.nameMissing')}
        input=${{ autocomplete: 'name', maxlength: 60, autofocus: true }} />`}
      ${asked.password && html`
        <${Field} label=${t('signIn.email')} type="email" value=${given.email} onInput=${set('email')} error=${shown.email && t('link.emailBad')}
          input=${{ autocomplete: 'username', readonly: !asked.email }} />
        <${Field} label=${t('link.password')} type="password" value=${given.password} onInput=${set('password')} hint=${t('link.hint', { count: shortest })}
          error=${shown.password && t('link.passwordShort', { count: [...given.password].length, shortest })}
          input=${{ autocomplete: 'new-password', autofocus: !asked.name }} />`}
      <button type="submit" class="button primary wide" disabled=${busy}>${t(`link.do.${link.purpose}`)}</button>
    </form>`;
}

function Link() {
  const now = step.value;
  if (now === 'invalid') {
    return html`<${Statement} title=${t('link.invalidTitle')} text=${t('link.invalid')}>
      <a class="button primary" href="/">${t('app.back')}</a><a class="button" href="/sign-in">${t('start.signIn')}</a></${Statement}>`;
  }
  if (now === 'unreachable') {
    return html`<${Statement} title=${t('link.laterTitle')} text=${t('start.unreachable')}>
      <button type="button" class="button primary" onClick=${() => void inspect()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!now) return html`<${Page} narrow><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  if (now.name === 'moved') {
    return html`<${Statement} title=${t('link.movedTitle')} text=${t('link.moved')}><a class="button primary" href="/profile">${t('menu.profile')}</a></${Statement}>`;
  }
  if (now.name === 'signIn') {
    return html`<${Statement} title=${t('link.signInTitle')} text=${t('link.signIn')}>
      <a class="button primary" href=${`/sign-in?next=/link#${token}`}>${t('start.signIn')}</a></${Statement}>`;
  }
  return html`
    <${Page} narrow>
      ${now.name === 'form' && html`<${LinkForm} link=${now.link} me=${now.me} />`}
      ${now.name === 'factor' && html`<${SecondFactorForm} factor=${now.factor} onDone=${done} onOver=${() => location.assign('/sign-in')} />`}
    </${Page}>`;
}

// Another link opened in this tab differs in its fragment only, for which the browser loads nothing.
window.addEventListener('hashchange', () => location.reload());
void inspect();
void start('app.name', () => html`<${Link} />`);
