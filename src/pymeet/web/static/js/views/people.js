// Who is here, and what hosts do about it: let in, switch off, put forward, remove, lock, end.

/** @import { Devices } from '../models/devices.js' */
/** @import { Meeting } from '../meeting.js' */
/** @import { Participant } from '../types.js' */
/** @import { Room } from '../models/room.js' */
/** @import { Attempt } from './hosting.js' */
import { useState } from '../../vendor/preact-hooks.js';
import { t, tn } from '../i18n.js';
import { leftOut, pictureOf, sends } from '../models/room.js';
import { LobbyPanel, RemoveDialog, itemsFor, mayMute } from './hosting.js';
import { Menu } from './menu.js';
import { Panel } from './panel.js';
import { ConfirmDialog, Icon, IconButton, html } from './ui.js';
import { Initials } from './video.js';

/** @param {Room} room @param {Participant} participant */
function standing(room, { id, connection, kind, role }) {
  const words = [connection === 'reconnecting' ? t('people.reconnecting') : t(kind === 'browser' ? `people.${role}` : `people.${kind}`)];
  if (room.state.value.spotlight === id) words.push(t('host.inSpotlight'));
  if (leftOut(room, id)) words.push(t('recording.leftOut'));
  return words.join(' · ');
}

/** Who is no host can do one thing at most, which needs no menu. @param {{ room: Room, name: string, items: import('./menu.js').MenuItem[] }} props */
function Actions({ room, name, items }) {
  const [only] = items;
  if (!only) return null;
  if (room.hosting.value) return html`<${Menu} icon="ellipsis-vertical" label=${t('host.actions', { name })} class="quiet" items=${items} />`;
  return html`<${IconButton} icon=${only.icon} label=${t('people.privately', { name })} class="quiet" onClick=${only.onClick} />`;
}

/** @param {{ room: Room, participant: Participant, muted: boolean, items: import('./menu.js').MenuItem[] }} props */
function Person({ room, participant, muted, items }) {
  const { id, name } = participant;
  const place = room.handOf(id);
  return html`
    <li class="person">
      <${Initials} name=${name} picture=${pictureOf(room, participant)} />
      <div class="person-words">
        <p class="person-name" title=${name}>${id === room.you.value ? t('people.you', { name }) : name}</p>
        <p class="quiet-text">${participant.kind === 'publisher' && html`<${Icon} name="radio" />`}${standing(room, participant)}</p>
      </div>
      ${place > 0 && html`
        <span class="person-hand"><${Icon} name="hand" /><span aria-hidden="true">${place}</span><span class="visually-hidden">${t('hand.place', { place })}</span></span>`}
      ${participant.kind !== 'player' && html`
        <span class=${muted ? 'person-mark' : 'person-mark on'}><${Icon} name=${muted ? 'mic-off' : 'mic'} />
          <span class="visually-hidden">${t(muted ? 'mic.off' : 'mic.isOn')}</span></span>`}
      <${Actions} room=${room} name=${name} items=${items} />
    </li>`;
}

/** Oneself first, then those who want to speak, in their order. @param {Room} room */
function inOrder(room) {
  const last = room.participants.value.length + 1;
  const rank = (/** @type {Participant} */ { id }) => (id === room.you.value ? 0 : room.handOf(id) || last);
  return [...room.participants.value].sort((a, b) => rank(a) - rank(b));
}

/**
 * @param {object} props
 * @param {Room} props.room
 * @param {Devices} props.devices
 * @param {Meeting} props.meeting
 * @param {Attempt} props.attempt
 * @param {() => void} props.onCopyLink
 */
export function People({ room, devices, meeting, attempt, onCopyLink }) {
  const [asking, setAsking] = useState(/** @type {{ action: 'remove' | 'handOver' | 'muteAll' | 'end', person?: Participant } | null} */ (null));
  const hosting = room.hosting.value;
  const locked = room.state.value.locked;
  const ownMuted = !(devices.microphone.value && devices.on.microphone.value);
  const people = inOrder(room);
  const heard = mayMute(room).length > 0;
  const close = () => setAsking(null);
  const person = asking?.person;
  return html`
    <${Panel} room=${room} title=${t('people.title')} note=${room.info.value?.name}>
      ${hosting && html`<${LobbyPanel} room=${room} meeting=${meeting} attempt=${attempt} />`}
      <ul class="people" aria-label=${tn('preview.here', people.length)}>
        ${people.map((participant) => html`
          <${Person} key=${participant.id} room=${room} participant=${participant}
            muted=${participant.id === room.you.value ? ownMuted : !sends(participant, 'microphone')}
            items=${itemsFor(room, meeting, participant, attempt, (action) => setAsking({ action, person: participant }))} />`)}
      </ul>
      <div class="panel-foot">
        ${locked && html`
          <div class="locked-note"><${Icon} name="lock" /><span role="status">${t('lock.note')}</span>
            ${hosting && html`<button type="button" class="button small" onClick=${() => attempt(meeting.lock(false))}>${t('lock.off')}</button>`}</div>`}
        ${hosting && heard && html`
          <button type="button" class="button" onClick=${() => setAsking({ action: 'muteAll' })}><${Icon} name="mic-off" />${t('host.muteAll')}</button>`}
        <button type="button" class="button" onClick=${onCopyLink}><${Icon} name="copy" />${t('people.invite')}</button>
        ${room.role.value === 'host' && html`
          <button type="button" class="button danger-quiet" onClick=${() => setAsking({ action: 'end' })}>${t('people.end')}</button>`}
      </div>
      ${asking?.action === 'remove' && person && html`
        <${RemoveDialog} person=${person} onRemove=${(/** @type {boolean} */ ban) => attempt(meeting.remove(person.id, ban))} onClose=${close} />`}
      ${asking?.action === 'handOver' && person && html`
        <${ConfirmDialog} title=${t('host.handOverTitle', { name: person.name })} plan=${[t('host.handOverPlan', { name: person.name })]}
          action=${t('host.handOver')} onConfirm=${() => attempt(meeting.handOver(person.id))} onClose=${close} />`}
      ${asking?.action === 'muteAll' && html`
        <${ConfirmDialog} title=${t('host.muteAllTitle')} plan=${[t('host.muteAllPlan')]}
          action=${t('host.muteAll')} onConfirm=${() => attempt(meeting.muteAll())} onClose=${close} />`}
      ${asking?.action === 'end' && html`
        <${ConfirmDialog} title=${t('people.endTitle')} plan=${[tn('people.endPlan', people.length)]}
          action=${t('people.endDo')} onConfirm=${() => attempt(meeting.endForEverybody())} onClose=${close} />`}
    </${Panel}>`;
}
