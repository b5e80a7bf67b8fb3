// Microphone and camera, on the preview page and in the bar.

/** @import { Devices } from '../models/devices.js' */
import { t } from '../i18n.js';
import { keyOf } from '../models/shortcuts.js';
import { IconButton, html } from './ui.js';

/** @param {{ devices: Devices, shortcuts?: boolean }} props */
export function MediaButtons({ devices, shortcuts = false }) {
  const speaking = Boolean(devices.microphone.value && devices.on.microphone.value);
  const seen = Boolean(devices.camera.value);
  return html`
    <${IconButton} icon=${speaking ? 'mic' : 'mic-off'} label=${t(speaking ? 'mic.mute' : 'mic.unmute')} class=${speaking ? 'toggle' : 'toggle off'}
      shortcut=${shortcuts ? keyOf('microphone') : undefined} onClick=${() => devices.toggle('microphone')} />
    <${IconButton} icon=${seen ? 'video' : 'video-off'} label=${t(seen ? 'camera.off' : 'camera.on')} class=${seen ? 'toggle' : 'toggle off'}
      shortcut=${shortcuts ? keyOf('camera') : undefined} onClick=${() => devices.toggle('camera')} />`;
}
