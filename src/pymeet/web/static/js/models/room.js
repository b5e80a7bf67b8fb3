// What is true in the meeting, as the server tells it: signals that views read, changed by messages only.

/** @import { ChatMessage, Ending, Participant, Reaction, Recording, Role, RoomInfo, RoomState, ServerMessage, Source, Waiting } from '../types.js' */
/** @import { LinkState } from '../protocol.js' */
/** @import { ReceivedTrack } from '../media/subscribe.js' */
/** @import { Verdicts } from './quality.js' */
import { computed, signal } from '../../vendor/signals-core.js';
import { mentions } from './mentions.js';
import { worseOf } from './quality.js';
import { Viewing } from './viewing.js';

/** @typedef {'chat' | 'people' | 'flows' | null} Panel */
/** @typedef {'came' | 'went' | 'shares' | 'wrote' | 'wrotePrivately' | 'mentioned' | 'raised' | 'waits' | 'spotlit' | 'reacted'} NewsKind */

/** @type {RoomState} */
const NOTHING_SET = { locked: false, spotlight: null, hands: [], may_share: 'everybody', may_record: 'hosts' };

export class Room {
  you = signal('');
  role = signal(/** @type {Role} */ ('guest'));
  info = signal(/** @type {RoomInfo | null} */ (null));
  participants = signal(/** @type {Participant[]} */ ([]));
  speakers = signal(/** @type {string[]} */ ([]));
  /** Who leads the conversation, by the server's measure: a cough does not change it. Empty for nobody. */
  leading = signal('');
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
  news = signal(/** @type {{ kind: NewsKind, name: string, reaction?: Reaction } | null} */ (null));
  /** Before the door: that one has to be let in, and since when by this device's clock. */
  waitingSince = signal(0);
  state = signal(NOTHING_SET);
  /** Who waits before the door; told to hosts only. */
  lobby = signal(/** @type {Waiting[]} */ ([]));
  /** The newest of each person, as long as it is shown. */
  reactions = signal(/** @type {ReadonlyMap<string, { reaction: Reaction, number: number }>} */ (new Map()));
  /** What a host switched off here, and who did. */
  stopped = signal(/** @type {{ source: Source, name: string } | null} */ (null));
  /** Ids of pictures that the server does not send now, because there are too many. */
  withheld = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  /** Whose connections do not work well, as the server tells, and as it arrives here. */
  told = signal(/** @type {Verdicts} */ (new Map()));
  seen = signal(/** @type {Verdicts} */ (new Map()));
  quality = computed(() => worseOf(this.told.value, this.seen.value));
  /** What the server measured of one's own connections, where somebody wants to know. */
  figures = signal(/** @type {import('../types.js').Figures | null} */ (null));
  /** What flows right now, where somebody wants to know. */
  flows = signal(/** @type {import('./flows.js').Flows | null} */ (null));
  /** What this page shows of what it receives. */
  viewing = new Viewing();
  /** To whom the next message goes: a participant, or everybody. */
  chatTo = signal('');

