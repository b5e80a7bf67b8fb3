// The register: what people asked for, until when it must be answered, and the answer.

/** @import { Extension, RegisteredRequest } from '../../api-admin.js' */
/** @import { Decision, RightName } from '../../api-privacy.js' */
/** @import { Filter } from '../../models/register.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-admin.js';
import { dateOf, sentence, t, tn } from '../../i18n.js';
import { dayMs } from '../../models/periods.js';
import { receiptIn } from '../../models/receipts.js';
import { FILTERS, RIGHTS, decisionsFor, isWaiting, shown } from '../../models/register.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, Icon, html } from '../ui.js';
import { Radios, Select, Table } from './parts.js';

const EXTENSIONS = /** @type {const} */ (['complexity', 'number_of_requests']);

/** @param {RegisteredRequest} request */
const nameOf = (request) => request.who ?? t(`origin.${request.origin}`);

/** What the search looks at. @param {RegisteredRequest} request */
const textOf = (request) => `${nameOf(request)} ${t(`rightName.${request.right}`)} ${request.id}`.toLowerCase();

/** @param {{ request: RegisteredRequest }} props */
function Due({ request }) {
  if (!isWaiting(request)) return html`<span class="quiet-text">${t('admin.answered')}</span>`;
  const left = request.days_left;
  return html`
    <span>${dateOf(request.due_at)}</span>
    ${request.overdue
      ? html`<span class="mark late"><${Icon} name="circle-alert" />${left < 0 ? tn('admin.late', -left) : t('admin.lateToday')}</span>`
      : html`<span class=${left <= 7 ? 'mark soon' : 'quiet-text'}>${left ? tn('admin.left', left) : t('admin.today')}</span>`}`;
}

/** @param {{ request: RegisteredRequest, onDecide: () => void, onExtend: () => void }} props */
function Row({ request, onDecide, onExtend }) {
  const what = { right: t(`rightName.${request.right}`), who: nameOf(request) };
  return html`
    <tr>
      <th scope="row"><span class="kept-title">${what.right}</span><span>${what.who}</span><code>${request.id}</code></th>
      <td data-label=${t('admin.received')}>${dateOf(request.received_at)}</td>
      <td data-label=${t('admin.due')}><${Due} request=${request} /></td>
      <td data-label=${t('admin.state')}>${sentence(t(request.decision ? `decision.${request.decision}` : `state.${request.state}`))}</td>
      <td class="cell-actions">${isWaiting(request) && html`
        <button type="button" class="button small" aria-label=${t('admin.decideOf', what)} onClick=${onDecide}>${t('admin.decide')}</button>
        <button type="button" class="button small" aria-label=${t('admin.extendOf', what)} onClick=${onExtend}>${t('admin.extend')}</button>`}</td>
    </tr>`;
}

