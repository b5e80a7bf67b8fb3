// Words for the page. English is complete by definition; a key missing elsewhere would not pass the tests.

import en from './i18n/en.js';

/** @typedef {keyof typeof en | keyof typeof import('./i18n/privacy/en.js').default | keyof typeof import('./i18n/hosting/en.js').default | keyof typeof import('./i18n/recordings/en.js').default | keyof typeof import('./i18n/accounts/en.js').default | keyof typeof import('./i18n/schedule/en.js').default | keyof typeof import('./i18n/groups/en.js').default | keyof typeof import('./i18n/fields/en.js').default | keyof typeof import('./i18n/flows/en.js').default | keyof typeof import('./i18n/check/en.js').default | keyof typeof import('./i18n/rooms/en.js').default | keyof typeof import('./i18n/notifications/en.js').default | keyof typeof import('./i18n/server/en.js').default} Key */
/** @typedef {Record<keyof typeof en, string>} Catalogue */
/** @typedef {Record<string, () => Promise<{ default: Record<string, string> }>>} Others */

/** Catalogues beside English, fetched only by those who read them. @type {Others[]} */
const others = [{ de: () => import('./i18n/de.js') }];

/** @type {Record<string, string>} */
let english = en;
let words = english;
let language = 'en';
/** The reader's own way to write dates: that of the language's full tag, such as en-GB. */
let locale = 'en';

/** Words that only some pages need; to be added before `loadWords`. @param {Record<string, string>} inEnglish @param {Others} more */
export function addWords(inEnglish, more) {
  english = { ...english, ...inEnglish };
  words = english;
  others.push(more);
}

/** @param {readonly string[]} wanted languages in order of preference */
export function choose(wanted) {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0];
    if (base === 'en' || base in others[0]) return base;
  }
  return 'en';
}

/** What was chosen for the account comes first, in the form that the browser prefers, then what the browser asks for.
 * @param {string | null} chosen @param {readonly string[]} languages */
export function inOrderOfWish(chosen, languages) {
  if (!chosen) return languages;
  const same = (/** @type {string} */ tag) => tag.toLowerCase().split('-')[0] === chosen;
  return [...languages.filter(same), chosen, ...languages.filter((tag) => !same(tag))];
}

function languageOfAccount() {
  try {
    return localStorage.getItem('pymeet.language');
  } catch {
    // Storage is forbidden, or there is none.
    return null;
  }
}

/** @param {readonly string[]} [wanted] */
export async function loadWords(wanted = inOrderOfWish(languageOfAccount(), navigator.languages ?? [])) {
  language = choose(wanted);
  locale = wanted.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language;
  const found = language === 'en' ? [] : await Promise.all(others.map((catalogues) => catalogues[language]()));
  words = found.length ? Object.assign({}, ...found.map((module) => module.default)) : english;
  if (globalThis.document) document.documentElement.lang = language;
}

/** Which of our languages the reader sees. */
export const chosenLanguage = () => language;

/** @param {Key} key @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Whether this page has words for something that only the server knows beforehand. @param {string} key @returns {key is Key} */
export const hasWords = (key) => Object.hasOwn(words, key);

/**
 * A text that depends on a number: keys `<key>.one` and `<key>.other`.
 * @template {string} K
 * @param {K & (`${K}.one` extends Key ? K : never)} key
 * @param {number} count
 */
export function tn(key, count) {
  const form = new Intl.PluralRules(language).select(count) === 'one' ? 'one' : 'other';
  return t(/** @type {Key} */ (`${key}.${form}`), { count });
}

/** With a capital letter at its beginning. @param {string} text */
export const sentence = (text) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);

/** @param {number} atMs */
export function timeOf(atMs) {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }).format(atMs);
}

/** How long something took so far. @param {number} minutes */
export function minutesOf(minutes) {
  const part = (/** @type {'hour' | 'minute'} */ unit, /** @type {number} */ value) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
  const hours = Math.floor(minutes / 60);
  return hours ? `${part('hour', hours)} ${part('minute', minutes % 60)}` : part('minute', minutes);
}

/** @param {number} atMs */
export function dateOf(atMs) {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(atMs);
}

/** A date with its time, in the reader's zone, which is named. @param {number} atMs */
export function momentOf(atMs) {
  return new Intl.DateTimeFormat(locale, {
    day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short',
  }).format(atMs);
}

/** @param {number} count */
export const numberOf = (count) => new Intl.NumberFormat(locale).format(count);

/** @param {number} count @param {'second' | 'minute' | 'hour' | 'day'} unit */
export function lengthOf(count, unit) {
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
}

/** @param {number} value @param {string} unit as Intl.NumberFormat names it @param {number} digits behind the point */
export const unitOf = (value, unit, digits) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits }).format(value);

/** @param {number} bytes */
export function sizeOf(bytes) {
  const units = /** @type {const} */ (['byte', 'kilobyte', 'megabyte', 'gigabyte']);
  const step = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  const options = /** @type {const} */ ({ style: 'unit', unit: units[step], unitDisplay: 'short' });
  return new Intl.NumberFormat(locale, { ...options, maximumFractionDigits: step > 1 ? 1 : 0 }).format(bytes / 1000 ** step);
}
