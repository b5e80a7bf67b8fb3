// The browser's part of a passkey. What the person or the browser refuses becomes words, as the server's refusals do.

import { ApiError } from '../api.js';
import { t } from '../i18n.js';

/** Whether this browser can use passkeys on this page: they belong to a host's name, so a bare address has none. */
export const passkeysWork = () => globalThis.isSecureContext && !/^[\d.]+$|:/.test(location.hostname) && typeof PublicKeyCredential === 'function'
  && typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function';

/** @param {() => Promise<Credential | null>} ask @returns {Promise<unknown>} the credential as the server reads it */
async function asked(ask) {
  try {
    const credential = /** @type {PublicKeyCredential | null} */ (await ask());
    if (credential) return credential.toJSON();
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'InvalidStateError') throw new ApiError('passkey_known', t('passkey.known'), 0);
    if (name !== 'NotAllowedError' && name !== 'AbortError') throw new ApiError('passkey_failed', t('passkey.failed'), 0);
  }
  throw new ApiError('passkey_cancelled', t('passkey.cancelled'), 0);
}

/** Makes one. @param {any} options */
export const makePasskey = (options) =>
  asked(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));

/** Shows one that exists. @param {any} options */
export const showPasskey = (options) =>
  asked(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));
