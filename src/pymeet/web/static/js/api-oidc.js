// The HTTP API of docs/protocol.md, section 4.5: signing in through the organisation's OpenID provider.

/** @import { SecondFactor, User } from './api.js' */
import { call } from './api.js';

/** @typedef {{ state: string, code: string, iss?: string }} ComeBackWith */
/** @typedef {{ user?: User, second_factor?: SecondFactor, purpose: 'sign_in' | 'keep' | 'link' | 'confirm', return_to: string }} CameBack */
/** @typedef {{ url: string }} GoThere */

/** @param {string} returnTo @param {boolean} [keep] whether the erasure of the account is to be cancelled @returns {Promise<GoThere>} */
export const beginSignIn = (returnTo, keep = false) => call('POST', '/sign-in/oidc', { return_to: returnTo, keep_account: keep });
/** @param {ComeBackWith} given @returns {Promise<CameBack>} */
export const finishSignIn = (given) => call('POST', '/sign-in/oidc/finish', given);
/** @param {string} returnTo @returns {Promise<GoThere>} */
export const beginConfirming = (returnTo) => call('POST', '/security/confirm', { return_to: returnTo });
/** @param {string} [password] @returns {Promise<GoThere>} */
export const beginLinking = (password) => call('POST', '/security/identities', { password });
/** @param {string} id @param {string} [password] */
export const removeIdentity = (id, password) => call('POST', `/security/identities/${encodeURIComponent(id)}/remove`, { password });
