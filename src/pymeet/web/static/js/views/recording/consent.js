// Asks everybody in the meeting whether they are to be recorded. It stands beside the pictures, covers nobody and stays
// until it is answered; until then one is not recorded, and the meeting goes on.

/** @import { Answer } from '../../types.js' */
/** @import { Room } from '../../models/room.js' */
import { useId, useLayoutEffect, useRef, useState } from '../../../vendor/preact-hooks.js';
import { t } from '../../i18n.js';
import { html } from '../ui.js';
import { Facts } from './facts.js';

/** @param {Room} room @param {string} by */
function beginner(room, by) {
  if (by === room.you.value) return t('recording.askOwn');
  const name = room.participants.value.find(({ id }) => id === by)?.name;
  return name === undefined ? t('recording.askHost') : t('recording.askBy', { name });
}

/** The focus comes to the question, unless somebody is in the middle of a word or a dialog; they hear of it (see Announcement). */
function useQuestionFocus() {
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    if (!before?.closest('input, textarea, select, dialog')) title.current?.focus();
    const box = title.current?.closest('dialog');
    return () => {
      if (box?.contains(document.activeElement) && before?.isConnected) before.focus();
    };
  }, []);
  return title;
}

/**
 * @param {object} props
 * @param {Room} props.room
 * @param {(answer: Answer) => Promise<unknown>} props.onAnswer
 * @param {() => void} props.onLeave
 */
export function Consent({ room, onAnswer, onLeave }) {
  const title = useQuestionFocus();
  const id = useId();
  const [busy, setBusy] = useState(false);
  const recording = room.recording.value;
  if (!recording) return null;
  const answer = async (/** @type {Answer} */ given) => {
    setBusy(true);
    await onAnswer(given);
    setBusy(false);
  };
  // `open`, not show(): that would take the focus from whoever is writing. Escape closes no dialog that is not modal.
  return html`
    <dialog open class="consent" aria-labelledby=${id} aria-describedby=${`${id}-by`}>
      <div class="consent-words" tabindex="0" role="group" aria-labelledby=${id}>
        <h2 id=${id} ref=${title} tabindex="-1">${t('recording.askTitle')}</h2>
        <p id=${`${id}-by`}>${beginner(room, recording.by)}</p>
        <${Facts} chat=${recording.chat} keepUntil=${recording.keep_until} guest=${room.receipt.value !== ''} />
        <p class="quiet-text">${t('recording.noAnswer')}</p>
      </div>
      <div class="choices">
        <button type="button" class="button" disabled=${busy} onClick=${() => void answer('yes')}>${t('recording.yes')}</button>
        <button type="button" class="button" disabled=${busy} onClick=${() => void answer('no')}>${t('recording.no')}</button>
        <button type="button" class="button" onClick=${onLeave}>${t('leave')}</button>
      </div>
    </dialog>`;
}
