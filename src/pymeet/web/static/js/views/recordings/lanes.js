// Under the video: a lane for each person that shows when they spoke, and where one is. To be clicked, and to be used by keys.

/** @import { RecordingEvent } from '../../api-recordings.js' */
/** @import { Playback } from './playback.js' */
import { useMemo, useRef } from '../../../vendor/preact-hooks.js';
import { t } from '../../i18n.js';
import { clockOf, lanesOf, speakersAt } from '../../models/recording-time.js';
import { html } from '../ui.js';

const LANE = 24;
const STEP_MS = 5000;
const LEAP_MS = 60_000;
/** The field is as wide as the recording is long, counted in these. */
const WIDE = 10_000;

/** @param {{ span: { begins_at: number, ends_at: number }, top: number, height: number, kind: string, lengthMs: number }} props */
function Bar({ span, top, height, kind, lengthMs }) {
  const left = (span.begins_at / lengthMs) * WIDE;
  // However short it was, it can be seen.
  const width = Math.max(WIDE / 400, ((span.ends_at - span.begins_at) / lengthMs) * WIDE);
  return html`<rect class=${kind} x=${left} y=${top} width=${Math.min(width, WIDE - left)} height=${height} />`;
}

/** @param {{ events: RecordingEvent[], people: { id?: string, name: string }[], lengthMs: number, playback: Playback }} props */
export function Lanes({ events, people, lengthMs, playback }) {
  const field = useRef(/** @type {HTMLElement | null} */ (null));
  const lanes = useMemo(() => lanesOf(events, people), [events, people]);
  // Hours of speech are many bars, and do not change while one watches.
  const bars = useMemo(() => lanes.map((lane, index) => html`
    <g key=${lane.id || lane.name}>
      ${lane.present.map((span) => html`<${Bar} kind="present" span=${span} top=${index * LANE + 11} height=${2} lengthMs=${lengthMs} />`)}
      ${lane.spoke.map((span) => html`<${Bar} kind="spoke" span=${span} top=${index * LANE + 5} height=${14} lengthMs=${lengthMs} />`)}
      ${lane.shared.map((span) => html`<${Bar} kind="shared" span=${span} top=${index * LANE + 20} height=${3} lengthMs=${lengthMs} />`)}
    </g>`), [lanes, lengthMs]);
  if (!lengthMs || !people.length) return null;
  const markers = events.filter(({ kind }) => kind === 'marker');
  const atMs = Math.min(playback.at.value, lengthMs);
  const speakers = speakersAt(lanes, atMs);
  const high = lanes.length * LANE;
  const x = (/** @type {number} */ ms) => (ms / lengthMs) * WIDE;
  const point = (/** @type {PointerEvent} */ event) => {
    if (event.type === 'pointermove' && !event.buttons) return;
    const { left, width } = /** @type {HTMLElement} */ (field.current).getBoundingClientRect();
    if (event.type === 'pointerdown') field.current?.setPointerCapture(event.pointerId);
    playback.seek(Math.min(1, Math.max(0, (event.clientX - left) / width)) * lengthMs);
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    const to = {
      ArrowLeft: atMs - STEP_MS, ArrowDown: atMs - STEP_MS, ArrowRight: atMs + STEP_MS, ArrowUp: atMs + STEP_MS,
      PageDown: atMs - LEAP_MS, PageUp: atMs + LEAP_MS, Home: 0, End: lengthMs,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    playback.seek(Math.min(lengthMs, Math.max(0, to)));
  };
  const position = t('rec.positionOf', { at: clockOf(atMs), length: clockOf(lengthMs) });
  return html`
    <section class="lanes" aria-labelledby="lanes-title">
      <h2 id="lanes-title">${t('rec.lanes')}</h2>
      <div class="lane-grid">
        <ul class="lane-names" aria-hidden="true">${lanes.map((lane) => html`<li key=${lane.id || lane.name}>${lane.name}</li>`)}</ul>
        <div class="lane-field" ref=${field} role="slider" tabindex="0" aria-label=${t('rec.position')}
          aria-valuemin="0" aria-valuemax=${Math.round(lengthMs / 1000)} aria-valuenow=${Math.round(atMs / 1000)}
          aria-valuetext=${speakers.length ? `${position}, ${t('rec.speaks', { names: speakers.join(', ') })}` : position}
          onPointerDown=${point} onPointerMove=${point} onKeyDown=${press}>
          <svg width="100%" height=${high} viewBox=${`0 0 ${WIDE} ${high}`} preserveAspectRatio="none" aria-hidden="true">
            ${bars}
            ${markers.map((marker) => html`<line class="marker" x1=${x(marker.begins_at)} x2=${x(marker.begins_at)} y1="0" y2=${high} vector-effect="non-scaling-stroke" />`)}
            <line class="here" x1=${x(atMs)} x2=${x(atMs)} y1="0" y2=${high} vector-effect="non-scaling-stroke" />
          </svg>
        </div>
      </div>
      <p class="legend quiet-text" aria-hidden="true">
        <span class="key spoke">${t('rec.legend.spoke')}</span>
        ${lanes.some(({ shared }) => shared.length > 0) && html`<span class="key shared">${t('rec.legend.shared')}</span>`}
        <span class="key present">${t('rec.legend.present')}</span>
        ${markers.length > 0 && html`<span class="key marker">${t('rec.legend.marker')}</span>`}
        <span class="legend-time">${position}</span>
      </p>
    </section>`;
}
