// What the buttons of a recording do, each with words for when it cannot be done.

/** @import { Answer } from '../../types.js' */
/** @import { Meeting } from '../../meeting.js' */
/** @import { Room } from '../../models/room.js' */
import { signal } from '../../../vendor/signals-core.js';
import { t } from '../../i18n.js';
import { ApiError } from '../../api.js';
import { Refused } from '../../protocol.js';
import { toast } from '../toast.js';

/** @typedef {'start' | 'stop' | 'about' | 'marker' | 'destroy' | null} Open */

/** Refusals that have words of their own here. */
const REFUSALS = /** @type {const} */ (['recording_off', 'disk_full']);

/** What can be done about the recording, each with words for when it cannot; and which dialog is open. */
export class RecordingControls {
  open = signal(/** @type {Open} */ (null));
  /** The recording in which something of them is left from before they said no. */
  left = signal('');
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

  /** Destroys what was recorded of them before they said no. @param {Room} room @param {string} id */
  destroy = async (room, id) => {
    try {
      const api = await import('../../api-recordings.js');
      // Whoever has no account shows a receipt, whatever their role is by now.
      await (room.receipt.value ? api.removeGuest(room.receipt.value, id) : api.leaveRecording(id));
    } catch (error) {
      const code = error instanceof ApiError ? error.code : '';
      if (code !== 'not_found') {
        toast(t(code === 'held' ? 'recording.held' : 'recording.unsure'));
        return;
      }
      // They were taken out elsewhere, or the first answer was lost.
    }
    this.left.value = '';
    toast(t('recording.destroyed'));
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
