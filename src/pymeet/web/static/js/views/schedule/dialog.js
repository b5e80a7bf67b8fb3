// Planning a meeting, or changing one.

/** @import { Entry } from '../../api-meetings.js' */
import { useEffect, useId, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api.js';
import { changeMeeting, meeting as fetchMeeting, planMeeting } from '../../api-meetings.js';
import { t } from '../../i18n.js';
import { REPEATS, addressesIn, ruleOf, soon } from '../../models/schedule.js';
import { knownZones, regionsOf, zoneHere } from '../../models/time-zones.js';
import { Problem, useAct } from '../act.js';
import { Dialog, Field, html } from '../ui.js';

/** @param {{ label: string, value: string, onInput: (value: string) => void, hint?: string, children: any }} props */
function Choice({ label, value, onInput, hint, children }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} value=${value} aria-describedby=${hint ? `${id}-note` : undefined}
        onChange=${(/** @type {any} */ event) => onInput(event.target.value)}>${children}</select>
      ${hint && html`<p id=${`${id}-note`} class="field-hint">${hint}</p>`}
    </div>`;
}

/** @param {{ label: string, value: string, onInput: (value: string) => void, hint?: string }} props */
function Lines({ label, value, onInput, hint }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <textarea id=${id} rows="3" value=${value} aria-describedby=${hint ? `${id}-note` : undefined}
        onInput=${(/** @type {any} */ event) => onInput(event.target.value)}></textarea>
      ${hint && html`<p id=${`${id}-note`} class="field-hint">${hint}</p>`}
    </div>`;
}

/** @param {{ entry: Entry | null, zone?: string | null, onDone: () => void, onClose: () => void }} props without entry a new one */
export function ScheduleDialog({ entry, zone, onDone, onClose }) {
  const [title, setTitle] = useState(entry?.title ?? '');
  const [agenda, setAgenda] = useState('');
  const [start, setStart] = useState(entry?.start ?? soon(new Date()));
  const [timeZone, setTimeZone] = useState(entry?.time_zone ?? zone ?? zoneHere());
  const [minutes, setMinutes] = useState(String(entry?.duration_min ?? 60));
  const [repeat, setRepeat] = useState(/** @type {import('../../models/schedule.js').Repeat} */ (entry?.rrule ? 'kept' : 'once'));
  const [until, setUntil] = useState('');
  const [invited, setInvited] = useState('');
  const [room, setRoom] = useState('');
  const [rooms, setRooms] = useState(/** @type {{ slug: string, name: string }[]} */ ([]));
  const [ready, setReady] = useState(!entry);
  const { busy, problem, act } = useAct();
  useEffect(() => {
    void act(async () => {
      if (entry) {
        setAgenda((await fetchMeeting(entry.id)).agenda);
        setReady(true);
      } else setRooms((await api.rooms()).rooms);
    });
  }, []);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const facts = { title, agenda, start, time_zone: timeZone, duration_min: Number(minutes) };
    const rule = repeat === 'kept' ? {} : { rrule: ruleOf(repeat, until) };
    const done = await act(() => (entry
      ? changeMeeting(entry.id, { ...facts, ...rule })
      : planMeeting({ ...facts, ...rule, ...(room ? { room } : {}), invitees: addressesIn(invited) })));
    if (done) onDone();
  };
  const allDay = entry?.all_day;
  const choices = entry?.rrule ? ['kept', ...REPEATS] : REPEATS;
  return html`
    <${Dialog} title=${entry ? t('meet.changeOf', { title: entry.title }) : t('meet.plan')} onClose=${onClose}>
      <form class="schedule-form" onSubmit=${save}>
        <${Field} label=${t('meet.title')} value=${title} onInput=${setTitle} input=${{ required: true, maxlength: 120 }} />
        <${Field} label=${t('meet.start')} type=${allDay ? 'date' : 'datetime-local'} value=${start} onInput=${setStart} input=${{ required: true }} />
        <${Choice} label=${t('meet.zone')} value=${timeZone} onInput=${setTimeZone} hint=${t('meet.zoneHint')}>
          ${regionsOf(knownZones([timeZone])).map(({ region, zones }) => html`
            <optgroup label=${region}>${zones.map(({ id, city }) => html`<option value=${id} selected=${id === timeZone}>${city}</option>`)}</optgroup>`)}
        </${Choice}>
        <${Field} label=${t('meet.minutes')} type="number" value=${minutes} onInput=${setMinutes}
          input=${{ required: true, min: allDay ? 1440 : 1, step: allDay ? 1440 : 1, max: allDay ? 44640 : 1440 }} />
        <${Choice} label=${t('meet.repeat')} value=${repeat} onInput=${setRepeat}>
          ${choices.map((each) => html`<option value=${each} selected=${each === repeat}>${t(/** @type {any} */ (`meet.repeat.${each}`))}</option>`)}
        </${Choice}>
        ${repeat !== 'once' && repeat !== 'kept' && html`
          <${Field} label=${t('meet.until')} type="date" value=${until} onInput=${setUntil} />`}
        ${!entry && html`
          <${Choice} label=${t('meet.room')} value=${room} onInput=${setRoom}>
            <option value="">${t('meet.newRoom')}</option>
            ${rooms.map(({ slug, name }) => html`<option value=${slug}>${name}</option>`)}
          </${Choice}>
          <${Lines} label=${t('meet.invite')} value=${invited} onInput=${setInvited} hint=${t('meet.inviteHint')} />`}
        <${Lines} label=${t('meet.agenda')} value=${agenda} onInput=${setAgenda} />
        <${Problem} text=${problem} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy || !ready}>${t('meet.save')}</button>
        </div>
      </form>
    </${Dialog}>`;
}
