// What hosts do with one person or with those who wait: the entries of a person's menu, and the dialogs behind them.

/** @import { Meeting } from '../meeting.js' */
/** @import { MenuItem } from './menu.js' */
/** @import { Participant, Waiting } from '../types.js' */
/** @import { Room } from '../models/room.js' */
import { useId, useState } from '../../vendor/preact-hooks.js';
import { t, timeOf, tn } from '../i18n.js';
import { sends } from '../models/room.js';
import { Dialog, Field, IconButton, html } from './ui.js';
import { Initials } from './video.js';

const LONGEST_REASON = 200;

/** @typedef {(request: Promise<unknown>) => void} Attempt */

/** Whether one may act on somebody: a co-host not on a host. @param {Room} room @param {Participant} person */
const above = (room, person) => room.role.value === 'host' || (room.role.value === 'cohost' && person.role !== 'host');

/** Those whose microphone is on and can be switched off together with others. @param {Room} room */
export const mayMute = (room) => room.others.value.filter((person) => person.kind === 'browser' && above(room, person) && sends(person, 'microphone'));

/** For whoever is to be heard alone. @param {Room} room @param {Meeting} meeting @param {Participant} person @param {Attempt} attempt @returns {MenuItem[]} */
function aloneItems(room, meeting, person, attempt) {
  const { id, name } = person;
  if (id === room.you.value || !sends(person, 'microphone') || !mayMute(room).some((other) => other.id !== id)) return [];
  return [{ icon: 'mic', label: t('host.muteAllBut', { name }), onClick: () => attempt(meeting.muteAll(id)) }];
}

/** @param {Room} room @param {Meeting} meeting @param {Participant} person @param {Attempt} attempt @returns {MenuItem[]} */
function sourceItems(room, meeting, person, attempt) {
  if (person.id === room.you.value || !above(room, person)) return [];
  return /** @type {const} */ ([['microphone', 'mic-off'], ['camera', 'video-off'], ['screen', 'monitor-off']])
    .filter(([source]) => sends(person, source))
    .map(([source, icon]) => ({ icon, label: t(`host.stop.${source}`), onClick: () => attempt(meeting.stopSource(person.id, source)) }));
}

/** @param {Room} room @param {Meeting} meeting @param {Participant} person @param {Attempt} attempt @returns {MenuItem[]} */
function stageItems(room, meeting, person, attempt) {
  /** @type {MenuItem[]} */
  const items = [];
  const lit = room.state.value.spotlight === person.id;
  if (person.kind !== 'player') {
    items.push({ icon: 'spotlight', label: t(lit ? 'host.unspotlight' : 'host.spotlight'), onClick: () => attempt(meeting.spotlight(lit ? null : person.id)) });
  }
  if (person.id !== room.you.value && room.handOf(person.id)) {
    items.push({ icon: 'hand', label: t('host.lowerHand'), onClick: () => attempt(meeting.lowerHand(person.id)) });
  }
  return items;
}

/** @param {Room} room @param {Meeting} meeting @param {Participant} person @param {Attempt} attempt @param {() => void} onHandOver @returns {MenuItem[]} */
function roleItems(room, meeting, person, attempt, onHandOver) {
  if (room.role.value !== 'host' || person.id === room.you.value || person.kind !== 'browser' || person.role === 'host') return [];
  const assists = person.role === 'cohost';
  return [
    {
      icon: 'user-cog', label: t(assists ? 'host.uncohost' : 'host.cohost'),
      onClick: () => attempt(meeting.setRole(person.id, assists ? 'member' : 'cohost')),
    },
    { icon: 'crown', label: t('host.handOver'), onClick: onHandOver },
  ];
}

/**
 * What one may do about somebody, oneself included.
 * @param {Room} room @param {Meeting} meeting @param {Participant} person @param {Attempt} attempt
 * @param {(action: 'remove' | 'handOver') => void} ask
 * @returns {MenuItem[]}
 */
