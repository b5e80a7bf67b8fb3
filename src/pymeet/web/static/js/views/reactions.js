// Short answers that everybody sees for a moment on the tile of who gave them. Nothing of them is kept.

/** @import { Reaction } from '../types.js' */
/** @import { Room } from '../models/room.js' */
import { useEffect } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { Icon, html } from './ui.js';

const SHOWN_MS = 5000;

export const REACTIONS = /** @type {const} */ (['thumbs_up', 'clap', 'heart', 'laugh', 'surprised', 'celebrate']);

const ICONS = /** @type {const} */ ({ thumbs_up: 'thumbs-up', heart: 'heart', laugh: 'laugh', celebrate: 'party-popper' });

/** Two are not among the icons, and are drawn in their manner. @param {{ reaction: Reaction }} props */
export function ReactionIcon({ reaction }) {
  if (reaction === 'surprised') {
    return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <circle cx="12" cy="12" r="10" /><path d="M9 9h.01M15 9h.01" /><circle cx="12" cy="15.5" r="2" /></svg>`;
  }
  if (reaction === 'clap') {
    return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <g transform="translate(-1 4.5) rotate(-18 12 12) scale(.82)"><use href="#icon-hand" width="24" height="24" /></g><path d="M15.5 4.5l1-2.5M19 6.5l2.2-1.6M20.4 10l2.6-.4" /></svg>`;
  }
  return html`<${Icon} name=${ICONS[reaction]} />`;
}

/** On the tile of whoever gave it. @param {{ room: Room, participant: string }} props */
export function TileReaction({ room, participant }) {
  const shown = room.reactions.value.get(participant);
  const number = shown?.number;
  useEffect(() => {
    if (number === undefined) return undefined;
    const timer = setTimeout(() => room.forgetReaction(participant, number), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [number]);
  return shown && html`
    <p class="tile-reaction" key=${number}><${ReactionIcon} reaction=${shown.reaction} /><span class="visually-hidden">${t(`reaction.${shown.reaction}`)}</span></p>`;
}

/** On the tile of whoever wants to speak, with their place in the order. @param {{ room: Room, participant: string }} props */
export function TileHand({ room, participant }) {
  const place = room.handOf(participant);
  return place > 0 && html`
    <p class="tile-hand"><${Icon} name="hand" /><span aria-hidden="true">${place}</span><span class="visually-hidden">${t('hand.place', { place })}</span></p>`;
}
