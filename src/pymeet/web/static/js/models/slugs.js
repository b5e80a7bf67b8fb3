// What a person may type to get into a room: its name in the address, the path, or the whole link.

/** @param {string} typed @returns {string | null} */
export function slugOf(typed) {
  const text = typed.trim();
  const match = /(?:^|\/)r\/([^/?#\s]+)/u.exec(text);
  if (match) return match[1];
  return /^[\p{L}\p{N}_-]+$/u.test(text) ? text : null;
}

/** Where to go after signing in: only a path of this server. @param {string | null} next */
export function safePath(next) {
  return next && /^\/(?![/\\])[^\\]*$/u.test(next) ? next : '/';
}
