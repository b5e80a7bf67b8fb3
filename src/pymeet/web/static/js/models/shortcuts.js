// Which key does what in a meeting.

/** @typedef {'microphone' | 'camera' | 'share' | 'chat' | 'people' | 'hand' | 'flows' | 'help'} Action */

/** @type {Record<string, Action>} */
export const SHORTCUTS = { m: 'microphone', v: 'camera', s: 'share', c: 'chat', p: 'people', h: 'hand', i: 'flows', '?': 'help' };

/** @param {Action} action */
export function keyOf(action) {
  return (Object.entries(SHORTCUTS).find(([, does]) => does === action)?.[0] ?? '').toUpperCase();
}

/**
 * @param {{ key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, repeat: boolean }} event
 * @param {boolean} typing whether the key belongs to a text field or a menu
 * @returns {Action | null}
 */
export function actionOf(event, typing) {
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null;
  return SHORTCUTS[event.key.toLowerCase()] ?? null;
}
