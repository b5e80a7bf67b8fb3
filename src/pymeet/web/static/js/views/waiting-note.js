// That somebody waits to be let in: to be seen over the stage, and heard.

/** @import { Meeting } from '../meeting.js' */
/** @import { Room } from '../models/room.js' */
/** @import { Attempt } from './hosting.js' */
import { useEffect, useRef } from '../../vendor/preact-hooks.js';
import { chosenLanguage, t, tn } from '../i18n.js';
import { knockWanted } from '../models/choices.js';
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

// However many come, nobody else in the meeting is talked over for long.
const QUIET_MS = 5_000;

/** What hosts hear. No name is said: others may listen. @param {{ room: Room }} props */
export function Knock({ room }) {
  const known = useRef(/** @type {string[]} */ ([]));
  const heardAt = useRef(-QUIET_MS);
  const people = room.lobby.value;
  useEffect(() => {
    const fresh = people.some(({ id }) => !known.current.includes(id));
    known.current = people.map(({ id }) => id);
    if (!fresh || !knockWanted() || performance.now() - heardAt.current < QUIET_MS) return;
    heardAt.current = performance.now();
    import('../media/announce.js').then(({ knock }) => knock(t('lobby.knock'), chosenLanguage()), () => {});
  }, [people]);
  return null;
}
