// The sign that a meeting is recorded: always there while it is, for everybody, and said aloud when it comes and goes.

/** @import { Room } from '../../models/room.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import { chosenLanguage, t, timeOf } from '../../i18n.js';
import { Icon, IconButton, html } from '../ui.js';

/** @param {number} sinceMs */
function elapsed(sinceMs) {
  const seconds = Math.max(0, Math.floor((Date.now() - sinceMs) / 1000));
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  return `${hours ? `${hours}:` : ''}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** @param {{ room: Room }} props */
function Elapsed({ room }) {
  const since = room.recordingSince.value;
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<span class="recording-time">${elapsed(since)}</span>`;
}

/** @param {Room} room */
function ownState(room) {
  return t(room.isRecorded.value ? 'recording.youAre' : 'recording.youAreNot');
}

/**
 * @param {object} props
 * @param {Room} props.room
 * @param {() => void} props.onDetails
 * @param {() => void} props.onMark
 */
export function RecordingSign({ room, onDetails, onMark }) {
  const recording = room.recording.value;
  if (!recording) return null;
  return html`
    <div class="recording-strip" role="group" aria-label=${t('recording.sign')}>
      <button type="button" class="recording-sign" aria-haspopup="dialog" onClick=${onDetails}>
        <span class="recording-word"><span class="recording-dot" aria-hidden="true"></span>${t('recording.sign')}</span>
        <${Elapsed} room=${room} />
        <span class="recording-you">${ownState(room)}</span>
        <span class="visually-hidden">${t('recording.details')}</span>
      </button>
      ${room.role.value === 'host' && room.isRecorded.value && html`
        <${IconButton} icon="bookmark" label=${t('marker.add')} onClick=${onMark} />`}
    </div>`;
}

/** That it is going to be stopped, and why. @param {{ room: Room }} props */
export function RecordingWarning({ room }) {
  const warning = room.recording.value?.warning;
  return html`
    <div class="banner-place" role="status">
      ${warning && html`<div class="banner"><${Icon} name="circle-alert" /><span>${warningWords(warning.reason, warning.stops_at)}</span></div>`}
    </div>`;
}

/** @param {string} reason @param {number | null} stopsAtMs */
function warningWords(reason, stopsAtMs) {
  const why = t(reason === 'time' || reason === 'size' || reason === 'disk' ? `recording.near.${reason}` : 'recording.near.limit');
  const when = stopsAtMs === null ? t('recording.soon') : t('recording.endsAt', { time: timeOf(stopsAtMs) });
  return `${when} ${why}`;
}

const REASONS = /** @type {const} */ (['host', 'empty', 'ended', 'time', 'size', 'disk', 'nobody', 'server']);

/** @param {string} reason */
export function endWords(reason) {
  const known = REASONS.find((each) => each === reason);
  return known ? t(`recording.ended.${known}`) : t('recording.over');
}

const voice = () => import('../../media/announce.js');

/** What a screen reader says at once and a voice of the device says aloud. @param {{ room: Room }} props */
export function Announcement({ room }) {
  const news = room.recordingNews.value;
  const words = news === null ? '' : news.kind === 'begun' ? t('recording.begun') : endWords(news.reason);
  const asked = news?.kind === 'begun' && room.asked.value;
  useEffect(() => { voice().then(({ prepareVoice }) => prepareVoice(), () => {}); }, []);
  useEffect(() => {
    if (news) voice().then(({ announce }) => announce(words, chosenLanguage(), news.kind === 'begun' ? 'up' : 'down'), () => {});
  }, [news]);
  return html`<div class="visually-hidden" role="alert">${words}${asked && ` ${t('recording.asked')}`}</div>`;
}

/** After it ended: why, and where it is for those who may watch it. @param {{ room: Room, onClose: () => void }} props */
export function RecordingOver({ room, onClose }) {
  const news = room.recordingNews.value;
  if (news?.kind !== 'ended') return null;
  return html`
    <p class="chip recording-over">
      <${Icon} name="circle-stop" /><span>${endWords(news.reason)}</span>
      ${room.mayWatch.value && html`<a class="chip-button" href="/recordings" target="_blank" rel="noopener">${t('recording.open')}</a>`}
      <button type="button" class="chip-button chip-close" aria-label=${t('app.close')} onClick=${onClose}><${Icon} name="x" /></button>
    </p>`;
}
