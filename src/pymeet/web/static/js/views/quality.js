// How well a connection works, where that is not well: a mark, and what it means in words.

/** @import { Verdict } from '../models/quality.js' */
import { t } from '../i18n.js';
import { html } from './ui.js';

/** @param {Verdict} verdict */
const wordsOf = ({ grade, cause }) => `${t(grade === 'poor' ? 'quality.poor' : 'quality.weak')}: ${t(`quality.${cause}`)}`;

function Bars() {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="M5 20v-4" /><path d="M12 20v-9" /><path d="M19 20V5" /></svg>`;
}

/** @param {{ verdict: Verdict | undefined }} props */
export function QualityMark({ verdict }) {
  return verdict && html`
    <span class=${`quality ${verdict.grade}`} title=${wordsOf(verdict)}><${Bars} /><span class="visually-hidden">${wordsOf(verdict)}</span></span>`;
}

/** The same where there is room for the words. @param {{ verdict: Verdict | undefined }} props */
export function QualityNote({ verdict }) {
  return verdict && html`<p class=${`quality-note ${verdict.grade}`}><${Bars} />${wordsOf(verdict)}</p>`;
}
