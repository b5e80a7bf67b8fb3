// Codes of second factors as people type and keep them.

/** @import { SecondFactor } from '../api.js' */

/** @typedef {SecondFactor['methods'][number]} Way */

/** The ways that are offered, the easiest first; a passkey only where the browser can use it.
 * @param {readonly Way[]} methods @param {boolean} passkeys @returns {Way[]} */
export function waysOf(methods, passkeys) {
  const order = /** @type {const} */ (['totp', 'passkey', 'recovery']);
  return order.filter((way) => methods.includes(way) && (way !== 'passkey' || passkeys));
}

/** Six digits, however they were grouped. @param {string} typed */
export const digitsOf = (typed) => typed.replace(/\s/gu, '');

/** A secret in groups of four, which is how people read it from one screen to another. @param {string} secret */
export const grouped = (secret) => secret.replace(/(.{4})(?=.)/gu, '$1 ');

/** The file that recovery codes are kept in. @param {string} title @param {string} hint @param {readonly string[]} codes */
export const recoveryFile = (title, hint, codes) => `${title}\n\n${hint}\n\n${codes.join('\n')}\n`;

/** The server's picture as the address of an image: there nothing in it can run. Outside a page it needs its namespace.
 * @param {string} svg one SVG element */
export const pictureOf = (svg) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg.replace(/^<svg(?![^>]* xmlns=)/u, '<svg xmlns="http://www.w3.org/2000/svg"'))}`;
