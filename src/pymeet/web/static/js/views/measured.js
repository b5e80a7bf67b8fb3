// How large a picture is shown, and whether it is in sight at all. One observer of each kind serves all tiles.

/** @import { Room } from '../models/room.js' */
import { useEffect, useRef } from '../../vendor/preact-hooks.js';
import { linesFor } from '../models/viewing.js';

/** @type {Map<Element, { seen: boolean | null, report: (height: number) => void }>} */
const watched = new Map();

/** @param {Element} element */
function measure(element) {
  const found = watched.get(element);
  // Before it is known whether it is in sight, anything said would be taken back at once.
  if (!found || found.seen === null) return;
  found.report(found.seen ? linesFor(element.clientWidth, element.clientHeight, devicePixelRatio) : 0);
}

const sizes = new ResizeObserver((entries) => { for (const { target } of entries) measure(target); });
const sights = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const found = watched.get(target);
    if (found) found.seen = isIntersecting;
    measure(target);
  }
});

/** Tells the server how large this track is shown, by the element that gets the ref. @param {Room} room @param {string} track */
export function useMeasured(room, track) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const element = ref.current;
    if (!element || !track) return undefined;
    const place = {};
    room.viewing.show(place, track, null);
    watched.set(element, { seen: null, report: (height) => room.viewing.show(place, track, height) });
    sizes.observe(element);
    sights.observe(element);
    return () => {
      sizes.unobserve(element);
      sights.unobserve(element);
      watched.delete(element);
      room.viewing.clear(place);
    };
  }, [track]);
  return ref;
}
