// What the schedule dialog says to the server: wall clocks and rules, without any reckoning of zones in the browser.

export const REPEATS = /** @type {const} */ (['once', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']);
/** @typedef {typeof REPEATS[number] | 'kept'} Repeat */

/** @param {Repeat} repeat @param {string} until such as `2027-06-30`, or empty @returns {string | null} */
export function ruleOf(repeat, until) {
  if (repeat === 'once' || repeat === 'kept') return null;
  return `FREQ=${repeat}${until ? `;UNTIL=${until.replaceAll('-', '')}` : ''}`;
}

/** The next full hour on the wall clock, as an input takes it. @param {Date} now */
export function soon(now) {
  const next = new Date(now.getTime());
  next.setHours(next.getHours() + 1, 0, 0, 0);
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0');
  return `${next.getFullYear()}-${two(next.getMonth() + 1)}-${two(next.getDate())}T${two(next.getHours())}:00`;
}

/** @param {string} typed */
export const addressesIn = (typed) => typed.split(/[\s,;]+/).filter(Boolean).map((email) => ({ email }));
