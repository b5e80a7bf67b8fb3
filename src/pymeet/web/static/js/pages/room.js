// /r/<slug>: preview, meeting and what comes after it, one after the other.

/** @import { RoomCard } from '../api.js' */
/** @import { Answer, EarlyAnswer } from '../types.js' */
import { signal } from '../../vendor/signals-core.js';
import '../hosting-words.js';
import { connectAfresh } from '../afresh.js';
import * as api from '../api.js';
import { Meeting } from '../meeting.js';
import { keptSeat, rememberName, rememberedName } from '../models/choices.js';
import { Devices } from '../models/devices.js';
import { Room } from '../models/room.js';
import { EndingView, LobbyView, MeetingView } from '../views/later.js';
import { Preview } from '../views/preview.js';
import { EntryRefused } from '../views/refused.js';
import { Page, html, start } from '../views/ui.js';
import { chosenLanguage, t } from '../i18n.js';

/** @import { Refusal } from '../views/refused.js' */
/** @typedef {{ room: Room, devices: Devices, meeting: Meeting, name: string, password: string }} Seat */

const slug = decodeURIComponent(location.pathname.split('/')[2] ?? '');
const card = signal(/** @type {RoomCard | null} */ (null));
const refused = signal(/** @type {Refusal | null} */ (null));
const seat = signal(/** @type {Seat | null} */ (null));
const suggested = signal('');
/** While it is looked up whether the question about a recording has changed. */
const looking = signal(false);
/** Why the password that was given does not open the room. */
const refusal = signal(/** @type {'wrong_password' | 'too_many' | null} */ (null));
let previewDevices = new Devices();

/**
 * @param {string} name
 * @param {string | null} token
 * @param {Devices} devices
 * @param {number} [sinceMs]
 * @param {EarlyAnswer | null} [recording]
 * @param {string} [password]
 */
function join(name, token, devices, sinceMs = 0, recording = null, password = '') {
  MeetingView.prepare();
  const room = new Room();
  room.since.value = sinceMs;
  room.recordingsAllowed.value = card.value?.recordings_allowed ?? false;
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socketUrl = `${scheme}://${location.host}/ws/${encodeURIComponent(slug)}`;
  const meeting = new Meeting({ slug, name, token, password, recording, socketUrl, room, devices, connect: connectAfresh });
  room.ending.subscribe((ending) => {
    if (ending?.code === 'wrong_password' || ending?.code === 'too_many') askPassword(ending.code, name, devices);
    else if (ending) devices.stop();
  });
  meeting.open();
  seat.value = { room, devices, meeting, name, password };
}

/** Back to the preview, as it was but for the password. @param {'wrong_password' | 'too_many'} why @param {string} name @param {Devices} devices */
function askPassword(why, name, devices) {
  previewDevices = devices;
  suggested.value = name;
  refusal.value = why;
  seat.value = null;
  if (!card.value) void enter();
}

/** Who waited on the preview may be asked another question now than the one they answer.
 * @param {string} name @param {Answer | null} answer @param {string} password */
async function joinFromPreview(name, answer, password) {
  rememberName(name);
  const asked = card.value?.recording?.id ?? null;
  looking.value = true;
  const found = await api.room(slug).catch(() => null);
  looking.value = false;
  if (found) card.value = found;
  const runs = found?.recording?.id ?? null;
  if (found && runs !== null && runs !== asked) return;
  join(name, null, previewDevices, 0, asked !== null && answer ? { id: asked, answer, language: chosenLanguage() } : null, password);
}

function rejoin() {
  const name = seat.value?.name ?? rememberedName();
  const devices = new Devices();
  void devices.start();
  join(name, null, devices, 0, null, seat.value?.password);
}

