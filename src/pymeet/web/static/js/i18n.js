// Words for the page. English is complete by definition; a key missing elsewhere would not pass the tests.

import en from './i18n/en.js';

/** @typedef {keyof typeof en} Key */
/** @typedef {Record<Key, string>} Catalogue */

/** Catalogues beside English, fetched only by those who read them. @type {Record<string, () => Promise<{ default: Catalogue }>>} */
const OTHERS = { de: () => import('./i18n/de.js') };

/** @type {Catalogue} */
let words = en;
let language = 'en';
/** The reader's own way to write dates: that of the language's full tag, such as en-GB. */
let locale = 'en';

/** @param {readonly string[]} wanted languages in order of preference */
export function choose(wanted) {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0];
    if (base === 'en' || base in OTHERS) return base;
  }
  return 'en';
}

/** @param {readonly string[]} [wanted] */
export async function loadWords(wanted = navigator.languages ?? []) {
  language = choose(wanted);
  locale = wanted.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language;
  if (language !== 'en') words = (await OTHERS[language]()).default;
  if (globalThis.document) document.documentElement.lang = language;
}

/** @param {Key} key @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

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
