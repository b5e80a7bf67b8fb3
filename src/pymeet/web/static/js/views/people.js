// Who is here. Hosts remove somebody or end the meeting, after being told what that does.

/** @import { Devices } from '../models/devices.js' */
/** @import { Participant } from '../types.js' */
/** @import { Room } from '../models/room.js' */
import { useState } from '../../vendor/preact-hooks.js';
import { t, tn } from '../i18n.js';
import { leftOut, sends } from '../models/room.js';
import { Panel } from './panel.js';
import { ConfirmDialog, Icon, IconButton, html } from './ui.js';
import { Initials } from './video.js';

/** @param {Participant} participant @param {boolean} omitted */
function standing({ connection, kind, role }, omitted) {
  const state = connection === 'reconnecting' ? t('people.reconnecting') : t(kind === 'browser' ? `people.${role}` : `people.${kind}`);
  return omitted ? `${state} · ${t('recording.leftOut')}` : state;
}

/** @param {{ participant: Participant, own: boolean, muted: boolean, omitted: boolean, onRemove: (() => void) | null }} props */
function Person({ participant, own, muted, omitted, onRemove }) {
  const { name } = participant;
  return html`
    <li class="person">
      <${Initials} name=${name} />
      <div class="person-words">
        <p class="person-name" title=${name}>${own ? t('people.you', { name }) : name}</p>
        <p class="quiet-text">${standing(participant, omitted)}</p>
      </div>
      ${onRemove && html`<${IconButton} icon="user-minus" label=${t('people.removeOf', { name })} class="quiet" onClick=${onRemove} />`}
      ${participant.kind !== 'player' && html`
        <span class=${muted ? 'person-mark' : 'person-mark on'}><${Icon} name=${muted ? 'mic-off' : 'mic'} />
          <span class="visually-hidden">${t(muted ? 'mic.off' : 'mic.isOn')}</span></span>`}
    </li>`;
}

/**
 * @param {object} props
 * @param {Room} props.room
 * @param {Devices} props.devices
 * @param {(participant: string) => void} props.onRemove
 * @param {() => void} props.onEnd
 * @param {() => void} props.onCopyLink
 */
export function People({ room, devices, onRemove, onEnd, onCopyLink }) {
  const [removing, setRemoving] = useState(/** @type {Participant | null} */ (null));
  const [ending, setEnding] = useState(false);
  const host = room.role.value === 'host';
  const you = room.you.value;
  const ownMuted = !(devices.microphone.value && devices.on.microphone.value);
  const people = [...room.participants.value].sort((a, b) => Number(b.id === you) - Number(a.id === you));
  return html`
    <${Panel} room=${room} title=${t('people.title')} note=${room.info.value?.name}>
      <ul class="people">
        ${people.map((participant) => html`
          <${Person} key=${participant.id} participant=${participant} own=${participant.id === you}
            muted=${participant.id === you ? ownMuted : !sends(participant, 'microphone')} omitted=${leftOut(room, participant.id)}
            onRemove=${host && participant.id !== you ? () => setRemoving(participant) : null} />`)}
      </ul>
      <div class="panel-foot">
        <button type="button" class="button" onClick=${onCopyLink}><${Icon} name="copy" />${t('people.invite')}</button>
        ${host && html`<button type="button" class="button danger-quiet" onClick=${() => setEnding(true)}>${t('people.end')}</button>`}
      </div>
      ${removing && html`
        <${ConfirmDialog} title=${t('people.removeTitle', { name: removing.name })} plan=${[t('people.removePlan', { name: removing.name })]}
          action=${t('people.removeDo')} onConfirm=${() => onRemove(removing.id)} onClose=${() => setRemoving(null)} />`}
      ${ending && html`
        <${ConfirmDialog} title=${t('people.endTitle')} plan=${[tn('people.endPlan', people.length)]}
          action=${t('people.endDo')} onConfirm=${onEnd} onClose=${() => setEnding(false)} />`}
    </${Panel}>`;
}
