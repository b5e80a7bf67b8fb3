// Instead of the preview: why nobody comes in here, and what one may do about it.

import { t } from '../i18n.js';
import { Statement, html } from './ui.js';

/** @typedef {'missing' | 'closed' | 'barred' | 'full' | 'busy' | 'locked' | 'error'} Refusal */

/** The way back to this room for members. */
export const signIn = () => `/sign-in?next=${encodeURIComponent(location.pathname)}`;

/** @param {{ why: Refusal, onRetry: () => void }} props */
export function EntryRefused({ why, onRetry }) {
  return html`
    <${Statement} title=${t(`room.${why}Title`)} text=${t(`room.${why}`)}>
      ${why === 'closed' && html`<a class="button primary" href=${signIn()}>${t('start.signIn')}</a>`}
      ${(why === 'full' || why === 'busy' || why === 'locked' || why === 'error') && html`<button type="button" class="button primary" onClick=${onRetry}>${t('app.again')}</button>`}
      <a class=${why === 'missing' || why === 'barred' ? 'button primary' : 'button'} href="/">${t('app.back')}</a>
    </${Statement}>`;
}
