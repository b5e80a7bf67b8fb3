// Who was in a room, day by day.

/** @import { Attendee } from '../api-rooms.js' */

/**
 * The newest day first; on each day those first who came first.
 * @param {readonly Attendee[]} people
 * @param {(atMs: number) => string} dayOf
 */
export function byDay(people, dayOf) {
  /** @type {Map<string, Attendee[]>} */
  const days = new Map();
  for (const person of [...people].sort((a, b) => b.joined_at - a.joined_at)) {
    const day = dayOf(person.joined_at);
    days.set(day, [person, ...(days.get(day) ?? [])]);
  }
  return [...days].map(([day, came]) => ({ day, people: came }));
}
