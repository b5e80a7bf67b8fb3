// From a browser's error name to the few problems a person can do something about.

/** @typedef {'refused' | 'missing' | 'busy' | 'lost' | 'insecure' | 'unsupported' | 'unknown'} Problem */
/** @typedef {'chromium' | 'firefox' | 'safari' | 'ios' | 'android' | 'other'} Browser */

/** @type {Record<string, Problem>} */
const NAMES = {
  NotAllowedError: 'refused', PermissionDeniedError: 'refused',
  NotFoundError: 'missing', DevicesNotFoundError: 'missing', OverconstrainedError: 'missing',
  NotReadableError: 'busy', TrackStartError: 'busy', AbortError: 'busy',
  SecurityError: 'insecure', InsecureContext: 'insecure',
  NotSupportedError: 'unsupported', TypeError: 'unsupported',
};

/** @param {unknown} error @returns {Problem} */
export function problemOf(error) {
  const name = error instanceof Error || (typeof error === 'object' && error !== null && 'name' in error) ? String(error.name) : '';
  return NAMES[name] ?? 'unknown';
}

/** Which words describe where permissions are changed. @param {string} userAgent @returns {Browser} */
export function browserOf(userAgent) {
  if (/iPhone|iPad/.test(userAgent)) return 'ios';
  if (/Android/.test(userAgent)) return 'android';
  if (/Firefox\//.test(userAgent)) return 'firefox';
  if (/Chrome\/|Chromium\/|Edg\//.test(userAgent)) return 'chromium';
  if (/Safari\//.test(userAgent)) return 'safari';
  return 'other';
}
