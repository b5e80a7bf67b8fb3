// Time zones for a menu: by the part of the world, each named by its city.

/** @typedef {{ region: string, zones: { id: string, city: string }[] }} Region */

/** @param {readonly string[]} ids such as `Europe/Berlin` @returns {Region[]} */
export function regionsOf(ids) {
  /** @type {Map<string, Region>} */
  const regions = new Map();
  for (const id of [...ids].sort()) {
    const [first, ...rest] = id.split('/');
    const region = rest.length ? first : 'UTC';
    const found = regions.get(region) ?? { region, zones: [] };
    found.zones.push({ id, city: (rest.length ? rest.join(', ') : first).replaceAll('_', ' ') });
    regions.set(region, found);
  }
  return [...regions.values()];
}

/** All that the browser knows, with those that must not be missing. @param {readonly (string | null | undefined)[]} wanted */
export function knownZones(wanted) {
  const known = new Set(Intl.supportedValuesOf('timeZone'));
  for (const zone of ['UTC', ...wanted]) if (zone) known.add(zone);
  return [...known];
}

/** The zone of this device. */
export const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
