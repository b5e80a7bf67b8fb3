// Codes from an app: setting it up with a picture to scan, and taking it away.

/** @import { TotpSetup } from '../../api-accounts.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { beginTotp, confirmTotp } from '../../api-accounts.js';
import { t } from '../../i18n.js';
import { digitsOf, grouped, pictureOf } from '../../models/second-factor.js';
import { Problem, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, Icon, copy, html } from '../ui.js';
import { PasswordDialog } from './parts.js';

/** @param {{ setup: TotpSetup, onCodes: (codes: string[]) => void, onClose: () => void }} props */
function Scan({ setup, onCodes, onClose }) {
  const [typed, setTyped] = useState('');
  const { busy, problem, setProblem, act } = useAct();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => onCodes((await confirmTotp(digitsOf(typed))).recovery_codes));
  };
  const copySecret = async () => toast(t(await copy(setup.secret) ? 'totp.copied' : 'codes.notCopied'));
  return html`
    <${Dialog} title=${t('totp.title')} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        <ol class="numbered">
          <li>
            <p>${t('totp.scan')}</p>
            <img class="qr" src=${pictureOf(setup.qr_svg)} alt=${t('totp.picture')} width="184" height="184" />
            <details class="by-hand">
              <summary>${t('totp.byHand')}</summary>
              <p class="secret"><code>${grouped(setup.secret)}</code>
                <button type="button" class="button small" onClick=${() => void copySecret()}><${Icon} name="copy" />${t('codes.copy')}</button></p>
              <p class="quiet-text"><a href=${setup.uri}>${t('totp.open')}</a></p>
            </details>
          </li>
          <li>
            <p>${t('totp.enter')}</p>
            <${Problem} text=${problem} />
            <${Field} label=${t('factor.field.totp')} value=${typed} onInput=${(/** @type {string} */ value) => { setTyped(value); setProblem(''); }}
              input=${{ autocomplete: 'one-time-code', inputmode: 'numeric', maxlength: 12, required: true }} />
          </li>
        </ol>
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy || digitsOf(typed).length < 6}>${t('totp.do')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** @param {{ onCodes: (codes: string[]) => void, onClose: () => void }} props */
export function SetUpTotp({ onCodes, onClose }) {
  const [setup, setSetup] = useState(/** @type {TotpSetup | null} */ (null));
  if (setup) return html`<${Scan} key="scan" setup=${setup} onCodes=${onCodes} onClose=${onClose} />`;
  return html`<${PasswordDialog} key="password" title=${t('totp.title')} text=${t('totp.first')} action=${t('totp.next')} onClose=${onClose}
    work=${async (/** @type {string} */ password) => setSetup(await beginTotp(password))} />`;
}
