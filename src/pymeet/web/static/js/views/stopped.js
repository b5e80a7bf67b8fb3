// That a host switched something of one's own off, and how to have it back.

/** @import { Devices } from '../models/devices.js' */
/** @import { Room } from '../models/room.js' */
import { useEffect } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { Icon, html } from './ui.js';

const ICONS = /** @type {const} */ ({ microphone: 'mic-off', camera: 'video-off', screen: 'monitor-off' });

/** @param {{ room: Room, devices: Devices }} props */
export function StoppedNote({ room, devices }) {
  const stopped = room.stopped.value;
  const source = stopped?.source === 'screen_audio' ? 'screen' : stopped?.source;
  const back = source === 'screen' ? devices.screen.value !== null : source !== undefined && devices.on[source].value;
  // Who has it back need not be told any more.
  useEffect(() => { if (back) room.stopped.value = null; }, [back]);
  if (!stopped || !source || back) return null;
  const words = stopped.name ? t(`stopped.${source}`, { name: stopped.name }) : t(`stopped.${source}.host`);
  return html`
    <div class="banner stopped" role="alert"><${Icon} name=${ICONS[source]} /><span>${words}</span>
      ${source !== 'screen' && html`<button type="button" class="button small" onClick=${() => void devices.toggle(source)}>${t('stopped.again')}</button>`}
      <button type="button" class="banner-close" aria-label=${t('app.close')} onClick=${() => { room.stopped.value = null; }}><${Icon} name="x" /></button>
    </div>`;
}
