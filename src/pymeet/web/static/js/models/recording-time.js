// Who spoke when, as chapters to jump to and as lanes to look at. Times are milliseconds since the recording began.

/** @import { EventKind, OwnTrack, RecordedPerson, RecordingEvent, Source } from '../api-recordings.js' */

/** Somebody who goes on within this time is still in the same turn. */
const PAUSE_MS = 4000;
/** A shorter turn is a "yes" or a cough, and no chapter. */
const TURN_MS = 1500;
/** So much earlier a chapter begins, that the first word is heard. */
const LEAD_IN_MS = 500;

/** @typedef {{ kind: EventKind, name: string, begins_at: number, ends_at: number, text: string | null }} Item */
/** @typedef {{ begins_at: number, ends_at: number }} Span */
/** @typedef {{ id: string, name: string, spoke: Span[], shared: Span[], present: Span[] }} Lane */

/** `4:05`, or `1:04:05`. @param {number} ms */
export function clockOf(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** How long the recording is: as the server says, or as far as anything in it goes.
 * @param {number | null} durationMs @param {readonly RecordingEvent[]} events @param {readonly OwnTrack[]} [tracks] */
export function lengthOf(durationMs, events, tracks = []) {
  const ends = [...events.map((each) => each.ends_at ?? each.begins_at), ...tracks.map((each) => each.begins_at + (each.duration_ms ?? 0))];
  return durationMs || Math.max(0, ...ends);
}

/** One speaker after the other: pauses are bridged, short remarks left out. @param {readonly RecordingEvent[]} events @returns {RecordingEvent[]} */
function turnsOf(events) {
  const inOrder = events.filter(({ kind }) => kind === 'spoke').sort((a, b) => a.begins_at - b.begins_at);
  /** @type {RecordingEvent[]} */
  const turns = [];
  for (const event of inOrder.filter((each) => endOf(each) - each.begins_at >= TURN_MS)) {
    const last = turns.at(-1);
    if (last?.person === event.person && event.begins_at - endOf(last) <= PAUSE_MS) last.ends_at = Math.max(endOf(last), endOf(event));
    else turns.push({ ...event });
  }
  return turns;
}

const endOf = (/** @type {Pick<RecordingEvent, 'begins_at' | 'ends_at'>} */ event) => event.ends_at ?? event.begins_at;

/** What one can jump to, in order. @param {readonly RecordingEvent[]} events @param {readonly { id?: string, name: string }[]} people @returns {Item[]} */
export function itemsOf(events, people) {
  const names = new Map(people.map(({ id, name }) => [id, name]));
  const others = events.filter(({ kind }) => kind === 'marker' || kind === 'message' || kind === 'shared');
  return [...turnsOf(events), ...others]
    .sort((a, b) => a.begins_at - b.begins_at)
    .map((event) => ({ kind: event.kind, name: names.get(event.person) ?? '', begins_at: event.begins_at, ends_at: endOf(event), text: event.text }));
}

/** Where to go for an item: a little before it. @param {Span} item */
export const startOf = (item) => Math.max(0, item.begins_at - LEAD_IN_MS);

/** The item that is under way, or was last. @param {readonly Item[]} items @param {number} atMs */
export function currentOf(items, atMs) {
  return items.findLastIndex((item) => startOf(item) <= atMs);
}

/** A lane for everybody who spoke, shared or was there. @param {readonly RecordingEvent[]} events @param {readonly { id?: string, name: string }[]} people @returns {Lane[]} */
export function lanesOf(events, people) {
  const spans = (/** @type {string} */ person, /** @type {EventKind} */ wanted) => events
    .filter((event) => event.person === person && event.kind === wanted)
    .map((event) => ({ begins_at: event.begins_at, ends_at: endOf(event) }));
  return people.map(({ id = '', name }) => ({ id, name, spoke: spans(id, 'spoke'), shared: spans(id, 'shared'), present: spans(id, 'present') }));
}

/** Who speaks at a moment. @param {readonly Lane[]} lanes @param {number} atMs */
export function speakersAt(lanes, atMs) {
  return lanes.filter(({ spoke }) => spoke.some((span) => span.begins_at <= atMs && atMs <= span.ends_at)).map(({ name }) => name);
}

/** What of a source there is at a moment. @param {readonly OwnTrack[]} tracks @param {Source} source @param {number} atMs */
export function trackAt(tracks, source, atMs) {
  return tracks.find((track) => track.source === source && track.begins_at <= atMs && atMs < track.begins_at + (track.duration_ms ?? 0)) ?? null;
}

/** The picture of a person at a moment: what they share before their camera. @param {readonly OwnTrack[]} tracks @param {number} atMs */
export const pictureAt = (tracks, atMs) => trackAt(tracks, 'screen', atMs) ?? trackAt(tracks, 'camera', atMs);

/** @param {Pick<RecordedPerson, 'tracks'>} person */
export const hasTracks = ({ tracks = [] }) => tracks.some(({ duration_ms: length }) => length);
