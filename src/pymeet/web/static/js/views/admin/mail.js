// The mails that wait and those that were given up: trying again, and dropping.

/** @import { MailPage, MailState, QueuedMail } from '../../api-server.js' */
import { useEffect, useRef, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-server.js';
import { hasWords, momentOf, numberOf, t, tn } from '../../i18n.js';
import { countOf, kindsIn } from '../../models/mails.js';
import { Problem, Waiting, useAct } from '../act.js';
import { toast } from '../toast.js';
import { ConfirmDialog, Note, html } from '../ui.js';
import { Select, Table } from './parts.js';

const AT_ONCE = 50;
const STATES = /** @type {const} */ (['waiting', 'failed']);

/** What a newer server knows beside these stays a word of the program. @param {string} key @param {string} word */
const wordsFor = (key, word) => (hasWords(key) ? t(key) : word);
const kindWords = (/** @type {string} */ kind) => wordsFor(`mailKind.${kind}`, kind);
const errorWords = (/** @type {string} */ error) => wordsFor(`mailError.${error}`, error);

/** @param {{ mail: QueuedMail, busy: boolean, canSend: boolean, onRetry: () => void, onDrop: () => void }} props */
function Row({ mail, busy, canSend, onRetry, onDrop }) {
  const waits = mail.state === 'waiting';
  const moment = waits ? mail.next_try_at : mail.failed_at;
  return html`
    <tr>
      <th scope="row"><span class="kept-title">${kindWords(mail.kind)}</span> <span class="quiet-text">${mail.to}</span></th>
      <td data-label=${t('mails.queued')}>${momentOf(mail.created_at)}</td>
      <td data-label=${t(waits ? 'mails.next' : 'mails.givenUp')}>${moment && momentOf(moment)}</td>
      <td data-label=${t('mails.tries')}><span>${numberOf(mail.tries)}</span>${mail.error && html`<span class="quiet-text">${errorWords(mail.error)}</span>`}</td>
      ${waits && html`
        <td class="cell-actions">
          ${canSend && html`<button type="button" class="button small" disabled=${busy} aria-label=${t('mails.retryOf', { to: mail.to })} onClick=${onRetry}>${t('mails.retry')}</button>`}
          <button type="button" class="button small danger-quiet" aria-label=${t('mails.dropOf', { to: mail.to })} onClick=${onDrop}>${t('mails.drop')}…</button></td>`}
    </tr>`;
}

export function MailQueue() {
  const [state, setState] = useState(/** @type {MailState} */ ('waiting'));
  const [kind, setKind] = useState('');
  const [page, setPage] = useState(/** @type {MailPage | null} */ (null));
  const [dropping, setDropping] = useState(/** @type {QueuedMail | null} */ (null));
  const { busy, problem, act } = useAct();
  const asked = useRef('');
  const read = async (/** @type {QueuedMail[]} */ before = [], /** @type {string} */ after = '') => {
    const wanted = `${state} ${kind}`;
    asked.current = wanted;
    const found = await api.mails({ state, kind, after, limit: AT_ONCE });
    // What was chosen meanwhile has asked again.
    if (asked.current === wanted) setPage({ ...found, mails: [...before, ...found.mails] });
  };
  useEffect(() => void act(() => read()), [state, kind]);
  const then = (/** @type {() => Promise<string>} */ work) => void act(async () => {
    toast(await work());
    await read();
  });
  const choose = (/** @type {MailState} */ chosen) => { setState(chosen); setKind(''); };
  const retryAll = () => then(async () => tn('mails.retriedAll', (await api.retryAll()).count));
  const retry = (/** @type {string} */ id) => then(async () => { await api.retryMail(id); return t('mails.retried'); });
  const drop = (/** @type {string} */ id) => then(async () => { await api.dropMail(id); return t('mails.dropped'); });
  const kinds = page ? kindsIn(page.kinds, state) : [];
  const columns = [t('mails.mail'), t('mails.queued'), t(state === 'waiting' ? 'mails.next' : 'mails.givenUp'), t('mails.tries'), ...(state === 'waiting' ? [''] : [])];
  return html`
    <section class="admin-part" aria-labelledby="mails-title">
      <div class="part-head">
        <div><h1 id="mails-title">${t('mails.title')}</h1><p class="quiet-text">${t('mails.lead')}</p></div>
        ${state === 'waiting' && page?.on && countOf(page.kinds, 'waiting') > 0 && html`<div class="part-tools"><button type="button" class="button" disabled=${busy} onClick=${retryAll}>${t('mails.retryAll')}</button></div>`}
      </div>
      ${page && !page.on && html`<${Note} tone="amber" icon="circle-alert"><p>${t('mails.off')}</p></${Note}>`}
      ${page && html`
        <div class="mail-choice">
          <div class="tabs" role="group" aria-label=${t('mails.states')}>
            ${STATES.map((each) => html`<button key=${each} type="button" aria-pressed=${String(each === state)} onClick=${() => choose(each)}>
              ${t(`mails.${each}`, { count: numberOf(countOf(page.kinds, each)) })}</button>`)}
          </div>
          ${kinds.length > 1 && html`<${Select} label=${t('mails.kind')} value=${kind} onChange=${setKind}
            options=${[['', t('mails.all')], ...kinds.map((each) => [each, kindWords(each)])]} />`}
        </div>`}
      <${Problem} text=${page ? problem : ''} />
      ${!page && html`<${Waiting} problem=${problem} />`}
      <div role="status">${page?.mails.length === 0 && html`<p class="empty">${t(`mails.none.${state}`)}</p>`}</div>
      ${page && page.mails.length > 0 && html`
        <${Table} class=${state === 'waiting' ? 'two-actions' : ''} label=${t('mails.title')} columns=${columns}>
          ${page.mails.map((mail) => html`<${Row} key=${mail.id} mail=${mail} busy=${busy} canSend=${page.on}
            onRetry=${() => retry(mail.id)} onDrop=${() => setDropping(mail)} />`)}
        </${Table}>
        ${state === 'failed' && html`<p class="quiet-text">${t('mails.over')}</p>`}`}
      ${page?.next && html`<div class="actions"><button type="button" class="button" disabled=${busy} onClick=${() => void act(() => read(page.mails, page.next ?? ''))}>${t('members.more')}</button></div>`}
      ${dropping && html`
        <${ConfirmDialog} title=${t('mails.dropTitle')} plan=${[t('mails.dropPlan', { kind: kindWords(dropping.kind), to: dropping.to })]} action=${t('mails.dropDo')}
          onConfirm=${() => drop(dropping.id)} onClose=${() => setDropping(null)} />`}
    </section>`;
}
