// Legal holds: what must not be deleted yet. No hold ends by itself.

/** @import { Hold, HoldReason } from '../../api-admin.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-admin.js';
import { dateOf, t } from '../../i18n.js';
import { receiptIn } from '../../models/receipts.js';
import { slugOf } from '../../models/slugs.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { toast } from '../toast.js';
import { ConfirmDialog, Dialog, Field, Icon, html } from '../ui.js';
import { Radios, Select, Table } from './parts.js';

const REASONS = /** @type {const} */ (['legal_claim', 'legal_duty', 'authority_request', 'investigation']);
const OBJECTS = /** @type {const} */ (['email', 'room', 'receipt']);
const REVIEW_DAYS = 90;

/** @param {typeof OBJECTS[number]} kind @param {string} typed */
function named(kind, typed) {
  if (kind === 'room') return { room: slugOf(typed) ?? typed.trim() };
  return kind === 'receipt' ? { receipt: receiptIn(typed) ?? typed.trim() } : { email: typed.trim() };
}

/** @param {{ onDone: () => void, onClose: () => void }} props */
function Place({ onDone, onClose }) {
  const [kind, setKind] = useState(/** @type {typeof OBJECTS[number]} */ ('email'));
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [days, setDays] = useState(String(REVIEW_DAYS));
  const { busy, problem, act } = useAct();
  const whole = typed.trim() && reason && Number(days) >= 1;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => {
      await api.placeHold({ ...named(kind, typed), reason: /** @type {HoldReason} */ (reason), review_days: Number(days) });
      onDone();
    });
  };
  return html`
    <${Dialog} title=${t('hold.place')} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        <p>${t('hold.text')}</p>
        <${Problem} text=${problem} />
        <${Select} label=${t('hold.object')} value=${kind} onChange=${setKind} options=${OBJECTS.map((name) => [name, t(`hold.by.${name}`)])} />
        <${Field} label=${t(`hold.field.${kind}`)} value=${typed} onInput=${setTyped} input=${{ autocomplete: 'off', autocapitalize: 'none', spellcheck: false }} />
        <${Radios} label=${t('admin.reason')} value=${reason} onChange=${setReason} options=${REASONS.map((name) => [name, t(`hold.reason.${name}`)])} />
        <${Field} label=${t('hold.days')} type="number" value=${days} onInput=${setDays} hint=${t('hold.daysHint')} input=${{ min: 1, max: 3650, inputmode: 'numeric' }} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy || !whole}>${t('hold.placeDo')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** @param {Hold} hold */
const objectOf = (hold) => hold.who ?? t(`hold.kind.${hold.kind}`);

/** @param {{ hold: Hold, onRelease: () => void }} props */
function Row({ hold, onRelease }) {
  const late = hold.review_at <= Date.now();
  return html`
    <tr>
      <th scope="row"><span class="kept-title">${objectOf(hold)}</span>${hold.who && html`<span>${t(`hold.kind.${hold.kind}`)}</span>`}<code>${hold.id}</code></th>
      <td data-label=${t('admin.reason')}>${t(`hold.reason.${hold.reason}`)}</td>
      <td data-label=${t('hold.since')}>${dateOf(hold.placed_at)}</td>
      <td data-label=${t('hold.review')}><span>${dateOf(hold.review_at)}</span>${late && html`
        <span class="mark soon"><${Icon} name="circle-alert" />${t('hold.reviewNow')}</span>`}</td>
      <td class="cell-actions"><button type="button" class="button small" aria-label=${t('hold.releaseOf', { what: objectOf(hold) })}
        onClick=${onRelease}>${t('hold.release')}</button></td>
    </tr>`;
}

export function Holds() {
  const { value, problem, reload } = useLoaded(api.holds);
  const [placing, setPlacing] = useState(false);
  const [releasing, setReleasing] = useState(/** @type {Hold | null} */ (null));
  const { problem: refused, act } = useAct();
  const placed = async () => { setPlacing(false); await reload(); toast(t('hold.placed')); };
  const release = (/** @type {Hold} */ hold) => void act(async () => {
    await api.releaseHold(hold.id);
    await reload();
    toast(t('hold.released'));
  });
  return html`
    <section class="admin-part" aria-labelledby="holds-title">
      <div class="part-head">
        <div><h2 id="holds-title">${t('admin.tab.holds')}</h2><p class="quiet-text">${t('hold.lead')}</p></div>
        <div class="part-tools"><button type="button" class="button primary" onClick=${() => setPlacing(true)}><${Icon} name="plus" />${t('hold.place')}</button></div>
      </div>
      ${!value && html`<${Waiting} problem=${problem} />`}
      <${Problem} text=${refused} />
      ${value?.holds.length === 0 && html`<p class="empty">${t('hold.none')}</p>`}
      ${value && value.holds.length > 0 && html`
        <${Table} label=${t('admin.tab.holds')} columns=${[t('hold.object'), t('admin.reason'), t('hold.since'), t('hold.review'), '']}>
          ${value.holds.map((hold) => html`<${Row} key=${hold.id} hold=${hold} onRelease=${() => setReleasing(hold)} />`)}
        </${Table}>`}
      ${placing && html`<${Place} onDone=${() => void placed()} onClose=${() => setPlacing(false)} />`}
      ${releasing && html`
        <${ConfirmDialog} title=${t('hold.releaseTitle')} plan=${[`${objectOf(releasing)} · ${t(`hold.reason.${releasing.reason}`)}`, t('hold.releasePlan')]}
          action=${t('hold.release')} onConfirm=${() => release(releasing)} onClose=${() => setReleasing(null)} />`}
    </section>`;
}