export function itemsFor(room, meeting, person, attempt, ask) {
  const own = person.id === room.you.value;
  /** @type {MenuItem[]} */
  const items = [];
  if (!own && person.kind === 'browser') {
    items.push({ icon: 'message-square-lock', label: t('chat.privately'), onClick: () => room.writeTo(person.id) });
  }
  if (!room.hosting.value) return items;
  items.push(...stageItems(room, meeting, person, attempt), ...sourceItems(room, meeting, person, attempt), ...aloneItems(room, meeting, person, attempt));
  items.push(...roleItems(room, meeting, person, attempt, () => ask('handOver')));
  if (!own && above(room, person)) items.push({ icon: 'user-minus', label: t('host.remove'), class: 'danger', onClick: () => ask('remove') });
  return items;
}

/** @param {{ person: Participant, onRemove: (ban: boolean) => void, onClose: () => void }} props */
export function RemoveDialog({ person, onRemove, onClose }) {
  const [ban, setBan] = useState(false);
  const id = useId();
  const { name } = person;
  const remove = () => { onClose(); onRemove(ban); };
  return html`
    <${Dialog} title=${t('people.removeTitle', { name })} onClose=${onClose} class="confirm">
      <p>${t('host.removePlan', { name })}</p>
      <div>
        <label class="check"><input type="checkbox" checked=${ban} aria-describedby=${id} onChange=${() => setBan(!ban)} />${t('host.ban')}</label>
        <p id=${id} class="quiet-text">${t('host.banHint')}</p>
      </div>
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="button" class="button danger" onClick=${remove}>${t('people.removeDo')}</button>
      </div>
    </${Dialog}>`;
}

/** @param {{ person: Waiting, onRefuse: (reason: string) => void, onClose: () => void }} props */
function RefuseDialog({ person, onRefuse, onClose }) {
  const [reason, setReason] = useState('');
  const refuse = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
    onRefuse(reason.trim());
  };
  return html`
    <${Dialog} title=${t('lobby.refuseTitle', { name: person.name })} onClose=${onClose} class="confirm">
      <form class="marker-form" onSubmit=${refuse} novalidate>
        <${Field} label=${t('lobby.reason')} value=${reason} onInput=${setReason} hint=${t('lobby.reasonHint')}
          input=${{ maxlength: LONGEST_REASON, autocomplete: 'off' }} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button danger">${t('lobby.refuse')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** Who waits to be let in. @param {{ room: Room, meeting: Meeting, attempt: Attempt }} props */
export function LobbyPanel({ room, meeting, attempt }) {
  const [refusing, setRefusing] = useState(/** @type {Waiting | null} */ (null));
  const people = room.lobby.value;
  return html`
    ${people.length > 0 && html`
      <section class="waiting" aria-labelledby="waiting-title">
        <div class="waiting-head">
          <h3 id="waiting-title">${tn('lobby.waiting', people.length)}</h3>
          ${people.length > 1 && html`<button type="button" class="button small" onClick=${() => attempt(meeting.admit())}>${t('lobby.admitAll')}</button>`}
        </div>
        <ul>
          ${people.map((person) => html`
            <li class="waiting-person" key=${person.id}>
              <${Initials} name=${person.name} />
              <div class="person-words">
                <p class="person-name" title=${person.name}>${person.name}</p>
                <p class="quiet-text">${t('lobby.since', { time: timeOf(person.since) })} · ${t(`people.${person.kind}`)}</p>
              </div>
              <div class="waiting-actions">
                <${IconButton} icon="x" label=${t('lobby.refuseOf', { name: person.name })} class="quiet" onClick=${() => setRefusing(person)} />
                <button type="button" class="button small primary" aria-label=${t('lobby.admitOf', { name: person.name })}
                  onClick=${() => attempt(meeting.admit(person.id))}>${t('lobby.admit')}</button>
              </div>
            </li>`)}
        </ul>
      </section>`}
    ${refusing && html`
      <${RefuseDialog} person=${refusing} onRefuse=${(/** @type {string} */ reason) => attempt(meeting.refuse(refusing.id, reason))}
        onClose=${() => setRefusing(null)} />`}`;
}
