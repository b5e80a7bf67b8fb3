// Finds web addresses in a chat message. The text stays text; only http and https become links.

/** @typedef {{ text: string, href?: string }} Part */

const ADDRESS = /https?:\/\/[^\s<>"]+/giu;

/** @param {string} text @returns {Part[]} */
export function partsOf(text) {
  /** @type {Part[]} */
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = withoutTrailingPunctuation(match[0]);
    const href = addressOf(found);
    if (!href) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: found, href });
    end = match.index + found.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** @param {string} address */
function withoutTrailingPunctuation(address) {
  let trimmed = address.replace(/[.,;:!?'…]+$/u, '');
  // "(see https://example.org/)" ends before the bracket, "…/Tree_(graph)" after it.
  while (/[)\]]$/u.test(trimmed) && !balanced(trimmed)) trimmed = trimmed.slice(0, -1);
  return trimmed;
}

/** @param {string} address */
function balanced(address) {
  const count = (/** @type {string} */ character) => address.split(character).length;
  return count('(') >= count(')') && count('[') >= count(']');
}

/** @param {string} text */
function addressOf(text) {
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null;
  } catch {
    return null;
  }
}
