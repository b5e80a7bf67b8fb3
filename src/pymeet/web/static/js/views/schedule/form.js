// The form of a meeting: of a new one, of one that is once, or of a whole series.

/** @import { Whole } from '../../api-meetings.js' */
/** @import { Repeat } from '../../models/schedule.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api.js';
import { changeMeeting, planMeeting } from '../../api-meetings.js';
import { t } from '../../i18n.js';
import { REPEATS, addressesIn, firstRoom, ruleOf, soon } from '../../models/schedule.js';
import { knownZones, regionsOf, zoneHere } from '../../models/time-zones.js';
import { Problem, useAct } from '../act.js';
import { Field, Note, html } from '../ui.js';
import { GroupChoice } from '../groups/choice.js';
import { Choice, Lines } from './parts.js';

/** @param {{ value: string, onInput: (zone: string) => void }} props */
function Zone({ value, onInput }) {
  return html`
    <${Choice} label=${t('meet.zone')} value=${value} onInput=${onInput} hint=${t('meet.zoneHint')}>
      ${regionsOf(knownZones([value])).map(({ region, zones }) => html`
        <optgroup label=${region}>${zones.map(({ id, city }) => html`<option value=${id} selected=${id === value}>${city}</option>`)}</optgroup>`)}
    </${Choice}>`;
}

/** What a change means to those invited. @param {{ whole: Whole }} props */
function AskedAgain({ whole }) {
  return html`
    <${Note} icon="circle-alert"><p>${t('meet.asksAgain')}</p>
      ${whole.rrule && html`<p>${t('meet.seriesAnew')}</p>`}
      ${whole.changes.length > 0 && html`<p>${t('meet.undoesChanges')}</p>`}</${Note}>`;
}

/**
 * @param {object} props
 * @param {Whole | null} props.whole null for a new meeting
 * @param {string} [props.first] the wall clock to begin with: that of the meeting which was chosen
 * @param {string | null} [props.zone] of the account
 * @param {boolean} [props.mayCreate] whether a room can be made for it
 * @param {() => void} props.onDone
 * @param {() => void} props.onClose
 */
export function MeetingForm({ whole, first = soon(new Date()), zone, mayCreate = false, onDone, onClose }) {
  const [title, setTitle] = useState(whole?.title ?? '');
  const [agenda, setAgenda] = useState(whole?.agenda ?? '');
  const [start, setStart] = useState(first);
  const [timeZone, setTimeZone] = useState(whole?.time_zone ?? zone ?? zoneHere());
  const [minutes, setMinutes] = useState(String(whole?.duration_min ?? 60));
  const [repeat, setRepeat] = useState(/** @type {Repeat} */ (whole?.rrule ? 'kept' : 'once'));
  const [until, setUntil] = useState('');
  const [invited, setInvited] = useState('');
  const [groups, setGroups] = useState(/** @type {string[]} */ ([]));
  const [room, setRoom] = useState('');
  const [rooms, setRooms] = useState(/** @type {{ slug: string, name: string }[] | null} */ (null));
  const { busy, problem, act } = useAct();
  const load = async () => {
    const found = (await api.rooms()).rooms;
    setRooms(found);
    setRoom(firstRoom(found, mayCreate));
  };
  useEffect(() => { if (!whole) void act(load); }, []);
  const roomless = !whole && !mayCreate && !room;
  const moved = start !== first || timeZone !== whole?.time_zone;
  const keepsRule = repeat === 'kept' || (repeat === 'once' && !whole?.rrule);
  const anew = whole !== null && (moved || !keepsRule || Number(minutes) !== whole.duration_min);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const facts = { title, agenda, duration_min: Number(minutes), ...(keepsRule ? {} : { rrule: ruleOf(repeat, until) }) };
    const when = { start, time_zone: timeZone };
    // A series that goes on as before keeps the day on which it began.
    const done = await act(() => (whole
      ? changeMeeting(whole.id, { ...facts, ...(moved ? when : {}) })
      : planMeeting({ ...facts, ...when, ...(room ? { room } : {}), invitees: addressesIn(invited), groups })));
    if (done) onDone();
  };
  const allDay = whole?.all_day;
  const choices = whole?.rrule ? ['kept', ...REPEATS] : REPEATS;
  return html`
    <form class="schedule-form" onSubmit=${save}>
      <${Field} label=${t('meet.title')} value=${title} onInput=${setTitle} input=${{ required: true, maxlength: 120 }} />
      <${Field} label=${t('meet.start')} type=${allDay ? 'date' : 'datetime-local'} value=${start} onInput=${setStart} input=${{ required: true }} />
      <${Zone} value=${timeZone} onInput=${setTimeZone} />
      <${Field} label=${t('meet.minutes')} type="number" value=${minutes} onInput=${setMinutes}
        input=${{ required: true, min: allDay ? 1440 : 1, step: allDay ? 1440 : 1, max: allDay ? 44640 : 1440 }} />
      <${Choice} label=${t('meet.repeat')} value=${repeat} onInput=${setRepeat}>
        ${choices.map((each) => html`<option value=${each} selected=${each === repeat}>${t(/** @type {any} */ (`meet.repeat.${each}`))}</option>`)}
      </${Choice}>
      ${repeat !== 'once' && repeat !== 'kept' && html`
        <${Field} label=${t('meet.until')} type="date" value=${until} onInput=${setUntil} />`}
      ${!whole && html`
        <${Choice} label=${t('meet.room')} value=${room} onInput=${setRoom}>
          ${mayCreate && html`<option value="">${t('meet.newRoom')}</option>`}
          ${rooms?.map(({ slug, name }) => html`<option value=${slug}>${name}</option>`)}
        </${Choice}>
        ${roomless && rooms && html`<${Note} icon="circle-alert"><p>${t('meet.noRoom')}</p></${Note}>`}
        <${Lines} label=${t('meet.invite')} value=${invited} onInput=${setInvited} hint=${t('meet.inviteHint')} />
        <${GroupChoice} chosen=${groups} onChange=${setGroups} />`}
      <${Lines} label=${t('meet.agenda')} value=${agenda} onInput=${setAgenda} />
      ${whole && anew && html`<${AskedAgain} whole=${whole} />`}
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="submit" class="button primary" disabled=${busy || roomless}>${t('meet.save')}</button>
      </div>
    </form>`;
}
