// What a person may type to get into a room: its name in the address, the path, or the whole link.

/** @param {string} typed @returns {string | null} */
export function slugOf(typed) {
  const text = typed.trim();
  const slug = (/(?:^|\/)r\/([^/?#\s]+)/u.exec(text)?.[1] ?? text).toLowerCase();
  return /^[a-z0-9][a-z0-9-]{0,63}$/.test(slug) ? slug : null;
}

/** Where to go after signing in: only a path of this server. Browsers drop tabs and line breaks, so "/\t/x" is "//x".
 * @param {string | null} next */
export function safePath(next) {
  return next && /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(next) ? next : '/';
}
