// /sign-in: password or passkey, then the second factor where there is one; or a link by mail.

/** @import { Me, SecondFactor, SignedIn, User } from '../api.js' */
import '../accounts-words.js';
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { sendSignInLink } from '../api-accounts.js';
import { cancelErasure } from '../api-privacy.js';
import { t } from '../i18n.js';
import { safePath } from '../models/slugs.js';
import { LookIntoMail, MailForm } from '../views/mail-form.js';
import { PendingErasure } from '../views/pending-erasure.js';
import { SecondFactorForm } from '../views/second-factor.js';
import { SignInForm } from '../views/sign-in.js';
import { goOn } from '../views/signed-in.js';
import { Page, html, start } from '../views/ui.js';

// A link's token comes along in the fragment, which no server sees.
const next = safePath(new URLSearchParams(location.search).get('next')) + location.hash;

/**
 * @typedef {{ name: 'password', problem?: string } | { name: 'factor', factor: SecondFactor } | { name: 'link' } | { name: 'sent' }
 *   | { name: 'pending', password: string, detail: string }} Step
 */

function SignIn() {
  const [me, setMe] = useState(/** @type {Me | null} */ (null));
  const [email, setEmail] = useState('');
  const [step, setStep] = useState(/** @type {Step} */ ({ name: 'password' }));
  // Which other ways there are is known a moment later; without an answer the password still works.
  useEffect(() => { void api.me().then(setMe, () => {}); }, []);
  const done = (/** @type {User} */ user) => goOn(user, next);
  const answered = (/** @type {SignedIn} */ { user, second_factor: factor }) => {
    if (factor) setStep({ name: 'factor', factor });
    else if (user) done(user);
  };
  const back = html`<div class="other-ways"><button type="button" class="text-button" onClick=${() => setStep({ name: 'password' })}>${t('factor.back')}</button></div>`;
  if (step.name === 'pending') {
    return html`<${PendingErasure} detail=${step.detail} keep=${() => cancelErasure(email.trim(), step.password)} onKept=${answered} />`;
  }
  return html`
    <${Page} narrow>
      ${step.name === 'password' && html`<${SignInForm} me=${me} next=${next} email=${email} onEmail=${setEmail} problem=${step.problem} onAnswer=${answered}
        onPending=${(/** @type {any} */ pending) => setStep({ name: 'pending', ...pending })} onLink=${() => setStep({ name: 'link' })} />`}
      ${step.name === 'factor' && html`<${SecondFactorForm} factor=${step.factor} onDone=${done}
        onOver=${(/** @type {string} */ problem) => setStep({ name: 'password', problem })} />`}
      ${step.name === 'link' && html`<${MailForm} title=${t('byLink.title')} text=${t('byLink.text')} action=${t('byLink.do')} email=${email}
        send=${sendSignInLink} onSent=${(/** @type {string} */ sent) => { setEmail(sent); setStep({ name: 'sent' }); }}>${back}</${MailForm}>`}
      ${step.name === 'sent' && html`<${LookIntoMail} title=${t('mail.title')} text=${t('byLink.sent', { email })}>${back}</${LookIntoMail}>`}
    </${Page}>`;
}

void start('signIn.title', () => html`<${SignIn} />`);
