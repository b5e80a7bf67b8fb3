// Where in a recording somebody is, whatever plays it: the film, or single people's tracks on a clock of this page.

import { signal } from '../../../vendor/signals-core.js';

/** How often a page's own clock is set on; a browser tells a video's position about as often. */
const TICK_MS = 100;
/** A track that is further from the clock than this is set to it. */
const DRIFT_S = 0.3;

/** @typedef {ReturnType<typeof makePlayback>} Playback */

export function makePlayback() {
  /** Milliseconds since the recording began. */
  const at = signal(0);
  const playing = signal(false);
  const speed = signal(1);
  /** @type {((ms: number) => void) | null} */
  let seekThere = null;
  return {
    at, playing, speed,
    /** @param {number} ms */
    seek(ms) {
      at.value = Math.max(0, ms);
      seekThere?.(at.value);
    },
    /** The player that is shown takes the seeks. @param {(ms: number) => void} seek */
    taken(seek) {
      seekThere = seek;
      return () => { if (seekThere === seek) seekThere = null; };
    },
  };
}

/** Media of several tracks that play together. @param {Playback} playback @param {() => number} lengthMs */
export function makeClock(playback, lengthMs) {
  /** @type {Map<HTMLMediaElement, number>} */
  const elements = new Map();
  let last = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  /** @param {HTMLMediaElement} element @param {number} beginsAt */
  function follow(element, beginsAt) {
    const wanted = (playback.at.value - beginsAt) / 1000;
    element.playbackRate = playback.speed.value;
    if (element.readyState > 0 && !element.seeking && Math.abs(element.currentTime - wanted) > DRIFT_S) element.currentTime = Math.max(0, wanted);
    if (playback.playing.value && element.paused) element.play().catch(() => {});
    if (!playback.playing.value && !element.paused) element.pause();
  }

  function tick() {
    const now = performance.now();
    const passed = now - last;
    last = now;
    // While one has nothing to show yet, the others wait for it.
    const waits = [...elements.keys()].some((element) => !element.error && (element.readyState < 3 || element.seeking));
    if (playback.playing.value && !waits) {
      const next = playback.at.value + passed * playback.speed.value;
      playback.at.value = Math.min(next, lengthMs());
      if (next >= lengthMs()) playback.playing.value = false;
    }
    for (const [element, beginsAt] of elements) follow(element, beginsAt);
  }

  return {
    start() {
      last = performance.now();
      timer = setInterval(tick, TICK_MS);
      return () => clearInterval(timer);
    },
    /** @param {HTMLMediaElement} element @param {number} beginsAt */
    add(element, beginsAt) {
      elements.set(element, beginsAt);
      return () => {
        elements.delete(element);
        element.pause();
      };
    },
  };
}
