// Says when something between this page and the server is interrupted, and that it mends itself.

/** @import { Room } from '../models/room.js' */
import { t } from '../i18n.js';
import { Icon, html } from './ui.js';

/** @param {Room} room */
function words(room) {
  if (!room.joined.value) return '';
  if (room.link.value !== 'joined') return t(room.closing.value ? 'banner.closing' : 'banner.link');
  return room.mediaFlows.value ? '' : t('banner.media');
}

/** @param {{ room: Room }} props */
export function Banner({ room }) {
  const text = words(room);
  // The live region is always there, so that a screen reader hears what comes into it.
  return html`
    <div class="banner-place" role="status">
      ${text && html`<div class="banner"><${Icon} name="loader-circle" class="turning" /><span>${text}</span></div>`}
    </div>`;
}

/** What others do, for those who do not see it. @param {{ room: Room }} props */
export function News({ room }) {
  const news = room.news.value;
  const what = news?.reaction ? t(`reaction.${news.reaction}`) : '';
  return html`<div class="visually-hidden" aria-live="polite">${news && t(`stage.${news.kind}`, { name: news.name, what })}</div>`;
}

/** What a key did to one's own devices: no button has the focus then, so none can say it. @param {{ said: string }} props */
export function Said({ said }) {
  return html`<div class="visually-hidden" aria-live="polite">${said}</div>`;
}
