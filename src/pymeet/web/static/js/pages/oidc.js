// /oidc/callback: where the organisation's provider sends people back to. What they come with stands in the address, and
// is taken out of it before anything else happens.

/** @import { SecondFactor, User } from '../api.js' */
import '../accounts-words.js';
import { signal } from '../../vendor/signals-core.js';
import * as api from '../api.js';
import { beginSignIn, finishSignIn } from '../api-oidc.js';
import { t } from '../i18n.js';
import { safePath } from '../models/slugs.js';
import { wordsFor } from '../views/act.js';
import { PendingErasure } from '../views/pending-erasure.js';
import { SecondFactorForm } from '../views/second-factor.js';
import { adopt } from '../views/signed-in.js';
import { Page, Statement, html, start } from '../views/ui.js';

/**
 * @typedef {{ name: 'working' } | { name: 'factor', factor: SecondFactor, next: string } | { name: 'pending', detail: string }
 *   | { name: 'failed', text: string, back: string }} Step
 */

const given = new URLSearchParams(location.search);
history.replaceState(null, '', location.pathname);

const step = signal(/** @type {Step} */ ({ name: 'working' }));

/** This page must not be come back to: what it was opened with is used up. @param {User} user @param {string} next */
function goOn(user, next) {
  adopt(user);
  location.replace(safePath(next));
}

/** @param {unknown} error @returns {Step} */
function failed(error) {
  if (!(error instanceof api.ApiError)) throw error;
  if (error.code === 'erasure_pending') return { name: 'pending', detail: error.message };
  const here = ['oidc_taken', 'confirm_failed'].includes(error.code);
  return { name: 'failed', text: wordsFor(error), back: here ? '/security' : '/sign-in' };
}

async function finish() {
  const [state, code, iss] = ['state', 'code', 'iss'].map((name) => given.get(name));
  if (!state || !code) {
    // A word of the standard; anything else that stands there is not for us to repeat.
    const refused = given.get('error') === 'access_denied' ? 'provider.denied' : 'provider.nothing';
    step.value = { name: 'failed', text: t(refused), back: '/sign-in' };
    return;
  }
  try {
    const answer = await finishSignIn({ state, code, ...(iss ? { iss } : {}) });
    if (answer.second_factor) step.value = { name: 'factor', factor: answer.second_factor, next: answer.return_to };
    else if (answer.user) goOn(answer.user, answer.return_to);
  } catch (error) {
    step.value = failed(error);
  }
}

/** @returns {Promise<import('../api.js').SignedIn>} */
async function keep() {
  location.assign((await beginSignIn('/', true)).url);
  return {};
}

function CameBack() {
  const now = step.value;
  if (now.name === 'pending') return html`<${PendingErasure} detail=${now.detail} keep=${keep} onKept=${() => {}} />`;
  if (now.name === 'failed') {
    return html`
      <${Statement} title=${t('provider.failed')} text=${now.text}>
        <a class="button primary" href=${now.back}>${t(now.back === '/security' ? 'security.title' : 'provider.again')}</a>
        <a class="button" href="/">${t('app.back')}</a>
      </${Statement}>`;
  }
  if (now.name === 'working') return html`<${Page} narrow><p class="quiet-text" role="status">${t('provider.working')}</p></${Page}>`;
  const over = (/** @type {string} */ problem) => {
    if (problem) step.value = { name: 'failed', text: problem, back: '/sign-in' };
    else location.replace('/sign-in');
  };
  return html`
    <${Page} narrow>
      <${SecondFactorForm} factor=${now.factor} onDone=${(/** @type {User} */ user) => goOn(user, now.next)} onOver=${over} />
    </${Page}>`;
}

void start('signIn.title', () => html`<${CameBack} />`).then(finish);
