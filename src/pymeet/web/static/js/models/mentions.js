// Names in what people write: `@Ada` means Ada. Text only.

/** @typedef {{ text: string, href?: string, own?: boolean, mention?: boolean }} Part */

const WORD = /[\p{L}\p{N}_]/u;

/** Whether a text names somebody by `@`. @param {string} text @param {string} name */
export function mentions(text, name) {
  return name !== '' && placesOf(text, [name]).length > 0;
}

/** What is being typed behind the last `@` before the caret, or null. @param {string} text @param {number} caret */
export function typedMention(text, caret) {
  const from = text.lastIndexOf('@', caret - 1);
  if (from < 0 || (from > 0 && WORD.test(text[from - 1]))) return null;
  const typed = text.slice(from + 1, caret);
  return typed.length > 60 || /[\n@]/.test(typed) ? null : { from, typed };
}

/** Whose names go on as was typed, at most five. @param {readonly string[]} names @param {string} typed */
export function namesLike(names, typed) {
  const wanted = typed.toLocaleLowerCase();
  return [...new Set(names)]
    .filter((name) => name.toLocaleLowerCase().split(/(?<=\s)/u).some((_, index, words) => words.slice(index).join('').startsWith(wanted)))
    .slice(0, 5);
}

/**
 * Cuts the mentions out of a text's parts.
 * @param {readonly { text: string, href?: string }[]} parts
 * @param {readonly string[]} names of those who can be meant
 * @param {string} own
 * @returns {Part[]}
 */
export function withMentions(parts, names, own) {
  return parts.flatMap((part) => (part.href ? [part] : cut(part.text, names, own)));
}

/** @param {string} text @param {readonly string[]} names @param {string} own @returns {Part[]} */
function cut(text, names, own) {
  /** @type {Part[]} */
  const parts = [];
  let at = 0;
  for (const { from, name } of placesOf(text, names)) {
    if (from > at) parts.push({ text: text.slice(at, from) });
    at = from + 1 + name.length;
    parts.push({ text: text.slice(from, at), mention: true, own: name === own });
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}

/** Of names that begin alike the longest counts. @param {string} text @param {readonly string[]} names */
function placesOf(text, names) {
  const longest = [...names].sort((a, b) => b.length - a.length);
  const places = [];
  for (let from = text.indexOf('@'); from >= 0; from = text.indexOf('@', from + 1)) {
    if (from > 0 && WORD.test(text[from - 1])) continue;
    const name = longest.find((each) => each && text.startsWith(each, from + 1) && !WORD.test(text[from + 1 + each.length] ?? ''));
    if (name !== undefined) places.push({ from, name });
  }
  return places;
}
