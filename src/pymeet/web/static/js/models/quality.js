// How good a connection is, from what was lost and what stood still: others as they arrive here, oneself as the server says.

/** @import { Flow, Flows } from './flows.js' */

/** @typedef {'good' | 'weak' | 'poor'} Grade */

const ORDER = /** @type {const} */ (['good', 'weak', 'poor']);
/** From which share of packets lost, of time stood still, and from which round trip a connection is weak, or poor. */
const LOST = [0.05, 0.15];
const FROZEN = [0.2, 0.5];
const ROUND_TRIP_MS = [500, 1000];
// One bad moment is no bad connection, and one good moment none that is well again.
const WORSE_AFTER = 2;
const BETTER_AFTER = 3;

/** @param {number} value @param {number[]} limits */
const step = (value, [weak, poor]) => (value >= poor ? 2 : value >= weak ? 1 : 0);

/** @param {readonly Flow[]} flows of one person @param {number} [roundTripMs] @returns {Grade} */
export function gradeOf(flows, roundTripMs = 0) {
  const worst = flows.map((flow) => Math.max(step(flow.lost ?? 0, LOST), step(flow.frozen, FROZEN)));
  return ORDER[Math.max(0, step(roundTripMs, ROUND_TRIP_MS), ...worst)];
}

/** Grades of everybody, which change only when they have been others for some readings. */
export class Grades {
  /** @type {Map<string, { grade: Grade, next: Grade, times: number }>} */
  #known = new Map();

  /** @param {Flows} flows @param {string} you a participant @returns {Map<string, Grade>} by participant; those that are good are left out */
  take({ flows, roundTripMs }, you) {
    const people = new Map([[you, /** @type {Flow[]} */ ([])]]);
    for (const flow of flows) {
      const who = flow.participant || you;
      people.set(who, [...(people.get(who) ?? []), flow]);
    }
    for (const who of this.#known.keys()) if (!people.has(who)) this.#known.delete(who);
    const told = new Map();
    for (const [who, theirs] of people) {
      const grade = this.#settle(who, gradeOf(theirs, who === you ? roundTripMs ?? 0 : 0));
      if (grade !== 'good') told.set(who, grade);
    }
    return told;
  }

  /** @param {string} who @param {Grade} found */
  #settle(who, found) {
    const known = this.#known.get(who) ?? { grade: /** @type {Grade} */ ('good'), next: /** @type {Grade} */ ('good'), times: 0 };
    known.times = known.next === found ? known.times + 1 : 1;
    known.next = found;
    const worse = ORDER.indexOf(found) > ORDER.indexOf(known.grade);
    if (found !== known.grade && known.times >= (worse ? WORSE_AFTER : BETTER_AFTER)) known.grade = found;
    this.#known.set(who, known);
    return known.grade;
  }
}
