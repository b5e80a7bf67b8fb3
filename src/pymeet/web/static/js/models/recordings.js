// What a recording's row says, put together from what the server tells.

/** @import { Film, FilmShown, RecordingRow } from '../api-recordings.js' */

/** How often to look while a film is being made or a meeting recorded. */
export const LOOK_AGAIN_MS = 2000;
/** While nothing moves, a recording under way is looked at less often. */
export const LOOK_LATER_MS = 10_000;
export const SPEEDS = /** @type {const} */ ([0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]);
export const HEIGHTS = /** @type {const} */ ([360, 480, 720, 1080]);
export const DAYS = /** @type {const} */ ([1, 7, 14, 30]);
/** How many names stand in a row before the others are counted. */
const NAMES = 3;

/** @typedef {'recording' | 'queued' | 'making' | 'ready' | 'failed' | 'cancelled' | 'none'} RowState */

/** @param {Pick<RecordingRow, 'state' | 'film'>} row @returns {RowState} */
export function stateOf({ state, film }) {
  if (state === 'recording') return 'recording';
  return film ? film.state : 'none';
}

/** @param {Pick<FilmShown, 'state'> | null | undefined} film */
export const isMoving = (film) => film?.state === 'queued' || film?.state === 'making';

/** When to look again; null when nothing will change by itself. @param {readonly Pick<RecordingRow, 'state' | 'film'>[]} rows */
export function lookAgainMs(rows) {
  if (rows.some(({ film }) => isMoving(film))) return LOOK_AGAIN_MS;
  return rows.some(({ state }) => state === 'recording') ? LOOK_LATER_MS : null;
}

/** Those in which every word of `text` occurs: in their name, their room or among their people.
 * @param {readonly RecordingRow[]} rows @param {string} text */
export function matching(rows, text) {
  const words = text.toLocaleLowerCase().split(/\s+/u).filter(Boolean);
  return rows.filter((row) => {
    const all = [row.name, row.room.name, ...row.people.map(({ name }) => name)].join('\n').toLocaleLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** The newest first. @param {readonly RecordingRow[]} rows */
export const inOrder = (rows) => [...rows].sort((a, b) => b.started_at - a.started_at);

/** Bytes of those that belong to the reader. @param {readonly RecordingRow[]} rows */
export const sizeOfMine = (rows) => rows.reduce((sum, row) => sum + (row.mine ? row.size : 0), 0);

/** Names for a row: the first few, each once, and how many more there are. @param {readonly { name: string }[]} people */
export function namesIn(people) {
  const names = [...new Set(people.map(({ name }) => name))];
  return { names: names.slice(0, NAMES), more: Math.max(0, names.length - NAMES) };
}

/** The film to play: the newest that is ready. @param {readonly Film[]} films */
export function filmToPlay(films) {
  return films.filter(({ state, restricted }) => state === 'ready' && !restricted).sort((a, b) => (b.made_at ?? 0) - (a.made_at ?? 0))[0] ?? null;
}

/** What stands in the place of a film while there is none to play: one under way before one that failed.
 * @param {readonly Film[]} films */
export function filmToCome(films) {
  return films.find(isMoving) ?? films.find(({ state, restricted }) => state === 'failed' || restricted) ?? null;
}

/** The last day to choose in a date field, and the first: `2026-11-21`, in the reader's zone. @param {number} atMs */
export function dayField(atMs) {
  const day = new Date(atMs);
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** The end of a day from a date field, in the reader's zone, no later than the limit. @param {string} day @param {number | null | undefined} limitMs */
export function endOfDayMs(day, limitMs) {
  const [year, month, date] = day.split('-').map(Number);
  if (!year || !month || !date) return null;
  const end = new Date(year, month - 1, date + 1).getTime() - 1;
  return limitMs ? Math.min(end, limitMs) : end;
}
