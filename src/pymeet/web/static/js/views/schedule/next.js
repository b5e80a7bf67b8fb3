// The next meetings of a member, on the start page.

/** @import { Answer, Entry } from '../../api-meetings.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import { answerMeeting, meeting, nextMeetings } from '../../api-meetings.js';
import { ApiError } from '../../api.js';
import { t } from '../../i18n.js';
import { meetingIn } from '../../models/schedule.js';
import { Problem, Waiting, useAct, useLoaded, wordsFor } from '../act.js';
import { toast } from '../toast.js';
import { html } from '../ui.js';
import { AnswerButtons } from './answer.js';
import { CancelDialog } from './cancel.js';
import { DetailsDialog } from './details.js';
import { ScheduleDialog } from './dialog.js';
import { whenOf } from './parts.js';

const SHOWN = 5;

/** @typedef {'details' | 'change' | 'cancel'} Asked */

/** @param {{ entry: Entry, onAsk: (what: Asked) => void, reload: () => unknown }} props */
function Row({ entry, onAsk, reload }) {
  const { busy, problem, act } = useAct();
  const { title, room, answer } = entry;
  const say = async (/** @type {Answer} */ word) => { if (await act(() => answerMeeting(entry.id, word))) void reload(); };
  return html`
    <li class="room-row">
      <div class="room-words">
        <h3><a href=${`/r/${encodeURIComponent(room.slug)}`} title=${t('meet.join')}>${title}</a></h3>
        <p class="quiet-text">
          <span>${whenOf(entry)}</span>
          ${!entry.mine && html`<span>${t('meet.by', { name: entry.organiser })}</span>`}
          ${answer === 'none' && html`<span>${t('meet.answer.none')}</span>`}
        </p>
        ${!entry.mine && html`<${AnswerButtons} label=${t('meet.answer.label', { title })} answer=${answer} busy=${busy} onAnswer=${say} />`}
        <${Problem} text=${problem} />
      </div>
      <div class="room-actions meeting-actions">
        <button type="button" class="button small" aria-label=${t('meet.detailsOf', { title })} onClick=${() => onAsk('details')}>${t('meet.details')}</button>
        ${entry.mine && html`
          <button type="button" class="button small" aria-label=${t('meet.changeOf', { title })} onClick=${() => onAsk('change')}>${t('meet.change')}</button>
          <button type="button" class="button small" aria-label=${t('meet.cancelOf', { title })} onClick=${() => onAsk('cancel')}>${t('meet.cancelShort')}</button>`}
      </div>
    </li>`;
}

/** Opens the meeting that the address names after the `#`, as the notifications do. @param {(entry: Entry) => void} onFound */
function useAsked(onFound) {
  useEffect(() => {
    const look = async () => {
      const id = meetingIn(location.hash);
      if (!id) return;
      // Once: whoever closes it and loads the page again wants to see the page.
      history.replaceState(history.state, '', location.pathname + location.search);
      try {
        const { occurrence, ...facts } = await meeting(id);
        if (occurrence) onFound({ ...facts, occurrence });
        else toast(t('meet.notFound'));
      } catch (error) {
        toast(error instanceof ApiError && error.status === 404 ? t('meet.notFound') : wordsFor(error));
      }
    };
    void look();
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, []);
}

/** @param {{ zone?: string | null, mayCreate?: boolean, onPlanned: () => void }} props `zone`: the time zone of the account; `mayCreate`: rooms */
export function NextMeetings({ zone, mayCreate, onPlanned }) {
  const { value, problem, reload } = useLoaded(() => nextMeetings(SHOWN));
  const [open, setOpen] = useState(/** @type {{ what: Asked, entry: Entry } | { what: 'plan', entry: null } | null} */ (null));
  useAsked((entry) => setOpen({ what: 'details', entry }));
  const close = () => setOpen(null);
  const done = () => { close(); void reload(); };
  return html`
    <section class="card" aria-labelledby="next-meetings">
      <h2 id="next-meetings">${t('meet.next')}</h2>
      ${!value && html`<${Waiting} problem=${problem} />`}
      ${value && !value.occurrences.length && html`<p class="quiet-text">${t('meet.none')}</p>`}
      ${value && value.occurrences.length > 0 && html`
        <ul class="room-list">
          ${value.occurrences.map((entry) => html`
            <${Row} key=${`${entry.id}.${entry.occurrence.recurrence_id}`} entry=${entry} reload=${reload}
              onAsk=${(/** @type {Asked} */ what) => setOpen({ what, entry })} />`)}
        </ul>`}
      <div class="actions"><button type="button" class="button" onClick=${() => setOpen({ what: 'plan', entry: null })}>${t('meet.plan')}</button></div>
      ${open?.what === 'plan' && html`
        <${ScheduleDialog} entry=${null} zone=${zone} mayCreate=${mayCreate} onDone=${() => { done(); onPlanned(); }} onClose=${close} />`}
      ${open?.what === 'change' && html`<${ScheduleDialog} entry=${open.entry} onDone=${done} onClose=${close} />`}
      ${open?.what === 'cancel' && html`<${CancelDialog} entry=${open.entry} onDone=${done} onClose=${close} />`}
      ${open?.what === 'details' && html`<${DetailsDialog} entry=${open.entry} onClose=${close} />`}
    </section>`;
}
