// The film, or single people's own tracks; and how fast.

/** @import { RecordedPerson } from '../../api-recordings.js' */
/** @import { Playback } from './playback.js' */
import { useEffect, useRef, useState } from '../../../vendor/preact-hooks.js';
import { t } from '../../i18n.js';
import { SPEEDS } from '../../models/recordings.js';
import { hasTracks } from '../../models/recording-time.js';
import { Select } from '../admin/parts.js';
import { Note, html } from '../ui.js';
import { Tracks } from './tracks.js';

/** A browser's own controls are known to everybody, also to screen readers.
 * @param {{ address: string, label: string, captions?: { address: string, language: string, label: string } | null, playback: Playback }} props */
export function Film({ address, label, captions, playback }) {
  const element = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const [failed, setFailed] = useState(false);
  const speed = playback.speed.value;
  useEffect(() => {
    const video = /** @type {HTMLVideoElement} */ (element.current);
    const go = (/** @type {number} */ ms) => { video.currentTime = ms / 1000; };
    go(playback.at.value);
    return playback.taken(go);
  }, [address]);
  useEffect(() => { if (element.current) element.current.playbackRate = speed; }, [speed, address]);
  const moved = (/** @type {any} */ event) => { playback.at.value = event.target.currentTime * 1000; };
  const turned = (/** @type {any} */ event) => { playback.playing.value = !event.target.paused; };
  const faster = (/** @type {any} */ event) => { playback.speed.value = event.target.playbackRate; };
  return html`
    <div class="screen">
      <video ref=${element} src=${address} aria-label=${label} controls controlslist="nodownload" playsinline preload="metadata"
        onTimeUpdate=${moved} onSeeking=${moved} onPlay=${turned} onPause=${turned} onRateChange=${faster} onError=${() => setFailed(true)}>
        ${captions && html`<track kind="captions" src=${captions.address} srclang=${captions.language} label=${captions.label} />`}
      </video>
    </div>
    ${failed && html`<${Note} tone="amber" icon="circle-alert"><p>${t('rec.unplayable')}</p></${Note}>`}`;
}

/** @param {{ playback: Playback }} props */
export function Speed({ playback }) {
  const options = SPEEDS.map((speed) => /** @type {[string, string]} */ ([
    String(speed), speed === 1 ? t('rec.normalSpeed') : t('rec.times', { speed: speed.toLocaleString(document.documentElement.lang) }),
  ]));
  // The browser's own menu may set a speed that stands not in this one.
  const now = String(playback.speed.value);
  const known = options.some(([value]) => value === now) ? options : [...options, /** @type {[string, string]} */ ([now, t('rec.times', { speed: now })])];
  return html`<${Select} label=${t('rec.speed')} value=${now} options=${known}
    onChange=${(/** @type {string} */ value) => { playback.speed.value = Number(value); }} />`;
}

/** What stands in the place of a film that is not there. @param {{ children: any }} props */
export const EmptyScreen = ({ children }) => html`<div class="screen blank"><div class="screen-words">${children}</div></div>`;

/**
 * @param {object} props
 * @param {string} props.recordingId
 * @param {any} props.film the film, or what stands in its place
 * @param {RecordedPerson[]} props.people those whose tracks may be played
 * @param {Set<string>} props.alone whose own tracks play; nobody's means the film
 * @param {(alone: Set<string>) => void} props.onAlone
 * @param {number} props.lengthMs
 * @param {Playback} props.playback
 */
export function Player({ recordingId, film, people, alone, onAlone, lengthMs, playback }) {
  const playable = people.filter(hasTracks);
  const toggle = (/** @type {string} */ id) => {
    const next = new Set(alone);
    if (!next.delete(id)) next.add(id);
    onAlone(next);
  };
  return html`
    <div class="player">
      ${alone.size
        ? html`<${Tracks} recordingId=${recordingId} people=${playable.filter(({ id }) => alone.has(id))} lengthMs=${lengthMs} playback=${playback} />`
        : film}
      <div class="player-tools">
        <${Speed} playback=${playback} />
        ${playable.length > 0 && html`
          <div class="field whose" role="group" aria-label=${t('rec.watch')}>
            <span class="field-name">${t('rec.watch')}</span>
            <div class="toggles">
              <button type="button" class="button small" aria-pressed=${String(alone.size === 0)} onClick=${() => onAlone(new Set())}>${t('rec.everybody')}</button>
              ${playable.map(({ id, name }) => html`
                <button key=${id} type="button" class="button small" aria-pressed=${String(alone.has(id))} aria-label=${t('rec.showPerson', { name })}
                  onClick=${() => toggle(id)}>${name}</button>`)}
            </div>
          </div>`}
      </div>
    </div>`;
}
