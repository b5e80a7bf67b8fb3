// The next meetings of a member, on the start page.

/** @import { Answer, Entry } from '../../api-meetings.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { answerMeeting, cancelMeeting, nextMeetings } from '../../api-meetings.js';
import { dateOf, momentOf, t } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { ConfirmDialog, html } from '../ui.js';
import { AnswerButtons } from './answer.js';
import { ScheduleDialog } from './dialog.js';

const SHOWN = 5;

/** @param {{ entry: Entry, onChange: () => void, onCancel: () => void, reload: () => unknown }} props */
function Row({ entry, onChange, onCancel, reload }) {
  const { busy, problem, act } = useAct();
  const { title, room, occurrence, answer } = entry;
  const say = async (/** @type {Answer} */ word) => { if (await act(() => answerMeeting(entry.id, word))) void reload(); };
  return html`
    <li class="room-row">
      <div class="room-words">
        <h3><a href=${`/r/${encodeURIComponent(room.slug)}`} title=${t('meet.join')}>${title}</a></h3>
        <p class="quiet-text">
          <span>${entry.all_day ? dateOf(occurrence.starts_at) : momentOf(occurrence.starts_at)}</span>
          ${!entry.mine && html`<span>${t('meet.by', { name: entry.organiser })}</span>`}
          ${answer === 'none' && html`<span>${t('meet.answer.none')}</span>`}
        </p>
        ${!entry.mine && html`<${AnswerButtons} label=${t('meet.answer.label', { title })} answer=${answer} busy=${busy} onAnswer=${say} />`}
        <${Problem} text=${problem} />
      </div>
      ${entry.mine && html`
        <div class="room-actions">
          <button type="button" class="button small" aria-label=${t('meet.changeOf', { title })} onClick=${onChange}>${t('meet.change')}</button>
          <button type="button" class="button small" aria-label=${t('meet.cancelOf', { title })} onClick=${onCancel}>${t('app.cancel')}</button>
        </div>`}
    </li>`;
}

/** @param {{ zone?: string | null }} props the time zone of the account */
export function NextMeetings({ zone }) {
  const { value, problem, reload } = useLoaded(() => nextMeetings(SHOWN));
  const [open, setOpen] = useState(/** @type {{ entry: Entry | null } | null} */ (null));
  const [leaving, setLeaving] = useState(/** @type {Entry | null} */ (null));
  const { problem: failed, act } = useAct();
  const done = () => { setOpen(null); void reload(); };
  const cancel = async (/** @type {Entry} */ entry) => { if (await act(() => cancelMeeting(entry.id))) void reload(); };
  return html`
    <section class="card" aria-labelledby="next-meetings">
      <h2 id="next-meetings">${t('meet.next')}</h2>
      ${!value && html`<${Waiting} problem=${problem} />`}
      ${value && !value.occurrences.length && html`<p class="quiet-text">${t('meet.none')}</p>`}
      ${value && value.occurrences.length > 0 && html`
        <ul class="room-list">
          ${value.occurrences.map((entry) => html`
            <${Row} key=${`${entry.id}.${entry.occurrence.recurrence_id}`} entry=${entry} reload=${reload}
              onChange=${() => setOpen({ entry })} onCancel=${() => setLeaving(entry)} />`)}
        </ul>`}
      <${Problem} text=${failed} />
      <div class="actions"><button type="button" class="button" onClick=${() => setOpen({ entry: null })}>${t('meet.plan')}</button></div>
      ${open && html`<${ScheduleDialog} entry=${open.entry} zone=${zone} onDone=${done} onClose=${() => setOpen(null)} />`}
      ${leaving && html`
        <${ConfirmDialog} title=${t('meet.cancelOf', { title: leaving.title })} action=${t('meet.cancel')}
          plan=${[t('meet.cancelAll'), ...(leaving.rrule ? [t('meet.cancelSeries')] : [])]}
          onConfirm=${() => void cancel(leaving)} onClose=${() => setLeaving(null)} />`}
    </section>`;
}
