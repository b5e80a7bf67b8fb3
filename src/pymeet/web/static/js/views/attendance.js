// Who was in a room, and for how long: for its owner, and for as long as the server keeps it.

/** @import { Attendee } from '../api-rooms.js' */
import { attendance } from '../api-rooms.js';
import { dateOf, t, timeOf, tn } from '../i18n.js';
import { byDay } from '../models/attendance.js';
import { Waiting, useLoaded } from './act.js';
import { Dialog, html } from './ui.js';

/** @param {{ day: string, people: Attendee[], open: boolean }} props */
function Day({ day, people, open }) {
  return html`
    <details class="attended" open=${open}>
      <summary><span>${day}</span><span class="quiet-text">${tn('attendance.times', people.length)}</span></summary>
      <table>
        <thead><tr><th scope="col">${t('attendance.name')}</th><th scope="col">${t('attendance.from')}</th><th scope="col">${t('attendance.to')}</th></tr></thead>
        <tbody>
          ${people.map(({ name, member, kind, joined_at: from, left_at: to }, index) => html`
            <tr key=${index}><td>${name}${kind !== 'browser' ? html` <span class="quiet-text">${t(kind === 'player' ? 'people.player' : 'people.publisher')}</span>` : !member && html` <span class="quiet-text">${t('people.guest')}</span>`}</td><td>${timeOf(from)}</td><td>${to === null ? t('attendance.here') : timeOf(to)}</td></tr>`)}
        </tbody>
      </table>
    </details>`;
}

/** @param {{ slug: string, name: string, onClose: () => void }} props */
export function Attendance({ slug, name, onClose }) {
  const { value, problem } = useLoaded(() => attendance(slug));
  const days = value && byDay(value.people, dateOf);
  return html`
    <${Dialog} title=${t('attendance.title', { name })} onClose=${onClose}>
      ${!value && html`<${Waiting} problem=${problem} />`}
      ${days?.length === 0 && html`<p class="quiet-text">${t('attendance.none')}</p>`}
      ${days && days.length > 0 && html`
        <div>${days.map(({ day, people }, index) => html`<${Day} key=${day} day=${day} people=${people} open=${index === 0} />`)}</div>`}
    </${Dialog}>`;
}
