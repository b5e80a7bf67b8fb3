// Before the door: who has to be let in keeps picture and devices at hand, and hears of it at once.

/** @import { Devices } from '../models/devices.js' */
/** @import { Room } from '../models/room.js' */
import { t } from '../i18n.js';
import { DeviceMenus, DeviceProblems } from './device-menus.js';
import { Picture } from './preview.js';
import { Icon, Note, Page, html, useFocus } from './ui.js';

/** @param {{ room: Room, devices: Devices, name: string, onLeave: () => void }} props */
export function LobbyView({ room, devices, name, onLeave }) {
  const title = useFocus();
  return html`
    <${Page}>
      <div class="preview">
        <div class="preview-left">
          <${Picture} devices=${devices} />
          <${DeviceProblems} devices=${devices} />
          <${DeviceMenus} devices=${devices} />
        </div>
        <section class="preview-form lobby" aria-labelledby="lobby-title">
          <div class="preview-room">
            <p class="quiet-text">${room.info.value?.name}</p>
            <h1 id="lobby-title" ref=${title} tabindex="-1">${t('lobby.title')}</h1>
          </div>
          <p class="lobby-state" role="status"><${Icon} name="clock" /><span>${t('lobby.text')}</span></p>
          <p class="quiet-text">${t('lobby.as', { name })}</p>
          <div class="preview-join">
            ${room.link.value === 'reconnecting' && html`<${Note} tone="amber" icon="wifi-off"><p>${t('preview.trouble')}</p></${Note}>`}
            <button type="button" class="button wide" onClick=${onLeave}>${t('lobby.leave')}</button>
          </div>
        </section>
      </div>
    </${Page}>`;
}
