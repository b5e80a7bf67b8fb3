// Menus of microphones, cameras and loudspeakers, with what is wrong beside them and the level of the microphone.

/** @import { Devices } from '../models/devices.js' */
/** @import { Problem } from '../models/problems.js' */
import { useEffect, useId, useRef } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { canChooseSpeaker } from '../media/devices.js';
import { watchLevel } from '../media/level.js';
import { browserOf } from '../models/problems.js';
import { Note, html } from './ui.js';

/** @param {{ devices: Devices, kind: 'microphone' | 'camera' | 'speaker', children?: any }} props */
function DeviceMenu({ devices, kind, children }) {
  const id = useId();
  const entries = devices.list.value[kind];
  const inUse = kind === 'speaker' ? undefined : devices[kind].value?.getSettings().deviceId;
  const chosen = inUse ?? devices.chosen[kind].value;
  const title = t(/** @type {const} */ (`devices.${kind}`));
  return html`
    <div class="field device">
      <label for=${id}>${title}</label>
      <select id=${id} value=${chosen} disabled=${entries.length === 0}
        onChange=${(/** @type {any} */ event) => devices.choose(kind, event.target.value)}>
        ${!entries.some((entry) => entry.id === chosen) && html`<option value=${chosen}>${t(entries.length ? 'devices.default' : 'devices.none')}</option>`}
        ${entries.map((entry, index) => html`
          <option value=${entry.id}>${entry.label || t('devices.numbered', { kind: title, number: index + 1 })}</option>`)}
      </select>
      ${children}
    </div>`;
}

/** @param {{ devices: Devices }} props */
function Meter({ devices }) {
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  const track = devices.microphone.value;
  const on = devices.on.microphone.value;
  useEffect(() => {
    // Written past the renderer: twelve times a second is too often for a whole view.
    const show = (/** @type {number} */ level) => {
      bar.current?.style.setProperty('--level', String(level));
      bar.current?.setAttribute('aria-valuenow', String(Math.round(level * 100)));
    };
    show(0);
    return track && on ? watchLevel(track, show) : undefined;
  }, [track, on]);
  return html`
    <div class="meter" ref=${bar} role="meter" aria-label=${t('mic.level')} aria-valuemin="0" aria-valuemax="100" aria-valuenow="0"></div>`;
}

/** @param {{ devices: Devices }} props */
export function DeviceMenus({ devices }) {
  return html`
    <div class="device-menus">
      <${DeviceMenu} devices=${devices} kind="microphone"><${Meter} devices=${devices} /></${DeviceMenu}>
      <${DeviceMenu} devices=${devices} kind="camera" />
      ${canChooseSpeaker() && devices.list.value.speaker.length > 0 && html`<${DeviceMenu} devices=${devices} kind="speaker" />`}
    </div>`;
}

/** @typedef {'microphone' | 'camera'} Kind */

/** What went wrong with the devices, how to mend it in this browser, and that none is needed to join.
 * @param {{ devices: Devices, joined?: boolean }} props */
export function DeviceProblems({ devices, joined = false }) {
  const { microphone, camera } = devices.problems;
  if (microphone.value && microphone.value === camera.value) {
    return html`<${ProblemNote} devices=${devices} kinds=${['microphone', 'camera']} problem=${camera.value} joined=${joined} />`;
  }
  return html`
    ${microphone.value && html`<${ProblemNote} devices=${devices} kinds=${['microphone']} problem=${microphone.value} joined=${joined} />`}
    ${camera.value && html`<${ProblemNote} devices=${devices} kinds=${['camera']} problem=${camera.value} joined=${joined} />`}`;
}

/** @param {{ devices: Devices, kinds: Kind[], problem: Problem, joined: boolean }} props */
function ProblemNote({ devices, kinds, problem, joined }) {
  const remedy = problem === 'refused' ? t(`remedy.refused.${browserOf(navigator.userAgent)}`) : t(`remedy.${problem}`);
  const hopeless = problem === 'insecure' || problem === 'unsupported';
  const retry = async () => { for (const kind of kinds) await devices.retry(kind); };
  return html`
    <${Note} tone="amber" icon=${kinds[0] === 'camera' ? 'video-off' : 'mic-off'}>
      <p><strong>${t(`problem.${kinds.length === 2 ? 'both' : kinds[0]}.${problem}`)}</strong></p>
      <p>${remedy} ${!joined && t('problem.without')}</p>
      ${!hopeless && html`<button type="button" class="button small" onClick=${() => void retry()}>${t('app.again')}</button>`}
    </${Note}>`;
}