/** @param {{ onDone: () => void, onClose: () => void }} props */
function Register({ onDone, onClose }) {
  const today = new Date().toISOString().slice(0, 10);
  const [right, setRight] = useState(/** @type {RightName} */ ('access'));
  const [who, setWho] = useState('');
  const [day, setDay] = useState(today);
  const { busy, problem, act } = useAct();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const receipt = receiptIn(who);
    const person = receipt ? { receipt } : who.trim() ? { email: who.trim() } : {};
    const received = day === today ? null : dayMs(day, Date.now());
    void act(async () => {
      await api.register({ right, ...person, ...(received === null ? {} : { received_at: received }) });
      onDone();
    });
  };
  return html`
    <${Dialog} title=${t('admin.register')} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        <${Problem} text=${problem} />
        <${Select} label=${t('admin.right')} value=${right} onChange=${setRight} options=${RIGHTS.map((name) => [name, t(`rightName.${name}`)])} />
        <${Field} label=${t('admin.who')} value=${who} onInput=${setWho} hint=${t('admin.whoHint')} input=${{ autocomplete: 'off', spellcheck: false }} />
        <${Field} label=${t('admin.received')} type="date" value=${day} onInput=${setDay} hint=${t('admin.receivedHint')} input=${{ max: today, required: true }} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy}>${t('admin.registerDo')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/**
 * Deciding and extending ask for one word each.
 * @param {{ request: RegisteredRequest, kind: 'decide' | 'extend', onDone: () => void, onClose: () => void }} props
 */
function Answer({ request, kind, onDone, onClose }) {
  const [word, setWord] = useState('');
  const { busy, problem, act } = useAct();
  const deciding = kind === 'decide';
  const options = deciding
    ? decisionsFor(request.right).map((name) => [name, t(`decisionHint.${name}`)])
    : EXTENSIONS.map((name) => [name, t(`extension.${name}`)]);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => {
      await (deciding ? api.decide(request.id, /** @type {Decision} */ (word)) : api.extend(request.id, /** @type {Extension} */ (word)));
      onDone();
    });
  };
  return html`
    <${Dialog} title=${t(deciding ? 'admin.decideTitle' : 'admin.extendTitle')} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        <p>${t(`rightName.${request.right}`)} · ${nameOf(request)} · ${t('request.received', { date: dateOf(request.received_at) })}</p>
        <p class="quiet-text">${deciding ? t(request.right === 'erasure' ? 'admin.decideErasure' : 'admin.decideText') : t('admin.extendText', { date: dateOf(request.due_at) })}</p>
        <${Problem} text=${problem} />
        <${Radios} label=${t(deciding ? 'admin.decision' : 'admin.reason')} value=${word} onChange=${setWord} options=${options} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy || !word}>${t(deciding ? 'admin.decideDo' : 'admin.extendDo')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** @typedef {{ kind: 'register' } | { kind: 'decide' | 'extend', request: RegisteredRequest }} Open */

export function Requests() {
  const { value, problem, reload } = useLoaded(api.requests);
  const [filter, setFilter] = useState(/** @type {Filter} */ ('waiting'));
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState(/** @type {Open | null} */ (null));
  const close = () => setOpen(null);
  const done = async (/** @type {string} */ words) => { close(); await reload(); toast(words); };
  const wanted = search.trim().toLowerCase();
  const rows = value && shown(value.requests, filter).filter((each) => textOf(each).includes(wanted));
  return html`
    <section class="admin-part" aria-labelledby="requests-title">
      <div class="part-head">
        <h2 id="requests-title">${t('admin.tab.requests')}</h2>
        <div class="part-tools">
          <${Field} label=${t('admin.search')} value=${search} onInput=${setSearch} input=${{ type: 'search', autocomplete: 'off' }} />
          <${Select} label=${t('admin.show')} value=${filter} onChange=${setFilter} options=${FILTERS.map((name) => [name, t(`admin.filter.${name}`)])} />
          <button type="button" class="button primary" onClick=${() => setOpen({ kind: 'register' })}><${Icon} name="plus" />${t('admin.register')}</button>
        </div>
      </div>
      ${!rows && html`<${Waiting} problem=${problem} />`}
      ${rows?.length === 0 && html`<p class="empty">${wanted ? t('admin.noMatch') : t(`admin.noRequests.${filter}`)}</p>`}
      ${rows && rows.length > 0 && html`
        <${Table} class="two-actions" label=${t('admin.tab.requests')} columns=${[t('admin.request'), t('admin.received'), t('admin.due'), t('admin.state'), '']}>
          ${rows.map((request) => html`<${Row} key=${request.id} request=${request} onDecide=${() => setOpen({ kind: 'decide', request })}
            onExtend=${() => setOpen({ kind: 'extend', request })} />`)}
        </${Table}>`}
      ${open?.kind === 'register' && html`<${Register} onDone=${() => void done(t('admin.registered'))} onClose=${close} />`}
      ${open && open.kind !== 'register' && html`
        <${Answer} key=${open.kind} request=${open.request} kind=${open.kind} onClose=${close}
          onDone=${() => void done(t(open.kind === 'decide' ? 'admin.decided' : 'admin.extended'))} />`}
    </section>`;
}
