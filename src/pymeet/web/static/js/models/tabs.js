// The parts of the admin page, by the fragment of its address.

export const TABS = /** @type {const} */ (['requests', 'people', 'holds', 'retention', 'audit']);
/** @typedef {typeof TABS[number]} Tab */

/** What somebody may see: only administrators look for people. @param {boolean} admin */
export const tabsFor = (admin) => TABS.filter((tab) => admin || tab !== 'people');

/** @param {string} hash @param {boolean} admin @returns {Tab} */
export function tabOf(hash, admin) {
  return tabsFor(admin).find((tab) => `#${tab}` === hash) ?? 'requests';
}
