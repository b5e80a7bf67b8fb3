// Parts of the meeting that are fetched once it is shown, so that the first picture does not wait for them.

import { signal } from '../../vendor/signals-core.js';
import { useEffect } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { toast } from './toast.js';
import { html } from './ui.js';

/**
 * A part that stands for the one that `load` brings; `prepare` fetches it before it is wanted.
 * @param {() => Promise<any>} load
 */
function later(load) {
  const part = signal(/** @type {any} */ (null));
  /** @type {Promise<void> | null} */
  let asked = null;
  const prepare = (/** @type {() => void} */ failed) => {
    asked ??= load().then((found) => { part.value = found; }, () => { asked = null; failed(); });
  };
  const Later = (/** @type {any} */ props) => {
    useEffect(() => prepare(() => toast(t('start.unreachable'))), []);
    return part.value && html`<${part.value} ...${props} />`;
  };
  return Object.assign(Later, { prepare });
}

export const Chat = later(async () => (await import('./chat.js')).Chat);
export const People = later(async () => (await import('./people.js')).People);
export const Settings = later(async () => (await import('./settings.js')).Settings);
export const Keys = later(async () => (await import('./keys.js')).Keys);
export const RoomSettings = later(async () => (await import('./room-settings.js')).RoomSettings);
export const RecordingDialogs = later(async () => (await import('./recording/controls.js')).RecordingDialogs);

/** Whoever is in the meeting has all of it at hand, also when the network goes away later. */
export function prepareAll() {
  // What could not be fetched now is fetched when it is wanted.
  for (const part of [Chat, People, Settings, Keys, RoomSettings, RecordingDialogs]) part.prepare(() => {});
}
