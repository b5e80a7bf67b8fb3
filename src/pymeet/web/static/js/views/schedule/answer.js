// The question whether somebody comes, with the answer they gave.

/** @import { Answer } from '../../api-meetings.js' */
import { t } from '../../i18n.js';
import { html } from '../ui.js';

const CHOICES = /** @type {const} */ (['accepted', 'tentative', 'declined']);

/** @param {{ label: string, answer: Answer | null, busy: boolean, onAnswer: (answer: Answer) => void }} props */
export function AnswerButtons({ label, answer, busy, onAnswer }) {
  return html`
    <div class="actions" role="group" aria-label=${label}>
      ${CHOICES.map((choice) => html`
        <button type="button" class=${choice === answer ? 'button primary' : 'button'} aria-pressed=${String(choice === answer)}
          disabled=${busy} onClick=${() => onAnswer(choice)}>${t(`meet.answer.${choice}`)}</button>`)}
    </div>`;
}
