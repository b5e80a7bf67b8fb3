// Devices, theme and keys, changed during the meeting and kept on this device.

/** @import { Devices } from '../models/devices.js' */
import { useId, useState } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { THEMES, knockWanted, rememberKnock, rememberShortcuts, rememberTheme, rememberedTheme, shortcutsWanted } from '../models/choices.js';
import { DeviceMenus, DeviceProblems } from './device-menus.js';
import { Dialog, Icon, html, showTheme } from './ui.js';

/** @param {{ devices: Devices, onClose: () => void, onKeys: () => void }} props */
export function Settings({ devices, onClose, onKeys }) {
  const musicHint = useId();
  const [keys, setKeys] = useState(shortcutsWanted());
  const changeKeys = () => { rememberShortcuts(!keys); setKeys(!keys); };
  const [knock, setKnock] = useState(knockWanted());
  const changeKnock = () => { rememberKnock(!knock); setKnock(!knock); };
  return html`
    <${Dialog} title=${t('settings.title')} onClose=${onClose}>
      <section class="settings-part">
        <h3>${t('settings.devices')}</h3>
        <${DeviceProblems} devices=${devices} joined />
        <${DeviceMenus} devices=${devices} />
        <div>
          <label class="check"><input type="checkbox" checked=${devices.music.value} aria-describedby=${musicHint} onChange=${() => void devices.playMusic(!devices.music.value)} />${t('settings.music')}</label>
          <p id=${musicHint} class="quiet-text">${t('settings.musicHint')}</p>
        </div>
      </section>
      <section class="settings-part">
        <h3>${t('settings.appearance')}</h3>
        <${ThemeMenu} />
      </section>
      <section class="settings-part">
        <h3>${t('settings.sounds')}</h3>
        <label class="check"><input type="checkbox" checked=${knock} onChange=${changeKnock} />${t('settings.knock')}</label>
      </section>
      <section class="settings-part">
        <h3>${t('settings.keys')}</h3>
        <label class="check"><input type="checkbox" checked=${keys} onChange=${changeKeys} />${t('settings.keysOn')}</label>
        <button type="button" class="button" onClick=${onKeys}><${Icon} name="keyboard" />${t('settings.keysShow')}</button>
      </section>
      <p class="quiet-text">${t('settings.kept')}</p>
    </${Dialog}>`;
}

function ThemeMenu() {
  const id = useId();
  const [theme, setTheme] = useState(rememberedTheme());
  const change = (/** @type {any} */ event) => {
    const chosen = event.target.value;
    rememberTheme(chosen);
    setTheme(chosen);
    showTheme(chosen);
  };
  return html`
    <div class="field">
      <label for=${id}>${t('settings.theme')}</label>
      <select id=${id} value=${theme} onChange=${change}>
        ${THEMES.map((name) => html`<option value=${name}>${t(`theme.${name}`)}</option>`)}
      </select>
    </div>`;
}
