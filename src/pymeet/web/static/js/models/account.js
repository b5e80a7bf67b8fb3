// What an account needs before the server is asked; the server checks again.

/** @import { LinkPurpose, Me } from '../api.js' */

export const SHORTEST_PASSWORD = 12;

/** What each one-time link asks of the person; the others ask for nothing but a press of a button. */
const ASKED = /** @type {const} */ ({
  first_admin: { name: true, email: true, password: true },
  invitation: { name: true, email: false, password: true },
  register: { name: true, email: false, password: true },
  set_password: { name: false, email: false, password: true },
  reset_password: { name: false, email: false, password: true },
  sign_in: { name: false, email: false, password: false },
  change_email: { name: false, email: false, password: false },
});

/** @typedef {{ name: boolean, email: boolean, password: boolean }} Asked */

/** @param {LinkPurpose} purpose @returns {Asked | null} null for a purpose that this page does not know */
export const askedBy = (purpose) => (Object.hasOwn(ASKED, purpose) ? ASKED[purpose] : null);

/** @param {string} email */
export const looksLikeEmail = (email) => /^[^\s@]+@[^\s@]+$/u.test(email.trim());

/** @param {string} password @param {number} [shortest] */
export const tooShort = (password, shortest = SHORTEST_PASSWORD) => [...password].length < shortest;

/**
 * @param {{ name: string, email: string, password: string }} given
 * @param {Asked} asked
 * @param {number} [shortest]
 * @returns {{ name?: true, email?: true, password?: true }}
 */
export function accountErrors({ name, email, password }, asked, shortest) {
  /** @type {{ name?: true, email?: true, password?: true }} */
  const errors = {};
  if (asked.name && !name.trim()) errors.name = true;
  if (asked.email && !looksLikeEmail(email)) errors.email = true;
  if (asked.password && tooShort(password, shortest)) errors.password = true;
  return errors;
}

/** What somebody without an account is offered beside the password. @param {Me | null} me */
export const waysIn = (me) => ({
  mail: me?.mail ?? false,
  register: me?.registration === 'open' && (me.mail ?? false),
});