  /** One's own record, as the others have it. */
  own = computed(() => this.participants.value.find(({ id }) => id === this.you.value));
  others = computed(() => this.participants.value.filter(({ id }) => id !== this.you.value));
  /** Those with a tile; a player (WHEP) only watches and is listed among the people. */
  tiles = computed(() => this.others.value.filter(({ kind }) => kind !== 'player'));
  watchers = computed(() => this.others.value.filter(({ kind }) => kind === 'player'));
  /** Whoever began to share last is shown. */
  sharer = computed(() => this.#sharers().at(-1) ?? null);
  joined = computed(() => this.you.value !== '');
  /** Whether one conducts the meeting. */
  hosting = computed(() => this.role.value === 'host' || this.role.value === 'cohost');
  mayRecord = computed(() => this.role.value === 'host' && !this.#visits && this.recordingsAllowed.value && this.state.value.may_record === 'hosts');
  mayShare = computed(() => {
    const who = this.state.value.may_share;
    return who === 'everybody' || this.hosting.value || (who === 'members' && !this.#visits);
  });
  handUp = computed(() => this.state.value.hands.includes(this.you.value));
  /** Whom everybody sees large; not oneself, who is seen large by the others. */
  spotlit = computed(() => this.tiles.value.find(({ id }) => id === this.state.value.spotlight) ?? null);
  /** Whom this person keeps large. */
  pinned = computed(() => this.tiles.value.find(({ id }) => id === this.viewing.pinned.value) ?? null);
  /** Every picture that others send. */
  pictures = computed(() => this.others.value.flatMap(({ id, tracks }) =>
    tracks.filter(({ kind }) => kind === 'video').map((track) => ({ track: track.id, participant: id }))));
  inSpotlight = computed(() => this.joined.value && this.state.value.spotlight === this.you.value);
  /** Whether the question about the recording waits for an answer. */
  asked = computed(() => this.recording.value?.you === null);
  isRecorded = computed(() => this.recording.value?.you === 'yes');
  #sharingSince = new Map();
  #reactionNumber = 0;

  /** @param {ServerMessage} message */
  apply(message) {
    switch (message.type) {
      case 'joined': return this.#joined(message);
      case 'participant': return this.#changed(message.participant);
      case 'participant_left': return this.#left(message.participant);
      case 'speakers': return this.#spoken(message);
      case 'chat': return this.#said(message.message);
      case 'recording': return this.#recorded(message.recording, Date.now(), message.reason);
      case 'waiting': return this.#waits(message.room);
      case 'lobby': return this.#lobbyChanged(message.people);
      case 'room_state': return this.#set(message);
      case 'reaction': return this.#reacted(message.participant, message.reaction);
      case 'message_changed': return this.#reworded(message);
      case 'withheld': this.withheld.value = new Set(message.tracks); return undefined;
      case 'quality': this.told.value = new Map(message.participants.map(({ participant, ...verdict }) => [participant, verdict])); return undefined;
      case 'stopped': this.stopped.value = { source: message.source, name: this.nameOf(message.by) }; return undefined;
      case 'closing': this.closing.value = message.reason; return undefined;
      default: return undefined;
    }
  }

  /** @param {Panel} panel */
  open(panel) {
    this.panel.value = panel;
    if (panel === 'chat') this.unread.value = 0;
  }

  /** @param {'chat' | 'people' | 'flows'} panel */
  toggle(panel) {
    this.open(this.panel.value === panel ? null : panel);
  }

  /** Whether one has no account here, whatever part a host gave one. */
  get #visits() {
    return this.receipt.value !== '';
  }

  /** Of somebody who is here; empty for who is not. @param {string} participant */
  nameOf(participant) {
    return this.participants.value.find(({ id }) => id === participant)?.name ?? '';
  }

  /** The place in the order of those who want to speak, from 1; 0 without a raised hand. @param {string} participant */
  handOf(participant) {
    return this.state.value.hands.indexOf(participant) + 1;
  }

  /** It was shown for long enough. @param {string} participant @param {number} number */
  forgetReaction(participant, number) {
    if (this.reactions.value.get(participant)?.number !== number) return;
    const left = new Map(this.reactions.value);
    left.delete(participant);
    this.reactions.value = left;
  }

  /** Opens the chat for a message to one person. @param {string} participant */
  writeTo(participant) {
    this.chatTo.value = participant;
    this.open('chat');
  }

  /** @param {string} participant @param {Source} source */
  streamOf(participant, source) {
    return this.received.value.find((track) => track.participant === participant && track.source === source)?.stream ?? null;
  }

  /** @param {Extract<ServerMessage, { type: 'joined' }>} message */
  #joined(message) {
    this.you.value = message.you;
    this.since.value ||= Date.now();
    this.waitingSince.value = 0;
    this.#become(message.role);
    this.receipt.value = message.receipt ?? '';
    this.info.value = message.room;
    this.closing.value = '';
    this.#recorded(message.recording ?? null, message.recording?.started_at ?? 0);
    this.speakers.value = [];
    this.leading.value = '';
    this.withheld.value = new Set();
    this.told.value = new Map();
    this.participants.value = message.participants;
    // Nobody is told again of what was so before they came.
    this.state.value = message.state ?? NOTHING_SET;
    this.#noteSharing();
    this.#catchUp(message.messages);
  }

  /** @param {Extract<ServerMessage, { type: 'speakers' }>} message */
  #spoken({ participants, dominant }) {
    this.speakers.value = participants;
    this.leading.value = dominant ?? '';
  }

