// What API tokens are good for, put together by area: `rooms:read` and `rooms:write` are two sides of one thing.

/** @typedef {{ area: string, read: boolean, write: boolean }} Area */

/** The areas of some scopes, in the order in which they come first. @param {readonly string[]} scopes @returns {Area[]} */
export function areasOf(scopes) {
  /** @type {Map<string, Area>} */
  const areas = new Map();
  for (const scope of scopes) {
    const [area = '', verb] = scope.split(':');
    const known = areas.get(area) ?? { area, read: false, write: false };
    areas.set(area, { ...known, read: known.read || verb === 'read', write: known.write || verb === 'write' });
  }
  return [...areas.values()];
}

/** The scopes with one put in or taken out, in the order of `all`.
 * @param {readonly string[]} all @param {readonly string[]} chosen @param {string} scope @returns {string[]} */
export const toggled = (all, chosen, scope) =>
  all.filter((each) => (each === scope ? !chosen.includes(each) : chosen.includes(each)));

/** For how long a token can be made, in days, no longer than the server allows. @param {number} longest */
export const daysUpTo = (longest) => [7, 30, 90, 180, longest].filter((days, place, all) => days <= longest && all.indexOf(days) === place);
