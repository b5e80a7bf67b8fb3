// What the list of recordings, a recording's page and the start page share.

/** @import { RecordingRow } from '../../api-recordings.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-recordings.js';
import { dateOf, lengthOf, momentOf, minutesOf, t } from '../../i18n.js';
import { LOOK_AGAIN_MS, dayField, endOfDayMs, namesIn, stateOf } from '../../models/recordings.js';
import { Problem, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, Icon, html } from '../ui.js';

/** @typedef {Pick<RecordingRow, 'id' | 'name' | 'ended_at' | 'delete_at' | 'pinned_until' | 'trashed_at' | 'pin_limit' | 'held'>} Kept */

const DAY_MS = 86_400_000;

/** A name is asked for when a recording is made; one that has none is called by its day. @param {Pick<RecordingRow, 'name' | 'started_at'>} row */
export const nameOf = (row) => row.name || t('rec.unnamed', { date: dateOf(row.started_at) });

/** @param {string} id */
export const pageOf = (id) => `/recordings/${encodeURIComponent(id)}`;

/** Until when it is there: the one thing to know about every recording. @param {Kept} kept */
export function untilWords({ ended_at: endedAt, delete_at: deleteAt, pinned_until: pinned, trashed_at: trashed, held }) {
  if (held) return t('rec.held');
  if (endedAt === null) return t('rec.untilLater');
  if (deleteAt === null) return t('rec.never');
  if (trashed !== null) return t('rec.goneAt', { date: dateOf(deleteAt) });
  return t(pinned === null ? 'rec.deleteAt' : 'rec.pinnedUntil', { date: dateOf(deleteAt) });
}

/** @param {number} ms */
export const spanWords = (ms) => (ms < 60_000 ? lengthOf(Math.max(1, Math.round(ms / 1000)), 'second') : minutesOf(Math.round(ms / 60_000)));

/** @param {readonly { name: string }[]} people */
export function peopleWords(people) {
  const { names, more } = namesIn(people);
  if (!names.length) return t('rec.nobody');
  return more ? t('rec.andMore', { names: names.join(', '), count: more }) : names.join(', ');
}

/** @param {{ value: number | null, label: string }} props */
export function Progress({ value, label }) {
  return html`<progress class="progress" max="1" value=${value ?? undefined} aria-label=${label}></progress>`;
}

/** @param {{ row: Pick<RecordingRow, 'state' | 'film'> }} props */
export function StateMark({ row }) {
  const state = stateOf(row);
  const icon = { recording: 'circle-dot', queued: 'clock', making: 'loader-circle', ready: 'play', failed: 'circle-alert', cancelled: 'x', none: 'clapperboard' }[state];
  const tone = { recording: 'late', queued: '', making: '', ready: 'good', failed: 'soon', cancelled: '', none: '' }[state];
  const progress = state === 'making' && row.film?.progress !== null && row.film?.progress !== undefined
    && t('rec.done', { percent: percentOf(row.film.progress) });
  return html`<span class=${`mark ${tone}`}><${Icon} name=${icon} class=${state === 'making' ? 'turning' : ''} />${t(`rec.state.${state}`)}${progress && html`<span class="mark-more">${progress}</span>`}</span>`;
}

/** @param {number} share */
export const percentOf = (share) => new Intl.NumberFormat(document.documentElement.lang, { style: 'percent' }).format(share);

/** Looks again while something moves on the server. @param {number | null} everyMs @param {() => unknown} look */
export function useLookAgain(everyMs, look) {
  useEffect(() => {
    if (everyMs === null) return undefined;
    const timer = setInterval(() => { if (!document.hidden) look(); }, everyMs ?? LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [everyMs]);
}

/** Keeps a recording beyond its time, as far as the server lets it.
 * @param {{ kept: Kept, onDone: () => Promise<unknown>, onClose: () => void }} props */
export function PinDialog({ kept, onDone, onClose }) {
  const { delete_at: deleteAt, pinned_until: pinned, pin_limit: limit } = kept;
  const first = Date.now() + DAY_MS;
  const [day, setDay] = useState(dayField(Math.min(pinned ?? (deleteAt ?? Date.now()) + 30 * DAY_MS, limit ?? Infinity)));
  const { busy, problem, setProblem, act } = useAct();
  const keep = async (/** @type {number | null} */ until) => {
    const done = await act(async () => {
      await api.changeRecording(kept.id, { pinned_until: until });
      await onDone();
    });
    if (!done) return;
    toast(until === null ? t('rec.unpinned') : t('rec.pinned', { date: dateOf(until) }));
    onClose();
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const until = endOfDayMs(day, limit);
    if (until) void keep(until);
  };
  return html`
    <${Dialog} title=${t('rec.pinTitle')} onClose=${onClose} class="confirm">
      <form class="dialog-form" onSubmit=${submit}>
        <p>${deleteAt === null ? t('rec.pinTextNever') : t('rec.pinText', { date: dateOf(deleteAt) })}</p>
        <${Problem} text=${problem} />
        <${Field} label=${t('rec.pinField')} type="date" value=${day} onInput=${(/** @type {string} */ value) => { setDay(value); setProblem(''); }}
          hint=${limit ? t('rec.pinLimit', { date: dateOf(limit) }) : undefined}
          input=${{ required: true, min: dayField(first), max: limit ? dayField(limit) : undefined }} />
        <div class="actions">
          ${pinned !== null && html`<button type="button" class="button" disabled=${busy} onClick=${() => void keep(null)}>${t('rec.unpin')}</button>`}
          <button type="submit" class="button primary" disabled=${busy || !day}>${t('rec.pinDo')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** When it was, where, and how long. @param {{ row: Pick<RecordingRow, 'started_at' | 'room' | 'duration_ms'> }} props */
export function WhenAndWhere({ row }) {
  return html`
    <span>${momentOf(row.started_at)}</span>
    <span>${t('rec.in', { room: row.room.name })}</span>
    ${row.duration_ms ? html`<span>${spanWords(row.duration_ms)}</span>` : null}`;
}
