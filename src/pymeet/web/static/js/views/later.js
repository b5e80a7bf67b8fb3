// Parts of the meeting that are fetched once it is shown, so that the first picture does not wait for them.

import { signal } from '../../vendor/signals-core.js';
import { useEffect } from '../../vendor/preact-hooks.js';
import { loadWords, t } from '../i18n.js';
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

/** A part with words of its own. @param {() => Promise<any>} load @param {() => Promise<unknown>} words */
function withWords(load, words) {
  return async () => {
    const [part] = await Promise.all([load(), words()]);
    await loadWords();
    return part;
  };
}

export const Chat = later(async () => (await import('./chat.js')).Chat);
export const Knock = later(async () => (await import('./waiting-note.js')).Knock);
export const LobbyView = later(async () => (await import('./lobby.js')).LobbyView);
export const People = later(async () => (await import('./people.js')).People);
export const Consent = later(async () => (await import('./recording/consent.js')).Consent);
export const EndingView = later(async () => (await import('./ending.js')).EndingView);
export const FlowsPanel = later(withWords(async () => (await import('./flows.js')).FlowsPanel, () => import('../flows-words.js')));
export const ConnectionCheckDialog = later(withWords(async () => (await import('./connection-check.js')).ConnectionCheckDialog, () => import('../check-words.js')));
export const Settings = later(async () => (await import('./settings.js')).Settings);
export const Keys = later(async () => (await import('./keys.js')).Keys);
export const RoomSettings = later(withWords(async () => (await import('./room-settings.js')).RoomSettings, () => import('../rooms-words.js')));
export const WaitingNote = later(async () => (await import('./waiting-note.js')).WaitingNote);
export const RecordingDialogs = later(async () => (await import('./recording/controls.js')).RecordingDialogs);

/** Whoever is in the meeting has all of it at hand, also when the network goes away later. */
export function prepareAll() {
  // What could not be fetched now is fetched when it is wanted.
  for (const part of [Chat, People, Consent, EndingView, FlowsPanel, Knock, LobbyView, Settings, Keys, RoomSettings, WaitingNote, RecordingDialogs]) part.prepare(() => {});
}
