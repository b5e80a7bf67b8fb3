// That somebody waits to be let in.

/** @import { Meeting } from '../meeting.js' */
/** @import { Room } from '../models/room.js' */
/** @import { Attempt } from './hosting.js' */
import { t, tn } from '../i18n.js';
import { Icon, html } from './ui.js';

/** To hosts, over the stage, whatever panel is open. @param {{ room: Room, meeting: Meeting, attempt: Attempt }} props */
export function WaitingNote({ room, meeting, attempt }) {
  const people = room.lobby.value;
  if (people.length === 0 || room.panel.value === 'people') return null;
  const [first] = people;
  const words = people.length === 1 ? t('lobby.one', { name: first.name }) : tn('lobby.waiting', people.length);
  return html`
    <div class="chip waiting-note"><${Icon} name="clock" /><span class="waiting-words">${words}</span>
      ${people.length === 1 && html`<button type="button" class="chip-button" onClick=${() => attempt(meeting.admit(first.id))}>${t('lobby.admit')}</button>`}
      <button type="button" class="chip-button" onClick=${() => room.open('people')}>${t('lobby.show')}</button></div>`;
}
