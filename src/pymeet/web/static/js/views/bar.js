// The one bar at the bottom of a meeting.

/** @import { Devices } from '../models/devices.js' */
/** @import { Room } from '../models/room.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import { minutesOf, t, tn } from '../i18n.js';
import { canShareScreen } from '../media/devices.js';
import { keyOf } from '../models/shortcuts.js';
import { MediaButtons } from './media-buttons.js';
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
 * @param {() => void} props.onSettings
 * @param {() => void} props.onLeave
 */
export function Bar({ room, devices, onShare, onRecord, onSettings, onLeave }) {
  const panel = room.panel.value;
  const unread = room.unread.value;
  const sharing = devices.screen.value !== null;
  const people = room.participants.value.length;
  const recording = room.recording.value !== null;
  return html`
    <footer class="bar">
      <${Place} room=${room} />
      <div class="bar-group">
        <${MediaButtons} devices=${devices} shortcuts />
        ${canShareScreen() && html`
          <${IconButton} icon=${sharing ? 'monitor-off' : 'monitor-up'} label=${t(sharing ? 'share.stop' : 'share.start')}
            class=${sharing ? 'toggle active' : 'toggle'} shortcut=${keyOf('share')} onClick=${onShare} />`}
        ${(room.mayRecord.value || (recording && room.role.value === 'host')) && html`
          <${IconButton} icon=${recording ? 'circle-stop' : 'circle-dot'} label=${t(recording ? 'recording.stop' : 'recording.start')}
            class=${recording ? 'record toggle recording' : 'record toggle'} onClick=${onRecord} />`}
      </div>
      <div class="bar-end">
        <div class="bar-group">
          <${IconButton} icon="message-square" label=${t('chat.title')} shortcut=${keyOf('chat')} class=${panel === 'chat' ? 'open' : ''}
            expanded=${panel === 'chat'} note=${unread ? tn('chat.unread', unread) : undefined} onClick=${() => room.toggle('chat')}>
            ${unread > 0 && html`<span class="badge unread" data-count=${unread > 9 ? '9+' : unread}></span>`}
          </${IconButton}>
          <${IconButton} icon="users" label=${t('people.title')} shortcut=${keyOf('people')} class=${panel === 'people' ? 'open' : ''}
            expanded=${panel === 'people'} note=${tn('preview.here', people)} onClick=${() => room.toggle('people')}>
            ${people > 1 && html`<span class="badge" data-count=${people}></span>`}
          </${IconButton}>
          <${IconButton} icon="settings" label=${t('settings.title')} onClick=${onSettings} />
        </div>
        <button type="button" class="button danger leave" aria-label=${t('leave')} onClick=${onLeave}><${Icon} name="phone-off" /><span>${t('leave')}</span></button>
      </div>
    </footer>`;
}