  /** What stands there no more was deleted meanwhile; what is older than all of it stays. @param {readonly ChatMessage[]} latest */
  #catchUp(latest) {
    const known = new Set(this.messages.value.map(({ id }) => id));
    const first = latest[0]?.at ?? 0;
    this.messages.value = [
      ...this.messages.value.filter(({ at }) => at < first), ...latest.filter(({ id }) => known.size === 0 || known.has(id)),
    ];
    if (known.size > 0) for (const chat of latest) this.#said(chat);
  }

  /** @param {RoomInfo} info */
  #waits(info) {
    this.info.value = info;
    this.waitingSince.value ||= Date.now();
    // Who waits again has lost their seat, and sees nothing of the meeting any more.
    this.you.value = '';
    this.#become('guest');
    this.participants.value = [];
    this.speakers.value = [];
    this.recording.value = null;
    this.reactions.value = new Map();
    this.chatTo.value = '';
    this.state.value = NOTHING_SET;
  }

  /** @param {Role} role */
  #become(role) {
    this.role.value = role;
    if (!this.hosting.value) this.lobby.value = [];
  }

  /** @param {Waiting[]} people */
  #lobbyChanged(people) {
    const known = new Set(this.lobby.value.map(({ id }) => id));
    const fresh = people.find(({ id }) => !known.has(id));
    this.lobby.value = people;
    if (fresh) this.news.value = { kind: 'waits', name: fresh.name };
  }

  /** @param {RoomState} state */
  #set({ locked, spotlight, hands, may_share, may_record }) {
    const before = this.state.value;
    this.state.value = { locked, spotlight, hands, may_share, may_record };
    const raised = hands.find((id) => id !== this.you.value && !before.hands.includes(id));
    if (raised) this.news.value = { kind: 'raised', name: this.nameOf(raised) };
    else if (spotlight && spotlight !== before.spotlight) this.news.value = { kind: 'spotlit', name: this.nameOf(spotlight) };
  }

  /** @param {string} participant @param {Reaction} reaction */
  #reacted(participant, reaction) {
    this.#reactionNumber += 1;
    this.reactions.value = new Map(this.reactions.value).set(participant, { reaction, number: this.#reactionNumber });
    if (participant !== this.you.value) this.news.value = { kind: 'reacted', name: this.nameOf(participant), reaction };
  }

  /** @param {Extract<ServerMessage, { type: 'message_changed' }>} change */
  #reworded({ id, text, edited_at }) {
    this.messages.value = this.messages.value.map((message) => {
      if (message.id !== id) return message;
      return text === null ? { ...message, text: '', deleted: true } : { ...message, text, edited_at: edited_at ?? undefined };
    });
  }

  /** @param {Participant} participant */
  #changed(participant) {
    if (participant.id === this.you.value) this.#become(participant.role);
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
    if (this.chatTo.value === id) this.chatTo.value = '';
    if (this.viewing.pinned.value === id) this.viewing.pin('');
    this.#noteSharing();
  }

  /** @param {ChatMessage} message */
  #newsOf({ to, text }) {
    if (to) return 'wrotePrivately';
    return mentions(text, this.nameOf(this.you.value)) ? 'mentioned' : 'wrote';
  }

  /** @param {ChatMessage} message */
  #said(message) {
    if (this.messages.value.some(({ id }) => id === message.id)) return;
    this.messages.value = [...this.messages.value, message];
    if (this.panel.value === 'chat' || message.participant === this.you.value) return;
    // Only the first is news, who has not looked yet knows already; but what is meant for oneself always is.
    const kind = this.#newsOf(message);
    if (kind !== 'wrote' || this.unread.value === 0) this.news.value = { kind, name: message.name };
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

/** The address of somebody's picture; empty where there is none. @param {Room} room @param {Participant | undefined} participant */
export function pictureOf(room, participant) {
  const slug = room.info.value?.slug;
  return slug && participant?.picture ? `/api/v1/rooms/${encodeURIComponent(slug)}/pictures/${participant.picture}` : '';
}

/** Whether the meeting is recorded without this person. @param {Room} room @param {string} participant */
export function leftOut(room, participant) {
  const recording = room.recording.value;
  return recording !== null && !recording.recorded.includes(participant);
}

/** The id of what somebody sends from one source, muted or not; empty where there is nothing. @param {Participant} participant @param {Source} source */
export function trackOf(participant, source) {
  return participant.tracks.find((track) => track.source === source)?.id ?? '';
}

/** Whether a source is sent and not muted. @param {Participant} participant @param {Source} source */
export function sends(participant, source) {
  return participant.tracks.some((track) => track.source === source && !track.muted);
}
