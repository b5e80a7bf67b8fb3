// Periods and days as the server writes them, taken apart so that they can be put into words.

/** @typedef {{ count: number, unit: 'minute' | 'hour' | 'day' }} Period */

const UNITS = /** @type {const} */ ({ min: 'minute', h: 'hour', d: 'day' });

/** `90d`, `72h` or `5min`; null for `forever` and for what is no period. @param {string} text @returns {Period | null} */
export function periodOf(text) {
  const found = /^(\d+)(min|h|d)$/.exec(text);
  return found && { count: Number(found[1]), unit: UNITS[/** @type {keyof typeof UNITS} */ (found[2])] };
}

/** The day that a text names, as noon in UTC: the same day almost everywhere. @param {string} text @returns {number | null} */
export function dayIn(text) {
  const found = /\d{4}-\d{2}-\d{2}/.exec(text);
  return found && Date.parse(`${found[0]}T12:00:00Z`);
}

/** A day from a date field, as noon in UTC too, but never ahead of now.
 * @param {string} day `2026-11-21` @param {number} nowMs @returns {number | null} null for no day */
export function dayMs(day, nowMs) {
  const noonMs = Date.parse(`${day}T12:00:00Z`);
  return Number.isNaN(noonMs) ? null : Math.min(noonMs, nowMs);
}