async function enter() {
  refused.value = null;
  try {
    const [found, me] = await Promise.all([api.room(slug), api.me()]);
    document.title = found.name;
    suggested.value ||= rememberedName() || (me.user?.name ?? '');
    card.value = found;
    if (!found.may_join) refused.value = 'closed';
    else if (found.people >= found.max_participants) refused.value = 'full';
    else if (refusal.value === null) void previewDevices.start();
    // While somebody looks into the mirror there is time to fetch what they see next.
    if (refused.value === null) MeetingView.prepare();
  } catch (error) {
    const status = error instanceof api.ApiError ? error.status : 0;
    refused.value = status === 404 ? 'missing' : status === 401 || status === 403 ? 'closed' : 'error';
  }
}

/** After a reload the page takes its seat again without asking. */
function resume() {
  const kept = keptSeat(slug, Date.now());
  if (!kept) return false;
  void previewDevices.start();
  join(kept.name, kept.token, previewDevices, kept.sinceMs);
  const room = seat.value?.room;
  void api.room(slug).then((found) => {
    card.value = found;
    if (room) room.recordingsAllowed.value = found.recordings_allowed ?? false;
  }, () => {});
  return true;
}

/** The tab tells who looks elsewhere that somebody waits, or that they still do themselves. @param {Room} room @param {string} name */
function titleOf(room, name) {
  const waiting = room.lobby.value.length;
  if (!room.joined.value && room.waitingSince.value) return `${t('lobby.title')} · ${name}`;
  return waiting ? `(${waiting}) ${name}` : name;
}

function App() {
  if (seat.value) {
    const { room, devices, meeting, name } = seat.value;
    if (room.ending.value) return html`<${EndingView} ending=${room.ending.value} receipt=${room.receipt.value}
      recorded=${room.mayWatch.value} onRejoin=${rejoin} />`;
    if (room.info.value) document.title = titleOf(room, room.info.value.name);
    if (room.joined.value) {
      return html`<${MeetingView} room=${room} devices=${devices} meeting=${meeting} name=${name} owns=${card.value?.role === 'host'} />`;
    }
    if (room.waitingSince.value) return html`<${LobbyView} room=${room} devices=${devices} name=${name} onLeave=${() => meeting.leave()} />`;
    if (card.value) return html`<${Preview} card=${card.value} devices=${devices} initialName=${name} busy trouble=${room.link.value === 'reconnecting'}
      onJoin=${() => {}} />`;
    return html`<div class="meeting"><p class="meeting-wait" role="status">${t('preview.joining')}</p></div>`;
  }
  if (refused.value) return html`<${EntryRefused} why=${refused.value} onRetry=${() => void enter()} />`;
  if (!card.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  return html`<${Preview} card=${card.value} devices=${previewDevices} initialName=${suggested.value} busy=${looking.value} refusal=${refusal.value}
    onJoin=${(/** @type {string} */ name, /** @type {Answer | null} */ answer, /** @type {string} */ password) => void joinFromPreview(name, answer, password)} />`;
}

function watchNetwork() {
  window.addEventListener('online', () => seat.value?.meeting.wake(true));
  /** @type {any} */ (navigator).connection?.addEventListener?.('change', () => seat.value?.meeting.wake(true));
  document.addEventListener('visibilitychange', () => {
    seat.value?.room.viewing.hide(document.hidden);
    if (!document.hidden) seat.value?.meeting.wake(false);
  });
  window.addEventListener('pagehide', () => seat.value?.meeting.rememberSeat());
  // A page kept in the browser's back-forward cache has lost its connections.
  window.addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
}

Object.defineProperty(window, 'pymeet', {
  value: Object.freeze({
    get publishPc() { return seat.value?.meeting.publishPc ?? null; },
    get subscribePc() { return seat.value?.meeting.subscribePc ?? null; },
    state() {
      const room = seat.value?.room;
      if (!room) return { link: 'none', participants: [] };
      const { link, you, mediaFlows, participants, speakers, ending, recording } = room;
      return {
        link: link.value, you: you.value, mediaFlows: mediaFlows.value, ending: ending.value,
        participants: participants.value, speakers: speakers.value, recording: recording.value,
      };
    },
  }),
});

watchNetwork();
if (!resume()) void enter();
void start('app.name', () => html`<${App} />`);
