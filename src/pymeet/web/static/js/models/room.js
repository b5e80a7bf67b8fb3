// What is true in the meeting, as the server tells it: signals that views read, changed by messages only.

/** @import { ChatMessage, Ending, Participant, Recording, Role, RoomInfo, ServerMessage, Source } from '../types.js' */
/** @import { LinkState } from '../protocol.js' */
/** @import { ReceivedTrack } from '../media/subscribe.js' */
import { computed, signal } from '../../vendor/signals-core.js';

/** @typedef {'chat' | 'people' | null} Panel */

export class Room {
  you = signal('');
  role = signal(/** @type {Role} */ ('guest'));
  info = signal(/** @type {RoomInfo | null} */ (null));
  participants = signal(/** @type {Participant[]} */ ([]));
  speakers = signal(/** @type {string[]} */ ([]));
  messages = signal(/** @type {ChatMessage[]} */ ([]));
  received = signal(/** @type {ReceivedTrack[]} */ ([]));
  link = signal(/** @type {LinkState} */ ('connecting'));
  /** False while one of the peer connections has no path to the server. */
  mediaFlows = signal(true);
  closing = signal('');
  /** With it a guest sees, takes along and erases their data; empty for members. */
  receipt = signal('');
  ending = signal(/** @type {Ending | null} */ (null));
  panel = signal(/** @type {Panel} */ (null));
  unread = signal(0);
  /** When one came, before any reload of the page. */
  since = signal(0);
  recording = signal(/** @type {Recording | null} */ (null));
  /** When it began, by this device's clock where it began before one's eyes. */
  recordingSince = signal(0);
  /** What happened to it last; `reason` is why it ended, empty when nobody said so. */
  recordingNews = signal(/** @type {{ kind: 'begun' | 'ended', reason: string } | null} */ (null));
  /** Whether there is one that this member may watch afterwards: a host's, or one they were in. */
  mayWatch = signal(false);
  /** Whether hosts may record on this server. */
  recordingsAllowed = signal(false);
  /** What happened last, for those who do not see it. */
  news = signal(/** @type {{ kind: 'came' | 'went' | 'shares' | 'wrote', name: string } | null} */ (null));

  others = computed(() => this.participants.value.filter(({ id }) => id !== this.you.value));
  /** Those with a tile; a player (WHEP) only watches and is listed among the people. */
  tiles = computed(() => this.others.value.filter(({ kind }) => kind !== 'player'));
  watchers = computed(() => this.others.value.filter(({ kind }) => kind === 'player'));
  /** Whoever began to share last is shown. */
  sharer = computed(() => this.#sharers().at(-1) ?? null);
  joined = computed(() => this.you.value !== '');
  mayRecord = computed(() => this.role.value === 'host' && this.recordingsAllowed.value);
  /** Whether the question about the recording waits for an answer. */
  asked = computed(() => this.recording.value?.you === null);
  isRecorded = computed(() => this.recording.value?.you === 'yes');
  #sharingSince = new Map();

  /** @param {ServerMessage} message */
  apply(message) {
    switch (message.type) {
      case 'joined': return this.#joined(message);
      case 'participant': return this.#changed(message.participant);
      case 'participant_left': return this.#left(message.participant);
      case 'speakers': this.speakers.value = message.participants; return undefined;
      case 'chat': return this.#said(message.message);
      case 'recording': return this.#recorded(message.recording, Date.now(), message.reason);
      case 'closing': this.closing.value = message.reason; return undefined;
      default: return undefined;
    }
  }

  /** @param {Panel} panel */
  open(panel) {
    this.panel.value = panel;
    if (panel === 'chat') this.unread.value = 0;
  }

  /** @param {'chat' | 'people'} panel */
  toggle(panel) {
    this.open(this.panel.value === panel ? null : panel);
  }

  /** @param {string} participant @param {Source} source */
  streamOf(participant, source) {
    return this.received.value.find((track) => track.participant === participant && track.source === source)?.stream ?? null;
  }

  /** @param {Extract<ServerMessage, { type: 'joined' }>} message */
  #joined(message) {
    this.you.value = message.you;
    this.since.value ||= Date.now();
    this.role.value = message.role;
    this.receipt.value = message.receipt ?? '';
    this.info.value = message.room;
    this.closing.value = '';
    this.#recorded(message.recording ?? null, message.recording?.started_at ?? 0);
    this.speakers.value = [];
    this.participants.value = message.participants;
    this.#noteSharing();
    const known = new Set(this.messages.value.map(({ id }) => id));
    const missed = message.messages.filter(({ id }) => !known.has(id));
    if (known.size > 0) for (const chat of missed) this.#said(chat);
    else this.messages.value = missed;
  }

  /** @param {Participant} participant */
  #changed(participant) {
    const before = this.participants.value.find(({ id }) => id === participant.id);
    const { name } = participant;
    if (!before) this.news.value = { kind: 'came', name };
    else if (shares(participant) && !shares(before) && participant.id !== this.you.value) this.news.value = { kind: 'shares', name };
    this.participants.value = before
      ? this.participants.value.map((known) => (known.id === participant.id ? participant : known))
      : [...this.participants.value, participant];
    this.#noteSharing();
  }

  /** @param {string} id */
  #left(id) {
    const name = this.participants.value.find((participant) => participant.id === id)?.name;
    if (name !== undefined) this.news.value = { kind: 'went', name };
    this.participants.value = this.participants.value.filter((participant) => participant.id !== id);
    this.speakers.value = this.speakers.value.filter((speaker) => speaker !== id);
    this.received.value = this.received.value.filter((track) => track.participant !== id);
    this.#noteSharing();
  }

  /** @param {ChatMessage} message */
  #said(message) {
    if (this.messages.value.some(({ id }) => id === message.id)) return;
    this.messages.value = [...this.messages.value, message];
    if (this.panel.value === 'chat' || message.participant === this.you.value) return;
    // Only the first is news: who has not looked yet knows already.
    if (this.unread.value === 0) this.news.value = { kind: 'wrote', name: message.name };
    this.unread.value += 1;
  }

  /** @param {Recording | null} now @param {number} since @param {string} [reason] */
  #recorded(now, since, reason = '') {
    const before = this.recording.value;
    this.recording.value = now;
    if (now && (this.role.value === 'host' || (this.role.value === 'member' && now.you === 'yes'))) this.mayWatch.value = true;
    if (now && now.id !== before?.id) {
      this.recordingSince.value = since;
      this.recordingNews.value = { kind: 'begun', reason: '' };
    } else if (before && !now) {
      this.recordingNews.value = { kind: 'ended', reason };
    }
  }

  #noteSharing() {
    const sharing = new Set(this.participants.value.filter(shares).map(({ id }) => id));
    for (const id of this.#sharingSince.keys()) if (!sharing.has(id)) this.#sharingSince.delete(id);
    // A Map keeps the order in which its keys came.
    for (const id of sharing) if (!this.#sharingSince.has(id)) this.#sharingSince.set(id, true);
  }

  #sharers() {
    const order = [...this.#sharingSince.keys()];
    return this.others.value.filter(shares).sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  }
}

/** @param {Participant} participant */
function shares(participant) {
  return participant.tracks.some(({ source, muted }) => source === 'screen' && !muted);
}

/** Whether the meeting is recorded without this person. @param {Room} room @param {string} participant */
export function leftOut(room, participant) {
  const recording = room.recording.value;
  return recording !== null && !recording.recorded.includes(participant);
}

/** Whether a source is sent and not muted. @param {Participant} participant @param {Source} source */
export function sends(participant, source) {
  return participant.tracks.some((track) => track.source === source && !track.muted);
}
