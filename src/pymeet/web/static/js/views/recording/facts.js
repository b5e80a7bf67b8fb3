// What being recorded means, in the same words wherever somebody decides about it.

import { dateOf, t } from '../../i18n.js';
import { html } from '../ui.js';

/** @param {{ chat: boolean, keepUntil: number | null, guest: boolean }} props */
export function Facts({ chat, keepUntil, guest }) {
  const facts = [
    [t('recording.what'), t(chat ? 'recording.whatWithChat' : 'recording.whatMedia')],
    [t('recording.who'), t('recording.whoText')],
    [t('recording.until'), keepUntil === null ? t('recording.untilNever') : t('recording.untilDate', { date: dateOf(keepUntil) })],
    [t('recording.change'), t(guest ? 'recording.changeGuest' : 'recording.changeMember')],
  ];
  return html`
    <dl class="facts">
      ${facts.map(([term, text]) => html`<div key=${term}><dt>${term}</dt><dd>${text}</dd></div>`)}
    </dl>`;
}
