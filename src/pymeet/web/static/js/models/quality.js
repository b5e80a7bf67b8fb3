// How good a connection is, and why: from what was lost and stood still here, and from what the server tells (docs/protocol.md, section 2.2).

/** @import { Flow, Flows } from './flows.js' */

/** @typedef {'good' | 'weak' | 'poor'} Grade */
/** @typedef {'sending' | 'receiving' | 'delay' | 'narrow' | 'gaps' | 'still'} Cause the last two as it arrives here, the others as the server tells */
/** @typedef {{ grade: Grade, cause: Cause }} Verdict */
/** @typedef {ReadonlyMap<string, Verdict>} Verdicts by participant; those that are good are left out */

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

/** @param {readonly Flow[]} flows of one person @param {number} [roundTripMs] @returns {Verdict} */
export function judge(flows, roundTripMs = 0) {
  let worst = step(roundTripMs, ROUND_TRIP_MS);
  /** @type {Cause} */
  let cause = 'delay';
  const look = (/** @type {number} */ found, /** @type {Cause} */ why) => {
    if (found > worst) [worst, cause] = [found, why];
  };
  for (const flow of flows) {
    look(step(flow.lost ?? 0, LOST), flow.participant ? 'gaps' : 'sending');
    look(step(flow.frozen, FROZEN), 'still');
  }
  return { grade: ORDER[worst], cause };
}

/** The worse of both for everybody; of equals what the server tells, who knows better why. @param {Verdicts} told @param {Verdicts} seen @returns {Verdicts} */
export function worseOf(told, seen) {
  const both = new Map(told);
  for (const [who, verdict] of seen) {
    const other = told.get(who);
    if (!other || ORDER.indexOf(verdict.grade) > ORDER.indexOf(other.grade)) both.set(who, verdict);
  }
  return both;
}

/** Verdicts on everybody, which change only when they have been others for some readings. */
export class Grades {
  /** @type {Map<string, { verdict: Verdict, next: Grade, times: number }>} */
  #known = new Map();

  /** @param {Flows} flows @param {string} you a participant @returns {Verdicts} */
  take({ flows, roundTripMs }, you) {
    const people = new Map([[you, /** @type {Flow[]} */ ([])]]);
    for (const flow of flows) {
      const who = flow.participant || you;
      people.set(who, [...(people.get(who) ?? []), flow]);
    }
    for (const who of this.#known.keys()) if (!people.has(who)) this.#known.delete(who);
    const told = new Map();
    for (const [who, theirs] of people) {
      const verdict = this.#settle(who, judge(theirs, who === you ? roundTripMs ?? 0 : 0));
      if (verdict.grade !== 'good') told.set(who, verdict);
    }
    return told;
  }

  /** @param {string} who @param {Verdict} found */
  #settle(who, found) {
    const known = this.#known.get(who) ?? { verdict: judge([]), next: /** @type {Grade} */ ('good'), times: 0 };
    known.times = known.next === found.grade ? known.times + 1 : 1;
    known.next = found.grade;
    const worse = ORDER.indexOf(found.grade) > ORDER.indexOf(known.verdict.grade);
    if (found.grade !== known.verdict.grade && known.times >= (worse ? WORSE_AFTER : BETTER_AFTER)) known.verdict = found;
    this.#known.set(who, known);
    return known.verdict;
  }
}
