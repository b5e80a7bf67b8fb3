// What the schedule dialog says to the server: wall clocks and rules, without any reckoning of zones in the browser.

export const REPEATS = /** @type {const} */ (['once', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']);
/** @typedef {typeof REPEATS[number] | 'kept'} Repeat */

/** @param {Repeat} repeat @param {string} until such as `2027-06-30`, or empty @returns {string | null} */
export function ruleOf(repeat, until) {
  if (repeat === 'once' || repeat === 'kept') return null;
  return `FREQ=${repeat}${until ? `;UNTIL=${until.replaceAll('-', '')}` : ''}`;
}

/** @import { Answer, Change, Invitee } from '../api-meetings.js' */

/** The wall clock that the name of an occurrence says: `20270328T090000` is `2027-03-28T09:00`. @param {string} name */
export function wallClockOf(name) {
  const day = `${name.slice(0, 4)}-${name.slice(4, 6)}-${name.slice(6, 8)}`;
  return name.includes('T') ? `${day}T${name.slice(9, 11)}:${name.slice(11, 13)}` : day;
}

/** What is different about one occurrence of a series. @param {readonly Change[]} changes @param {string} name */
export const changeOf = (changes, name) => changes.find(({ recurrence_id }) => recurrence_id === name);

/** The id of the meeting that an address names after the `#`; empty where it names none. @param {string} hash */
export const meetingIn = (hash) => /^#meeting=([\w-]{1,30})$/.exec(hash)?.[1] ?? '';

/** How many gave each answer. @param {readonly Invitee[]} invitees */
export function tally(invitees) {
  /** @type {Record<Answer, number>} */
  const counts = { none: 0, accepted: 0, tentative: 0, declined: 0 };
  for (const { answer } of invitees) counts[answer] += 1;
  return counts;
}

/** The next full hour on the wall clock, as an input takes it. @param {Date} now */
export function soon(now) {
  const next = new Date(now.getTime());
  next.setHours(next.getHours() + 1, 0, 0, 0);
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0');
  return `${next.getFullYear()}-${two(next.getMonth() + 1)}-${two(next.getDate())}T${two(next.getHours())}:00`;
}

/**
 * Where a new meeting takes place unless its organiser chooses: '' is a room made for it, and none for who may not make any.
 * @param {{ slug: string }[]} rooms one's own @param {boolean} mayCreate
 */
export const firstRoom = (rooms, mayCreate) => (mayCreate ? '' : rooms[0]?.slug ?? '');

/** @param {string} typed */
export const addressesIn = (typed) => typed.split(/[\s,;]+/).filter(Boolean).map((email) => ({ email }));
