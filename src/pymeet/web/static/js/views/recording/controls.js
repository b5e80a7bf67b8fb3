// Everything about the recording on the meeting page, and what its buttons do.

/** @import { Answer } from '../../types.js' */
/** @import { Meeting } from '../../meeting.js' */
/** @import { Room } from '../../models/room.js' */
import { signal } from '../../../vendor/signals-core.js';
import { t } from '../../i18n.js';
import { Refused } from '../../protocol.js';
import { toast } from '../toast.js';
import { ConfirmDialog, html } from '../ui.js';
import { AboutRecording, AddMarker, StartRecording } from './dialogs.js';

/** @typedef {'start' | 'stop' | 'about' | 'marker' | null} Open */

/** Refusals that have words of their own here. */
const REFUSALS = /** @type {const} */ (['recording_off', 'disk_full']);

/** What can be done about the recording, each with words for when it cannot; and which dialog is open. */
export class RecordingControls {
  open = signal(/** @type {Open} */ (null));
  #meeting;

  /** @param {Meeting} meeting */
  constructor(meeting) {
    this.#meeting = meeting;
  }

  /** @param {boolean} chat */
  start = (chat) => void this.#attempt(this.#meeting.startRecording(chat));

  stop = () => void this.#attempt(this.#meeting.stopRecording());

  /** Whether it was done. @param {Answer} answer */
  answer = async (answer) => {
    const done = await this.#attempt(this.#meeting.answerRecording(answer));
    if (done) toast(t(answer === 'yes' ? 'recording.saidYes' : 'recording.saidNo'));
    return done;
  };

  /** @param {string} text */
  mark = async (text) => {
    if (await this.#attempt(this.#meeting.addMarker(text))) toast(t('marker.added'));
  };

  /** @param {Promise<unknown>} request */
  async #attempt(request) {
    try {
      await request;
      return true;
    } catch (error) {
      const code = error instanceof Refused ? REFUSALS.find((known) => known === error.code) : undefined;
      toast(code ? t(`recording.refused.${code}`) : t('recording.failed'));
      return false;
    }
  }
}

/** @param {{ room: Room, controls: RecordingControls }} props */
export function RecordingDialogs({ room, controls }) {
  const close = () => { controls.open.value = null; };
  const open = controls.open.value;
  // A recording that ended takes what belongs to it away.
  if (open !== 'start' && !room.recording.value) return null;
  switch (open) {
    case 'start': return html`<${StartRecording} onStart=${controls.start} onClose=${close} />`;
    case 'stop': return html`
      <${ConfirmDialog} title=${t('recording.stopTitle')} plan=${[t('recording.stopPlan')]} action=${t('recording.stop')}
        onConfirm=${controls.stop} onClose=${close} />`;
    case 'about': return html`
      <${AboutRecording} room=${room} onAnswer=${controls.answer} onStop=${() => { controls.open.value = 'stop'; }} onClose=${close} />`;
    case 'marker': return html`<${AddMarker} onAdd=${controls.mark} onClose=${close} />`;
    default: return null;
  }
}
