// Planning a meeting, or changing one: of a series this one, or all of them.

/** @import { Entry, Whole } from '../../api-meetings.js' */
/** @import { Scope } from './parts.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { meeting as fetchMeeting, moveOccurrence } from '../../api-meetings.js';
import { t } from '../../i18n.js';
import { changeOf, wallClockOf } from '../../models/schedule.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { Dialog, Field, html } from '../ui.js';
import { MeetingForm } from './form.js';
import { ScopeChoice } from './parts.js';

/** One meeting of a series has a time of its own and nothing else. @param {{ entry: Entry, whole: Whole, onDone: () => void, onClose: () => void }} props */
function OneForm({ entry, whole, onDone, onClose }) {
  const name = entry.occurrence.recurrence_id;
  const change = changeOf(whole.changes, name);
  const [start, setStart] = useState(change?.start ?? wallClockOf(name));
  const [minutes, setMinutes] = useState(String(change?.duration_min ?? whole.duration_min));
  const { busy, problem, act } = useAct();
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await act(() => moveOccurrence(whole.id, name, { start, duration_min: Number(minutes) }))) onDone();
  };
  const allDay = whole.all_day;
  return html`
    <form class="schedule-form" onSubmit=${save}>
      <${Field} label=${t('meet.start')} type=${allDay ? 'date' : 'datetime-local'} value=${start} onInput=${setStart}
        hint=${t('meet.clockOf', { zone: whole.time_zone })} input=${{ required: true }} />
      <${Field} label=${t('meet.minutes')} type="number" value=${minutes} onInput=${setMinutes}
        input=${{ required: true, min: allDay ? 1440 : 1, step: allDay ? 1440 : 1, max: allDay ? 44640 : 1440 }} />
      <p class="quiet-text">${t('meet.oneTold')}</p>
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="submit" class="button primary" disabled=${busy}>${t('meet.save')}</button>
      </div>
    </form>`;
}

/** @param {{ entry: Entry, onDone: () => void, onClose: () => void }} props */
function Change({ entry, onDone, onClose }) {
  const { value: whole, problem } = useLoaded(() => fetchMeeting(entry.id));
  const [scope, setScope] = useState(/** @type {Scope} */ (entry.rrule ? 'one' : 'series'));
  if (!whole) return html`<${Waiting} problem=${problem} />`;
  const first = entry.rrule ? wallClockOf(entry.occurrence.recurrence_id) : whole.start;
  return html`
    ${entry.rrule && html`<${ScopeChoice} legend=${t('meet.changeWhat')} entry=${entry} scope=${scope} onScope=${setScope} />`}
    ${scope === 'one'
      ? html`<${OneForm} entry=${entry} whole=${whole} onDone=${onDone} onClose=${onClose} />`
      : html`<${MeetingForm} whole=${whole} first=${first} onDone=${onDone} onClose=${onClose} />`}`;
}

/** @param {{ entry: Entry | null, zone?: string | null, mayCreate?: boolean, onDone: () => void, onClose: () => void }} props without entry a new one */
export function ScheduleDialog({ entry, zone, mayCreate, onDone, onClose }) {
  return html`
    <${Dialog} title=${entry ? t('meet.changeOf', { title: entry.title }) : t('meet.plan')} onClose=${onClose}>
      ${entry
        ? html`<${Change} entry=${entry} onDone=${onDone} onClose=${onClose} />`
        : html`<${MeetingForm} whole=${null} zone=${zone} mayCreate=${mayCreate} onDone=${onDone} onClose=${onClose} />`}
    </${Dialog}>`;
}
