// The one bar at the bottom of a meeting.

/** @import { Devices } from '../models/devices.js' */
/** @import { Reaction } from '../types.js' */
/** @import { Room } from '../models/room.js' */
/** @import { MenuItem } from './menu.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import { minutesOf, t, tn } from '../i18n.js';
import { canShareScreen } from '../media/devices.js';
import { keyOf } from '../models/shortcuts.js';
import { MediaButtons } from './media-buttons.js';
import { Menu } from './menu.js';
import { REACTIONS, ReactionIcon } from './reactions.js';
import { Icon, IconButton, html } from './ui.js';

const LOOK_MS = 5000;

/** Which room this is, and for how long one has been in it. @param {{ room: Room }} props */
function Place({ room }) {
  const passed = () => Math.floor((Date.now() - room.since.value) / 60_000);
  const [minutes, setMinutes] = useState(passed);
  useEffect(() => {
    const timer = setInterval(() => setMinutes(passed()), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  const name = room.info.value?.name;
  // The page's heading says the name to those who do not see it here.
  return html`
    <div class="bar-place">
      ${room.state.value.locked && html`<${Icon} name="lock" class="bar-lock" /><span class="visually-hidden">${t('lock.note')}</span>`}
      <p class="bar-name" title=${name} aria-hidden="true">${name}</p>
      ${minutes > 0 && html`<p class="bar-time"><span class="visually-hidden">${t('stage.since')} </span>${minutesOf(minutes)}</p>`}
    </div>`;
}

/**
 * @param {object} props
 * @param {Room} props.room
 * @param {Devices} props.devices
 * @param {() => void} props.onShare
 * @param {() => void} props.onRecord
 * @param {() => void} props.onHand
 * @param {(reaction: Reaction) => void} props.onReact
 * @param {(MenuItem | false)[]} props.more
 * @param {() => void} props.onLeave
 */
export function Bar({ room, devices, onShare, onRecord, onHand, onReact, more, onLeave }) {
  const panel = room.panel.value;
  const unread = room.unread.value;
  const sharing = devices.screen.value !== null;
  const people = room.participants.value.length;
  const waiting = room.lobby.value.length;
  const recording = room.recording.value !== null;
  const handUp = room.handUp.value;
  const records = room.mayRecord.value || (recording && room.role.value === 'host');
  const recordWords = t(recording ? 'recording.stop' : 'recording.start');
  const recordIcon = recording ? 'circle-stop' : 'circle-dot';
  const reactions = REACTIONS.map((reaction) => ({ icon: html`<${ReactionIcon} reaction=${reaction} />`, label: t(`reaction.${reaction}`), onClick: () => onReact(reaction) }));
  return html`
    <footer class="bar">
      <${Place} room=${room} />
      <div class="bar-group">
        <${MediaButtons} devices=${devices} shortcuts />
        ${canShareScreen() && (room.mayShare.value || sharing) && html`
          <${IconButton} icon=${sharing ? 'monitor-off' : 'monitor-up'} label=${t(sharing ? 'share.stop' : 'share.start')}
            class=${sharing ? 'toggle active share' : 'toggle share'} shortcut=${keyOf('share')} onClick=${onShare} />`}
        <${IconButton} icon="hand" label=${t(handUp ? 'hand.lower' : 'hand.raise')} class=${handUp ? 'toggle active' : 'toggle'} shortcut=${keyOf('hand')} onClick=${onHand} />
        <${Menu} icon="smile-plus" label=${t('reaction.title')} class="wide-only" row items=${reactions} />
        ${records && html`
          <${IconButton} icon=${recordIcon} label=${recordWords} class=${`wide-only record toggle ${recording ? 'recording' : ''}`} onClick=${onRecord} />`}
      </div>
      <div class="bar-end">
        <div class="bar-group">
          <${IconButton} icon="message-square" label=${t('chat.title')} shortcut=${keyOf('chat')} class=${panel === 'chat' ? 'open' : ''}
            expanded=${panel === 'chat'} note=${unread ? tn('chat.unread', unread) : undefined} onClick=${() => room.toggle('chat')}>
            ${unread > 0 && html`<span class="badge unread" data-count=${unread > 9 ? '9+' : unread}></span>`}
          </${IconButton}>
          <${IconButton} icon="users" label=${t('people.title')} shortcut=${keyOf('people')} class=${panel === 'people' ? 'open' : ''}
            expanded=${panel === 'people'} note=${waiting ? `${tn('preview.here', people)}. ${tn('lobby.waiting', waiting)}` : tn('preview.here', people)} onClick=${() => room.toggle('people')}>
            ${waiting > 0 ? html`<span class="badge waits" data-count=${waiting}></span>` : people > 1 && html`<span class="badge" data-count=${people}></span>`}
          </${IconButton}>
          <${Menu} icon="ellipsis" label=${t('more.title')} items=${[
            ...reactions.map((item) => ({ ...item, class: 'narrow reaction' })),
            records && { icon: recordIcon, label: recordWords, class: 'narrow', onClick: onRecord }, ...more,
          ]} />
        </div>
        <button type="button" class="button danger leave" aria-label=${t('leave')} onClick=${onLeave}><${Icon} name="phone-off" /><span>${t('leave')}</span></button>
      </div>
    </footer>`;
}
