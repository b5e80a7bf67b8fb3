// Single people's own tracks, side by side and in time with each other.

/** @import { OwnTrack, RecordedPerson } from '../../api-recordings.js' */
/** @import { Playback } from './playback.js' */
import { useEffect, useMemo, useRef, useState } from '../../../vendor/preact-hooks.js';
import { trackAddress } from '../../api-recordings.js';
import { t } from '../../i18n.js';
import { clockOf, pictureAt, trackAt } from '../../models/recording-time.js';
import { hueOf, initials } from '../../models/names.js';
import { Icon, html } from '../ui.js';
import { makeClock } from './playback.js';

/** @typedef {ReturnType<typeof makeClock>} Clock */

/** @param {{ recordingId: string, track: OwnTrack, clock: Clock, onError: () => void, picture?: boolean, label?: string }} props */
function Medium({ recordingId, track, clock, onError, picture = false, label }) {
  const element = useRef(/** @type {HTMLMediaElement | null} */ (null));
  useEffect(() => clock.add(/** @type {HTMLMediaElement} */ (element.current), track.begins_at), [track.id]);
  const address = trackAddress(recordingId, track.id);
  return picture
    ? html`<video ref=${element} src=${address} aria-label=${label} playsinline preload="auto" onError=${onError}></video>`
    : html`<audio ref=${element} src=${address} preload="auto" onError=${onError}></audio>`;
}

/** @param {{ recordingId: string, person: RecordedPerson, clock: Clock, playback: Playback }} props */
function Alone({ recordingId, person, clock, playback }) {
  const { name, tracks = [] } = person;
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const [failed, setFailed] = useState(false);
  useEffect(() => place.current?.style.setProperty('--hue', String(hueOf(name))), [name]);
  const atMs = playback.at.value;
  const picture = pictureAt(tracks, atMs);
  const sounds = [trackAt(tracks, 'microphone', atMs), trackAt(tracks, 'screen_audio', atMs)].filter((track) => track !== null);
  const words = failed ? t('rec.unplayable') : sounds.length ? t('rec.soundOnly', { name }) : t('rec.nothingHere', { name });
  const medium = { recordingId, clock, onError: () => setFailed(true) };
  return html`
    <figure class="alone" ref=${place}>
      ${picture && !failed
        ? html`<${Medium} key=${picture.id} ...${medium} track=${picture} picture label=${name} />`
        : html`<div class="alone-blank"><span class="alone-initials" aria-hidden="true">${initials(name)}</span><span>${words}</span></div>`}
      ${sounds.map((track) => html`<${Medium} key=${track.id} ...${medium} track=${track} />`)}
      <figcaption>${name}</figcaption>
    </figure>`;
}

/** @param {{ recordingId: string, people: RecordedPerson[], lengthMs: number, playback: Playback }} props */
export function Tracks({ recordingId, people, lengthMs, playback }) {
  const clock = useMemo(() => makeClock(playback, () => lengthMs), [playback, lengthMs]);
  useEffect(() => {
    playback.playing.value = false;
    return clock.start();
  }, [clock]);
  const playing = playback.playing.value;
  const turn = () => {
    if (!playing && playback.at.value >= lengthMs) playback.seek(0);
    playback.playing.value = !playing;
  };
  return html`
    <div class="screen alones">
      <div class="alone-grid">
        ${people.map((person) => html`<${Alone} key=${person.id} recordingId=${recordingId} person=${person} clock=${clock} playback=${playback} />`)}
      </div>
      <div class="alone-bar">
        <button type="button" class="button small" onClick=${turn}><${Icon} name=${playing ? 'pause' : 'play'} />${t(playing ? 'rec.pause' : 'rec.play')}</button>
        <span class="alone-time">${clockOf(playback.at.value)} / ${clockOf(lengthMs)}</span>
      </div>
    </div>`;
}
