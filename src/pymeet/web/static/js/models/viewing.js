// What this page shows of what it receives, told to the server so that it sends no more than that: docs/protocol.md,
// section 2.1. No DOM: the views measure.

import { signal } from '../../vendor/signals-core.js';
import { audioOnlyWanted, rememberAudioOnly } from './choices.js';

/** @typedef {{ track: string, participant: string }} Picture */
/** @typedef {{ tiles: { track: string, height: number, pinned?: true }[], audio_only: boolean }} View */
/** @typedef {{ setTimeout: (run: () => void, ms: number) => any, clearTimeout: (timer: any) => void, now: () => number }} Time */

// The server takes two a second.
const APART_MS = 550;
// What changes in one turn of the page goes out as one.
const TOGETHER_MS = 60;
// Who only glances at another tab finds the pictures moving.
const HIDDEN_MS = 3000;
// Smaller changes of size make no difference to which picture fills the tile.
const STEP_PX = 16;

/** @type {Time} */
const REAL = { setTimeout: (run, ms) => setTimeout(run, ms), clearTimeout: (timer) => clearTimeout(timer), now: () => performance.now() };

/** Lines that fill a tile, for a picture that is cut to fit it. @param {number} width @param {number} height @param {number} ratio pixels of the device for each of CSS */
export function linesFor(width, height, ratio) {
  return Math.round(Math.max(height, (width * 9) / 16) * ratio);
}

/**
 * @param {readonly Picture[]} pictures all that others send
 * @param {ReadonlyMap<string, number | null>} heights of those that stand on the page; null where it is not measured yet
 * @param {{ audioOnly: boolean, hidden: boolean, pinned: string }} how `pinned`: a participant
 * @returns {View}
 */
export function viewOf(pictures, heights, { audioOnly, hidden, pinned }) {
  // Of what is not measured yet nothing is said: it comes small until it is.
  const tiles = pictures.filter(({ track }) => hidden || heights.get(track) !== null).map(({ track, participant }) => {
    const height = hidden ? 0 : Math.ceil((heights.get(track) ?? 0) / STEP_PX) * STEP_PX;
    return { track, height, ...(participant === pinned && { pinned: /** @type {true} */ (true) }) };
  });
  return { tiles, audio_only: audioOnly };
}

export class Viewing {
  audioOnly = signal(audioOnlyWanted());
  /** The participant whom this person keeps large; empty for nobody. */
  pinned = signal('');
  #time;
  /** @type {readonly Picture[]} */
  #pictures = [];
  /** By place, since one picture may change its place and stand in two for a moment. @type {Map<object, { track: string, height: number | null }>} */
  #places = new Map();
  /** As they were when they were told. @type {Map<string, number | null>} */
  #heights = new Map();
  #hidden = false;
  /** @type {any} */
  #hiding = null;
  /** @type {((view: View) => Promise<unknown>) | null} */
  #send = null;
  #said = '';
  #saidAt = -Infinity;
  /** @type {any} */
  #due = null;

  constructor(time = REAL) {
    this.#time = time;
  }

  /** The server knows nothing yet, or no longer. @param {(view: View) => Promise<unknown>} send */
  connect(send) {
    this.#send = send;
    this.#said = '';
    this.#changed();
  }

  /** @param {readonly Picture[]} pictures all that others send, shown or not */
  has(pictures) {
    this.#pictures = pictures;
    this.#changed();
  }

  /** @param {object} place where it stands @param {string} track @param {number | null} height in pixels of the device, 0 out of sight, null before it is measured */
  show(place, track, height) {
    this.#places.set(place, { track, height });
    this.#changed();
  }

  /** @param {object} place */
  clear(place) {
    this.#places.delete(place);
    this.#changed();
  }

  /** @param {boolean} hidden whether nobody sees this page */
  hide(hidden) {
    this.#time.clearTimeout(this.#hiding);
    if (hidden) this.#hiding = this.#time.setTimeout(() => this.#become(true), HIDDEN_MS);
    else this.#become(false);
  }

  /** @param {boolean} on */
  listenOnly(on) {
    this.audioOnly.value = on;
    rememberAudioOnly(on);
    this.#changed();
  }

  /** @param {string} participant empty for nobody */
  pin(participant) {
    this.pinned.value = participant;
    this.#changed();
  }

  close() {
    this.#send = null;
    this.#time.clearTimeout(this.#due);
    this.#time.clearTimeout(this.#hiding);
    this.#due = null;
  }

  /** Lines of each picture that stands on the page. What moves to another place is as large as it was until that is measured. */
  #measured() {
    /** @type {Map<string, number | null>} */
    const heights = new Map();
    for (const { track, height } of this.#places.values()) {
      const known = height ?? this.#heights.get(track) ?? null;
      const other = heights.get(track) ?? null;
      heights.set(track, known === null ? other : Math.max(known, other ?? 0));
    }
    // While the page is being built nothing is out of sight, it only does not stand there yet.
    if (![...heights.values()].some((height) => height !== null)) for (const { track } of this.#pictures) heights.set(track, null);
    return heights;
  }

  /** @param {boolean} hidden */
  #become(hidden) {
    this.#hidden = hidden;
    this.#changed();
  }

  #changed() {
    if (!this.#send || this.#due !== null) return;
    const waitMs = Math.max(TOGETHER_MS, this.#saidAt + APART_MS - this.#time.now());
    this.#due = this.#time.setTimeout(() => this.#say(), waitMs);
  }

  #say() {
    this.#due = null;
    this.#heights = this.#measured();
    const view = viewOf(this.#pictures, this.#heights, { audioOnly: this.audioOnly.value, hidden: this.#hidden, pinned: this.pinned.value });
    const text = JSON.stringify(view);
    if (!this.#send || text === this.#said) return;
    this.#said = text;
    this.#saidAt = this.#time.now();
    // What was lost with the connection is said again on the next.
    this.#send(view).catch(() => { this.#said = ''; });
  }
}
