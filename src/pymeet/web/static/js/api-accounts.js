// The HTTP API of docs/protocol.md, section 4: one's own account, its second factors, sessions and picture.

/** @import { SignedIn, User } from './api.js' */
/** @import { Theme } from './models/choices.js' */
import { call } from './api.js';

/** @typedef {{ id: string, name: string, created_at: number, last_used_at: number | null }} Passkey */
/** @typedef {{ id: string, current: boolean, device: string | null, created_at: number, last_seen_at: number, expires_at: number }} SessionShown */
/** @typedef {{ id: string, current: boolean, name: string | null, created_at: number, expires_at: number, trusted_until: number | null }} KnownDevice */
/** @typedef {{ id: string, issuer: string, created_at: number, last_used_at: number }} Identity */
/**
 * @typedef {object} Security
 * @property {number | null} password_changed_at
 * @property {{ since: number } | null} totp
 * @property {number} recovery_codes_left
 * @property {boolean} passkeys_possible whether this server has a name that passkeys can be made for
 * @property {Passkey[]} passkeys
 * @property {SessionShown[]} sessions
 * @property {KnownDevice[]} devices
 * @property {Identity[]} identities
 */
/** @typedef {{ secret: string, uri: string, qr_svg: string }} TotpSetup */
/** @typedef {{ id: string, name: string, scopes: string[], created_at: number, expires_at: number, last_used_at: number | null }} ApiToken */
/** @typedef {ApiToken & { token: string }} MadeToken */
/** @typedef {{ tokens: ApiToken[], scopes: string[], default_days: number, longest_days: number }} Tokens `scopes` are those that one may choose */
/** @typedef {{ name?: string, language?: string | null, time_zone?: string | null, theme?: Theme | null }} ProfileChange */
/** @typedef {{ ticket: string, code?: string, recovery_code?: string, credential?: unknown, remember?: boolean }} FactorAnswer */

// Without an account
/** @param {string} email */
export const register = (email) => call('POST', '/register', { email });
/** @param {string} email */
export const resetPassword = (email) => call('POST', '/reset-password', { email });
/** @param {string} email */
export const sendSignInLink = (email) => call('POST', '/sign-in-link', { email });

// Signing in
/** @param {FactorAnswer} answer @returns {Promise<SignedIn>} */
export const answerSecondFactor = (answer) => call('POST', '/sign-in/second-factor', answer);
/** @returns {Promise<{ ticket: string, options: any }>} */
export const passkeyOptions = () => call('POST', '/sign-in/passkey/options');
/** @param {string} ticket @param {unknown} credential @returns {Promise<SignedIn>} */
export const signInByPasskey = (ticket, credential) => call('POST', '/sign-in/passkey', { ticket, credential });

// Security
/** @returns {Promise<Security>} */
export const security = () => call('GET', '/security');
/** @param {string} current @param {string} wanted */
export const changePassword = (current, wanted) => call('POST', '/security/password', { current, new: wanted });
/** @param {string} [password] @returns {Promise<TotpSetup>} */
export const beginTotp = (password) => call('POST', '/security/totp', { password });
/** @param {string} code @returns {Promise<{ recovery_codes: string[] }>} */
export const confirmTotp = (code) => call('POST', '/security/totp/confirm', { code });
/** @param {string} [password] */
export const removeTotp = (password) => call('POST', '/security/totp/remove', { password });
/** @param {string} [password] @returns {Promise<{ recovery_codes: string[] }>} */
export const makeRecoveryCodes = (password) => call('POST', '/security/recovery-codes', { password });
/** @param {string} [password] @returns {Promise<{ options: any }>} */
export const newPasskeyOptions = (password) => call('POST', '/security/passkeys/options', { password });
/** @param {string} name @param {unknown} credential @returns {Promise<{ recovery_codes?: string[] }>} */
export const addPasskey = (name, credential) => call('POST', '/security/passkeys', { name, credential });
/** @param {string} id @param {string} name */
export const renamePasskey = (id, name) => call('PATCH', `/security/passkeys/${encodeURIComponent(id)}`, { name });
/** @param {string} id @param {string} [password] */
export const removePasskey = (id, password) => call('POST', `/security/passkeys/${encodeURIComponent(id)}/remove`, { password });
/** @param {string} id */
export const endSession = (id) => call('DELETE', `/security/sessions/${encodeURIComponent(id)}`);
export const endOtherSessions = () => call('POST', '/security/sessions/end-others');
/** @param {string} id */
export const forgetDevice = (id) => call('DELETE', `/security/devices/${encodeURIComponent(id)}`);
/** @returns {Promise<Tokens>} */
export const tokens = () => call('GET', '/security/tokens');
/** @param {{ name: string, scopes: string[], days: number, password?: string }} wanted @returns {Promise<MadeToken>} */
export const makeToken = (wanted) => call('POST', '/security/tokens', wanted);
/** @param {string} id */
export const revokeToken = (id) => call('DELETE', `/security/tokens/${encodeURIComponent(id)}`);

// Profile
/** @param {ProfileChange} change @returns {Promise<{ user?: User }>} */
export const changeProfile = (change) => call('PATCH', '/profile', change);
/** @param {string} email @param {string} [password] */
export const changeEmail = (email, password) => call('POST', '/profile/email', { email, password });
/** @param {Blob} picture */
export const setAvatar = (picture) => call('PUT', '/profile/avatar', picture);
export const removeAvatar = () => call('DELETE', '/profile/avatar');
/** @param {string} id */
export const avatarAddress = (id) => `/api/v1/users/${encodeURIComponent(id)}/avatar`;
