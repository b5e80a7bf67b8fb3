// What this device remembers for the next meeting. It never leaves the browser.

/** @typedef {{ microphone: string, camera: string, speaker: string, microphoneOn: boolean, cameraOn: boolean }} DeviceChoices */

const DEVICES = 'pymeet.devices';
const NAME = 'pymeet.name';
const THEME = 'pymeet.theme';
const LANGUAGE = 'pymeet.language';
const SHORTCUTS = 'pymeet.shortcuts';
const KNOCK = 'pymeet.knock';
const AUDIO_ONLY = 'pymeet.audioOnly';
const MUSIC = 'pymeet.music';
const SEAT = 'pymeet.seat';

export const THEMES = /** @type {const} */ (['system', 'light', 'dark', 'contrast']);
/** @typedef {typeof THEMES[number]} Theme */

/** Storage may be forbidden by the browser's settings; then nothing is remembered and everything still works.
 * @param {'localStorage' | 'sessionStorage'} kind @param {string} key @returns {string | null} */
export function read(kind, key) {
  try {
    return globalThis[kind].getItem(key);
  } catch {
    return null;
  }
}

/** @param {'localStorage' | 'sessionStorage'} kind @param {string} key @param {string | null} value */
export function write(kind, key, value) {
  try {
    if (value === null) globalThis[kind].removeItem(key);
    else globalThis[kind].setItem(key, value);
  } catch {
    // see read()
  }
}

/** @param {string | null} text @returns {Record<string, unknown>} */
function parse(text) {
  try {
    const value = JSON.parse(text ?? '{}');
    return value !== null && typeof value === 'object' ? value : {};
  } catch {
    return {};
  }
}

/** @returns {DeviceChoices} */
export function deviceChoices() {
  const found = parse(read('localStorage', DEVICES));
  const id = (/** @type {string} */ key) => (typeof found[key] === 'string' ? /** @type {string} */ (found[key]) : '');
  return {
    microphone: id('microphone'), camera: id('camera'), speaker: id('speaker'),
    microphoneOn: found.microphoneOn !== false, cameraOn: found.cameraOn !== false,
  };
}

/** @param {DeviceChoices} choices */
export const rememberDevices = (choices) => write('localStorage', DEVICES, JSON.stringify(choices));

export const rememberedName = () => read('localStorage', NAME) ?? '';
/** @param {string} name */
export const rememberName = (name) => write('localStorage', NAME, name);

/** @returns {Theme} */
export function rememberedTheme() {
  const found = /** @type {Theme} */ (read('localStorage', THEME));
  return THEMES.includes(found) ? found : 'system';
}
/** @param {Theme} theme */
export const rememberTheme = (theme) => write('localStorage', THEME, theme === 'system' ? null : theme);

/** The language of one's account; i18n.js reads it at the next page. @param {string | null} language */
export const rememberLanguage = (language) => write('localStorage', LANGUAGE, language);

export const shortcutsWanted = () => read('localStorage', SHORTCUTS) !== 'off';
/** @param {boolean} wanted */
export const rememberShortcuts = (wanted) => write('localStorage', SHORTCUTS, wanted ? null : 'off');

/** Whether it is to be heard that somebody waits to be let in. */
export const knockWanted = () => read('localStorage', KNOCK) !== 'off';
/** @param {boolean} wanted */
export const rememberKnock = (wanted) => write('localStorage', KNOCK, wanted ? null : 'off');

/** Whether pictures of others are left out, to spare the connection. */
export const audioOnlyWanted = () => read('localStorage', AUDIO_ONLY) === 'on';
/** @param {boolean} wanted */
export const rememberAudioOnly = (wanted) => write('localStorage', AUDIO_ONLY, wanted ? 'on' : null);

/** Whether the microphone is for music: in stereo, and without what makes speech clearer. */
export const musicWanted = () => read('localStorage', MUSIC) === 'on';
/** @param {boolean} wanted */
export const rememberMusic = (wanted) => write('localStorage', MUSIC, wanted ? 'on' : null);

/** @typedef {{ slug: string, token: string, name: string, untilMs: number, sinceMs: number }} Seat */

/** The seat that a reloaded page takes again, while the server still keeps it.
 * @param {string} slug @param {number} nowMs @returns {Seat | null} */
export function keptSeat(slug, nowMs) {
  const { slug: of, token, name, untilMs, sinceMs } = parse(read('sessionStorage', SEAT));
  if (of !== slug || typeof token !== 'string' || typeof name !== 'string' || typeof untilMs !== 'number') return null;
  return untilMs > nowMs ? { slug, token, name, untilMs, sinceMs: typeof sinceMs === 'number' ? sinceMs : nowMs } : null;
}
/** @param {Seat | null} seat */
export const keepSeat = (seat) => write('sessionStorage', SEAT, seat && JSON.stringify(seat));
