// One more step after the password or a link: a code, a passkey, or a recovery code.

/** @import { SecondFactor, User } from '../api.js' */
/** @import { Way } from '../models/second-factor.js' */
import { useEffect, useRef, useState } from '../../vendor/preact-hooks.js';
import { ApiError } from '../api.js';
import { answerSecondFactor } from '../api-accounts.js';
import { lengthOf, t } from '../i18n.js';
import { digitsOf, waysOf } from '../models/second-factor.js';
import { Problem, useAct } from './act.js';
import { passkeysWork, showPasskey } from './passkey.js';
import { Field, Icon, html } from './ui.js';

const INPUTS = /** @type {const} */ ({
  totp: { autocomplete: 'one-time-code', inputmode: 'numeric', maxlength: 12, required: true, 'aria-describedby': 'factor-text' },
  recovery: { autocomplete: 'off', autocapitalize: 'none', spellcheck: false, maxlength: 60, required: true, 'aria-describedby': 'factor-text' },
});

/** @param {{ way: Way, onChange: (way: Way) => void, ways: Way[] }} props */
function OtherWays({ way, ways, onChange }) {
  const others = ways.filter((each) => each !== way);
  return others.length > 0 && html`
    <div class="other-ways">
      ${others.map((each) => html`<button type="button" class="text-button" onClick=${() => onChange(each)}>${t(`factor.instead.${each}`)}</button>`)}
    </div>`;
}

/**
 * @param {object} props
 * @param {SecondFactor} props.factor
 * @param {(user: User) => void} props.onDone
 * @param {(problem: string) => void} props.onOver the time or the number of tries is over, or the person goes back
 */
export function SecondFactorForm({ factor, onDone, onOver }) {
  const ways = waysOf(factor.methods, passkeysWork());
  const [way, setWay] = useState(ways[0]);
  const [typed, setTyped] = useState('');
  const [remember, setRemember] = useState(false);
  const { busy, problem, setProblem, act } = useAct();
  const form = useRef(/** @type {HTMLElement | null} */ (null));
  // Where one types, or the title where there is nothing to type.
  useEffect(() => /** @type {HTMLElement | null | undefined} */ (form.current?.querySelector(way === 'totp' || way === 'recovery' ? '.field input' : 'h1'))?.focus(), [way]);
  const change = (/** @type {Way} */ wanted) => { setWay(wanted); setTyped(''); setProblem(''); };
  const proof = async () => {
    if (way === 'passkey') return { credential: await showPasskey(factor.passkey) };
    return way === 'totp' ? { code: digitsOf(typed) } : { recovery_code: typed.trim() };
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => {
      try {
        const { user } = await answerSecondFactor({ ticket: factor.ticket, remember, ...await proof() });
        if (user) onDone(user);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'ticket_void') throw error;
        onOver(t('factor.over'));
      }
    });
  };
  const days = factor.remember_days ?? 0;
  return html`
    <form class="card account" ref=${form} onSubmit=${submit} aria-labelledby="factor-title">
      <h1 id="factor-title" tabindex="-1">${t('factor.title')}</h1>
      <p id="factor-text">${way ? t(`factor.text.${way}`) : t('factor.none')}</p>
      <${Problem} text=${problem} />
      ${(way === 'totp' || way === 'recovery') && html`
        <${Field} key=${way} label=${t(`factor.field.${way}`)} value=${typed} input=${INPUTS[way]}
          onInput=${(/** @type {string} */ value) => { setTyped(value); setProblem(''); }} />`}
      ${way && days > 0 && html`
        <label class="check"><input type="checkbox" checked=${remember} onChange=${() => setRemember(!remember)} />
          <span>${t('factor.remember', { days: lengthOf(days, 'day') })}<span class="quiet-text block">${t('factor.rememberHint')}</span></span></label>`}
      ${way && html`
        <button type="submit" class="button primary wide" disabled=${busy}>
          ${way === 'passkey' && html`<${Icon} name="fingerprint" />`}${t(way === 'passkey' ? 'passkey.use' : 'factor.do')}</button>`}
      <${OtherWays} way=${way} ways=${ways} onChange=${change} />
      <div class="other-ways"><button type="button" class="text-button" onClick=${() => onOver('')}>${t('factor.back')}</button></div>
    </form>`;
}
