// Parts of the room's page that are fetched beside what is shown first, so that the first picture does not wait for them.

import { signal } from '../../vendor/signals-core.js';
import { useEffect } from '../../vendor/preact-hooks.js';
import { loadWords, t } from '../i18n.js';
import { toast } from './toast.js';
import { html } from './ui.js';

/**
 * A part that stands for the one that `load` brings; `prepare` fetches it before it is wanted.
 * What cannot be fetched is said only where it is wanted: what failed before that is asked for once more then, without a word.
 * @param {() => Promise<any>} load
 * @param {(props: { failed: boolean }) => any} [Instead] what is shown until it is there
 */
function later(load, Instead = () => null) {
  const part = signal(/** @type {any} */ (null));
  const failed = signal(false);
  let asked = false;
  let wanted = false;
  const prepare = () => {
    if (asked) return;
    asked = true;
    failed.value = false;
    const ahead = !wanted;
    load().then((found) => { part.value = found; }, () => {
      asked = false;
      if (!wanted) return;
      if (ahead) prepare();
      else {
        failed.value = true;
        toast(t('start.unreachable'));
      }
    });
  };
  const Later = (/** @type {any} */ props) => {
    useEffect(() => {
      wanted = true;
      prepare();
      return () => { wanted = failed.value = false; };
    }, []);
    return part.value ? html`<${part.value} ...${props} />` : html`<${Instead} failed=${failed.value} />`;
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

/** In place of a whole page. @param {{ failed: boolean }} props */
function Missing({ failed }) {
  const again = () => location.reload();
  return failed && html`
    <div class="meeting">
      <div class="meeting-wait">
        <p role="status">${t('start.unreachable')}</p>
        <button type="button" class="button" onClick=${again}>${t('app.again')}</button>
      </div>
    </div>`;
}

/** Who is in the meeting before its page is; a reload takes the same seat. @param {{ failed: boolean }} props */
function Joining({ failed }) {
  if (failed) return html`<${Missing} failed />`;
  return html`<div class="meeting"><div class="meeting-wait"><p role="status">${t('preview.joining')}</p></div></div>`;
}

export const MeetingView = later(async () => (await import('./meeting.js')).MeetingView, Joining);
export const Chat = later(async () => (await import('./chat.js')).Chat);
export const Knock = later(async () => (await import('./waiting-note.js')).Knock);
export const LobbyView = later(async () => (await import('./lobby.js')).LobbyView, Missing);
export const People = later(async () => (await import('./people.js')).People);
export const Consent = later(async () => (await import('./recording/consent.js')).Consent);
export const EndingView = later(async () => (await import('./ending.js')).EndingView, Missing);
export const FlowsPanel = later(withWords(async () => (await import('./flows.js')).FlowsPanel, () => import('../flows-words.js')));
export const ConnectionCheckDialog = later(withWords(async () => (await import('./connection-check.js')).ConnectionCheckDialog, () => import('../check-words.js')));
export const Settings = later(async () => (await import('./settings.js')).Settings);
export const Keys = later(async () => (await import('./keys.js')).Keys);
export const RoomSettings = later(withWords(async () => (await import('./room-settings.js')).RoomSettings, () => import('../rooms-words.js')));
export const WaitingNote = later(async () => (await import('./waiting-note.js')).WaitingNote);
export const RecordingDialogs = later(async () => (await import('./recording/controls.js')).RecordingDialogs);

/** Whoever is in the meeting has all of it at hand, also when the network goes away later. */
export function prepareAll() {
  for (const part of [Chat, People, Consent, EndingView, FlowsPanel, Knock, LobbyView, Settings, Keys, RoomSettings, WaitingNote, RecordingDialogs]) part.prepare();
}
