// The one bar at the bottom of a meeting.

/** @import { Devices } from '../models/devices.js' */
/** @import { Room } from '../models/room.js' */
import { t, tn } from '../i18n.js';
import { canShareScreen } from '../media/devices.js';
import { keyOf } from '../models/shortcuts.js';
import { MediaButtons } from './media-buttons.js';
import { Icon, IconButton, html } from './ui.js';

/**
 * @param {object} props
 * @param {Room} props.room
 * @param {Devices} props.devices
 * @param {() => void} props.onShare
 * @param {() => void} props.onSettings
 * @param {() => void} props.onLeave
 */
export function Bar({ room, devices, onShare, onSettings, onLeave }) {
  const panel = room.panel.value;
  const unread = room.unread.value;
  const sharing = devices.screen.value !== null;
  const people = room.participants.value.length;
  return html`
    <footer class="bar">
      <div class="bar-group">
        <${MediaButtons} devices=${devices} shortcuts />
        ${canShareScreen() && html`
          <${IconButton} icon=${sharing ? 'monitor-off' : 'monitor-up'} label=${t(sharing ? 'share.stop' : 'share.start')}
            class=${sharing ? 'toggle active' : 'toggle'} shortcut=${keyOf('share')} onClick=${onShare} />`}
      </div>
      <div class="bar-group">
        <${IconButton} icon="message-square" label=${t('chat.title')} shortcut=${keyOf('chat')} class=${panel === 'chat' ? 'open' : ''}
          expanded=${panel === 'chat'} note=${unread ? tn('chat.unread', unread) : undefined} onClick=${() => room.toggle('chat')}>
          ${unread > 0 && html`<span class="badge unread" aria-hidden="true">${unread > 9 ? '9+' : unread}</span>`}
        </${IconButton}>
        <${IconButton} icon="users" label=${t('people.title')} shortcut=${keyOf('people')} class=${panel === 'people' ? 'open' : ''}
          expanded=${panel === 'people'} onClick=${() => room.toggle('people')}>
          ${people > 1 && html`<span class="badge" aria-hidden="true">${people}</span>`}
        </${IconButton}>
        <${IconButton} icon="settings" label=${t('settings.title')} onClick=${onSettings} />
      </div>
      <div class="bar-group">
        <button type="button" class="button danger leave" aria-label=${t('leave')} onClick=${onLeave}><${Icon} name="phone-off" /><span>${t('leave')}</span></button>
      </div>
    </footer>`;
}
