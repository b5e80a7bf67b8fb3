// Before the meeting: how the others will see and hear me, and under which name.

/** @import { RoomCard } from '../api.js' */
/** @import { Devices } from '../models/devices.js' */
import { useState } from '../../vendor/preact-hooks.js';
import { t, tn } from '../i18n.js';
import { DeviceMenus, DeviceProblems } from './device-menus.js';
import { MediaButtons } from './media-buttons.js';
import { Field, Icon, Note, Page, html } from './ui.js';
import { Video } from './video.js';

/** @param {{ devices: Devices }} props */
function Picture({ devices }) {
  const camera = devices.camera.value;
  return html`
    <div class="preview-picture" role="group" aria-label=${t('preview.picture')}>
      ${camera
        ? html`<${Video} key=${camera.id} source=${camera} mirrored />`
        : html`<p class="preview-off"><${Icon} name="video-off" />${t('camera.isOff')}</p>`}
      <div class="preview-buttons"><${MediaButtons} devices=${devices} /></div>
    </div>`;
}

/** @param {{ card: RoomCard, devices: Devices, initialName: string, busy: boolean, trouble?: boolean, onJoin: (name: string) => void }} props */
export function Preview({ card, devices, initialName, busy, trouble = false, onJoin }) {
  const [name, setName] = useState(initialName);
  const [missing, setMissing] = useState(false);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const given = name.trim().replace(/\s+/gu, ' ');
    if (given) return onJoin(given);
    setMissing(true);
    /** @type {HTMLElement | null} */ (document.querySelector('.preview-form input'))?.focus();
    return undefined;
  };
  const change = (/** @type {string} */ value) => { setName(value); setMissing(false); };
  return html`
    <${Page}>
      <div class="preview">
        <div class="preview-left">
          <${Picture} devices=${devices} />
          ${devices.asking.value && html`<${Note}><p>${t('preview.asking')}</p></${Note}>`}
          <${DeviceProblems} devices=${devices} />
          <${DeviceMenus} devices=${devices} />
        </div>
        <form class="preview-form" onSubmit=${submit} novalidate>
          <div class="preview-room">
            <h1>${card.name}</h1>
            <p class="quiet-text">${card.people ? tn('preview.here', card.people) : t('preview.nobody')}</p>
          </div>
          <${Field} label=${t('preview.name')} value=${name} onInput=${change} hint=${t('preview.nameHint')}
            error=${missing ? t('preview.nameMissing') : ''} input=${{ maxlength: 60, autocomplete: 'name', autofocus: true }} />
          <div class="preview-join">
            ${trouble && html`<${Note} tone="amber" icon="wifi-off"><p>${t('preview.trouble')}</p></${Note}>`}
            <button type="submit" class="button primary wide" disabled=${busy}>${t(busy ? 'preview.joining' : 'preview.join')}</button>
          </div>
        </form>
      </div>
    </${Page}>`;
}
