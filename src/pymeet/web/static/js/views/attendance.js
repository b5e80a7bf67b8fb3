// Who was in a room's meetings, and for how long: for its owner, and for as long as the server keeps it.

/** @import { AttendedMeeting } from '../api-rooms.js' */
import { attendance } from '../api-rooms.js';
import { momentOf, t, timeOf, tn } from '../i18n.js';
import { Waiting, useLoaded } from './act.js';
import { Dialog, html } from './ui.js';

/** @param {{ meeting: AttendedMeeting, open: boolean }} props */
function Attended({ meeting, open }) {
  return html`
    <details class="attended" open=${open}>
      <summary><span>${momentOf(meeting.started_at)}</span><span class="quiet-text">${tn('attendance.people', meeting.people.length)}</span></summary>
      <table>
        <thead><tr><th scope="col">${t('attendance.name')}</th><th scope="col">${t('attendance.from')}</th><th scope="col">${t('attendance.to')}</th></tr></thead>
        <tbody>
          ${meeting.people.map(({ name, joined_at: from, left_at: to }, index) => html`
            <tr key=${index}><td>${name}</td><td>${timeOf(from)}</td><td>${to === null ? t('attendance.here') : timeOf(to)}</td></tr>`)}
        </tbody>
      </table>
    </details>`;
}

/** @param {{ slug: string, name: string, onClose: () => void }} props */
export function Attendance({ slug, name, onClose }) {
  const { value, problem } = useLoaded(() => attendance(slug));
  return html`
    <${Dialog} title=${t('attendance.title', { name })} onClose=${onClose}>
      ${!value && html`<${Waiting} problem=${problem} />`}
      ${value?.meetings.length === 0 && html`<p class="quiet-text">${t('attendance.none')}</p>`}
      ${value && value.meetings.length > 0 && html`
        <div>${value.meetings.map((meeting, index) => html`<${Attended} key=${meeting.id} meeting=${meeting} open=${index === 0} />`)}</div>`}
    </${Dialog}>`;
}
