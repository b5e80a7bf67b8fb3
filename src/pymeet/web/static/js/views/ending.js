// After the meeting, or instead of it: what happened and what one may do now. `refused.js` is for who never came in.

/** @import { Refusal } from './refused.js' */
/** @import { Ending } from '../types.js' */
import { t } from '../i18n.js';
import { SaveReceipt } from './receipt.js';
import { EntryRefused, signIn } from './refused.js';
import { Statement, html } from './ui.js';

const ENDS = /** @type {const} */ (['left', 'removed', 'ended', 'taken_over', 'signed_out', 'protocol_error']);
/** Refusals that read like those before the preview. @type {Record<string, Refusal>} */
const REFUSALS = { not_found: 'missing', not_allowed: 'barred', not_signed_in: 'closed', room_full: 'full', busy: 'busy', locked: 'locked' };

/** For guests. @param {{ receipt: string }} props */
function YourData({ receipt }) {
  return html`
    <section class="aside" aria-labelledby="your-data">
      <h2 id="your-data">${t('end.dataTitle')}</h2>
      <p>${t('end.data')}</p>
      <div class="actions"><a class="button" href="/guest-data">${t('end.dataOpen')}</a><${SaveReceipt} receipt=${receipt} /></div>
    </section>`;
}

/** For members who may watch it. */
function YourRecording() {
  return html`
    <section class="aside" aria-labelledby="your-recording">
      <h2 id="your-recording">${t('end.recordingTitle')}</h2>
      <p>${t('end.recording')}</p>
      <div class="actions"><a class="button" href="/recordings">${t('recording.open')}</a></div>
    </section>`;
}

/** @param {{ ending: Ending, receipt: string, recorded: boolean, onRejoin: () => void }} props */
export function EndingView({ ending, receipt, recorded, onRejoin }) {
  const refusal = REFUSALS[ending.code];
  if (refusal) return html`<${EntryRefused} why=${refusal} onRetry=${onRejoin} />`;
  if (ending.code === 'refused') return html`<${NotLetIn} reason=${ending.message} />`;
  const code = ENDS.find((known) => known === ending.code) ?? 'protocol_error';
  const out = code === 'signed_out';
  const final = code === 'removed' || out;
  const after = receipt ? html`<${YourData} receipt=${receipt} />` : recorded && html`<${YourRecording} />`;
  return html`
    <${Statement} title=${t(`end.${code}`)} text=${t(`end.${code}Text`)} after=${after}>
      ${!final && html`<button type="button" class="button primary" onClick=${onRejoin}>${t('end.rejoin')}</button>`}
      ${out && html`<a class="button primary" href=${signIn()}>${t('start.signIn')}</a>`}
      <a class=${final && !out ? 'button primary' : 'button'} href="/">${t('app.back')}</a>
    </${Statement}>`;
}

/** By a host, who may have said why. @param {{ reason: string }} props */
function NotLetIn({ reason }) {
  return html`
    <${Statement} title=${t('end.refused')} text=${reason ? t('end.refusedReason', { reason }) : t('end.refusedText')}>
      <a class="button primary" href="/">${t('app.back')}</a>
    </${Statement}>`;
}
