// An erasure as the person sees it: asked for, under way, done, with the receipt in plain words.

/** @import { ErasureResult, ErasureStatus } from '../api-privacy.js' */
/** @import { Key } from '../i18n.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import { inspectErasure } from '../api-privacy.js';
import { dateOf, momentOf, t, tn } from '../i18n.js';
import { LOOK_AGAIN_MS, isMoving, mayBeKept, stepsOf, totalsOf } from '../models/erasures.js';
import { Problem, Waiting, useAct } from './act.js';
import { Toast, toast } from './toast.js';
import { Icon, Note, Page, copy, html, saveFile, useFocus } from './ui.js';

/** @type {Record<string, Key>} */
const RECIPIENTS = {
  'participants of the room': 'recipient.room', "the room's owner": 'recipient.owner', administrators: 'recipient.administrators',
  'data protection officers': 'recipient.officers', "the operator's mail server": 'recipient.mail', backups: 'recipient.backups',
};

/** @param {string} status */
export const statusLink = (status) => new URL(`/erasure#${status}`, location.origin).href;

/** The receipt of an erasure, sentence by sentence. @param {ErasureResult} result @returns {string[]} */
export function sentencesOf(result) {
  const { deleted, anonymised, held, files, rooms } = totalsOf(result);
  const recipients = result.recipients.map((name) => (RECIPIENTS[name] ? t(RECIPIENTS[name]) : name));
  return [
    tn('result.deleted', deleted),
    anonymised ? tn('result.anonymised', anonymised) : '',
    files ? tn('result.files', files) : '',
    rooms ? tn('result.rooms', rooms) : '',
    held ? tn('result.held', held) : '',
    result.files_left ? tn('result.filesLeft', result.files_left) : '',
    t(`result.search.${result.search}`),
    result.backups_until_ms === null ? t('result.backupsAlways') : t('result.backups', { date: dateOf(result.backups_until_ms) }),
    result.mail_queued ? t('result.mail') : '',
    recipients.length ? t('result.recipients', { list: recipients.join(', ') }) : '',
  ].filter(Boolean);
}

/** @param {ErasureStatus} status */
function asText(status) {
  const steps = stepsOf(status).map((step) => `${momentOf(step.at)}: ${t(`step.${step.state}`)}`);
  const result = status.result ? sentencesOf(status.result) : [];
  return `${[t('erasure.title'), t('erasure.number', { id: status.request }), '', ...steps, '', ...result].join('\n')}\n`;
}

/** The link that shows how far it is: to be kept, because it stands nowhere else. @param {{ status: string }} props */
function StatusLink({ status }) {
  const url = statusLink(status);
  const take = async () => toast(await copy(url) ? t('rooms.copied') : t('rooms.copyFailed', { url }));
  const save = () => saveFile('pymeet-erasure.txt', new Blob([`${t('erasure.linkText')}\n\n${url}\n`], { type: 'text/plain' }));
  return html`
    <div class="link-box">
      <a href=${url}>${url}</a>
      <div class="actions">
        <button type="button" class="button" onClick=${save}>${t('erasure.saveLink')}</button>
        <button type="button" class="button" onClick=${() => void take()}>${t('erasure.copyLink')}</button>
      </div>
    </div>`;
}

/** What a member sees who has just asked. @param {{ status: string, erasedAfter: number }} props */
export function ErasureAsked({ status, erasedAfter }) {
  const title = useFocus();
  const waits = erasedAfter > Date.now();
  return html`
    <${Page} narrow>
      <section class="statement">
        <h1 tabindex="-1" ref=${title}>${t(waits ? 'erasure.askedTitle' : 'erasure.nowTitle')}</h1>
        <p>${waits ? t('erasure.asked', { moment: momentOf(erasedAfter) }) : t('erasure.now')}</p>
        ${waits && html`<p>${t('erasure.howToKeep')}</p>`}
        <p>${t('erasure.linkText')}</p>
        <${StatusLink} status=${status} />
        <div class="actions">
          ${waits && html`<a class="button" href="/sign-in">${t('start.signIn')}</a>`}
          <a class="button" href="/">${t('app.back')}</a>
        </div>
      </section>
      <${Toast} />
    </${Page}>`;
}

/** @param {{ status: ErasureStatus }} props */
function Timeline({ status }) {
  return html`
    <ol class="steps">
      ${stepsOf(status).map((step) => html`<li key=${`${step.state}${step.at}`}><span>${t(`step.${step.state}`)}</span><span class="quiet-text">${momentOf(step.at)}</span></li>`)}
      ${mayBeKept(status, Date.now()) && html`
        <li class="ahead"><span>${t('step.ahead')}</span><span class="quiet-text">${momentOf(status.erased_after ?? 0)}</span></li>`}
      ${isMoving(status, Date.now()) && html`<li class="ahead"><span class="waiting"><${Icon} name="loader-circle" class="turning" />${t('step.moving')}</span></li>`}
    </ol>`;
}

/** How far an erasure is, and its receipt in the end. @param {{ token: string, whole?: boolean }} props */
export function ErasureStatusView({ token, whole = true }) {
  const [status, setStatus] = useState(/** @type {ErasureStatus | null} */ (null));
  const { problem, act } = useAct();
  const load = () => act(async () => setStatus(await inspectErasure(token)));
  useEffect(() => { void load(); }, [token]);
  const moving = status !== null && isMoving(status, Date.now());
  useEffect(() => {
    if (!moving) return undefined;
    const timer = setInterval(() => void load(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [moving]);
  const save = () => status && saveFile('pymeet-erasure-receipt.txt', new Blob([asText(status)], { type: 'text/plain' }));
  if (!status) return html`<${Waiting} problem=${problem} />`;
  const { result } = status;
  return html`
    <div class="erasure">
      <div role="status"><p class="erasure-state">${t(`erasure.is.${status.state}`)}</p></div>
      <${Problem} text=${problem} />
      ${mayBeKept(status, Date.now()) && html`
        <${Note}><p>${t('erasure.asked', { moment: momentOf(status.erased_after ?? 0) })} ${t('erasure.howToKeep')}</p>
          <a class="button" href="/sign-in">${t('start.signIn')}</a></${Note}>`}
      <section class="card"><h2>${t('erasure.steps')}</h2><${Timeline} status=${status} /></section>
      ${result && html`
        <section class="card">
          <h2>${t('erasure.receipt')}</h2>
          <ul class="points">${sentencesOf(result).map((line) => html`<li>${line}</li>`)}</ul>
          <p class="quiet-text">${t('erasure.number', { id: status.request })}</p>
        </section>`}
      <div class="actions no-print">
        ${result && html`
          <button type="button" class="button" onClick=${save}>${t('erasure.save')}</button>
          <button type="button" class="button" onClick=${() => window.print()}>${t('erasure.print')}</button>`}
        ${whole && html`<a class="button" href="/">${t('app.back')}</a>`}
      </div>
      ${!whole && html`<p class="quiet-text no-print">${t('erasure.linkText')}</p><${StatusLink} status=${token} />`}
    </div>`;
}
