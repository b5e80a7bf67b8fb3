// One seat in one meeting: brings the connection, the two media paths and the models together. No DOM.

/** @import { Answer, EarlyAnswer, Ending, Reaction, ServerMessage, Source } from './types.js' */
/** @import { Devices } from './models/devices.js' */
/** @import { PublishConnection } from './media/publish.js' */
/** @import { Room } from './models/room.js' */
import { effect } from '../vendor/signals-core.js';
import { chosenLanguage } from './i18n.js';
import { MediaPaths } from './media/paths.js';
import { keepSeat } from './models/choices.js';
import { keepReceipt } from './models/receipts.js';
import { Connection, Refused } from './protocol.js';

export class Meeting {
  #options;
  #room;
  #connection;
  /** @type {MediaPaths | null} */
  #paths = null;
  #seatMs = 60_000;
  #stopViewing = () => {};
  #token = '';

  /**
   * @param {object} options
   * @param {string} options.slug
   * @param {string} options.name
   * @param {string | null} [options.token]
   * @param {string | null} [options.password]
   * @param {EarlyAnswer | null} [options.recording]
   * @param {string} options.socketUrl
   * @param {Room} options.room
   * @param {Devices} options.devices
   * @param {(configuration: RTCConfiguration) => Promise<RTCPeerConnection>} options.connect makes a connection that knows the addresses of now
   */
  constructor(options) {
    this.#options = options;
    const room = options.room;
    this.#room = room;
    this.#connection = new Connection({
      url: options.socketUrl,
      name: options.name,
      token: options.token,
      password: options.password,
      recording: options.recording,
      keepsMedia: () => this.#paths !== null,
      online: () => globalThis.navigator?.onLine !== false,
      onMessage: (message) => this.#receive(message),
      onState: (state) => { room.link.value = state; },
      onEnd: (ending) => this.#ended(ending),
    });
  }

  /** For diagnostics. */
  get publishPc() {
    return this.#paths?.publish.pc ?? null;
  }

  /** For diagnostics. */
  get subscribePc() {
    return this.#paths?.subscribe.pc ?? null;
  }

  /** What the browser counted on both paths; null while there are none. @returns {Promise<import('./models/flows.js').Reading | null>} */
  async reading() {
    const paths = this.#paths;
    if (!paths) return null;
    const { publish, subscribe } = paths;
    const [sent, received] = await Promise.all([publish.pc.getStats(), subscribe.pc?.getStats()]);
    return {
      atMs: performance.now(), sent: [...sent.values()], received: [...(received?.values() ?? [])],
      sentFrom: publish.sections, receivedFrom: subscribe.sections,
    };
  }

  /** What the server measured of one's own connections. @returns {Promise<import('./types.js').Figures>} */
  figures() {
    return this.#connection.request('figures');
  }

  open() {
    this.#connection.open();
    this.#stopViewing = effect(() => this.#room.viewing.has(this.#room.pictures.value));
  }

  /** The browser reports another network, or woke from sleep. @param {boolean} networkChanged */
  wake(networkChanged) {
    this.#connection.wake();
    if (networkChanged && this.#connection.state === 'joined') this.#paths?.restart();
  }

  leave() {
    this.#connection.leave();
  }

  /** @param {string} text @param {string} to a participant; empty for everybody */
  say(text, to = '') {
    return this.#connection.request('chat', to ? { text, to } : { text });
  }

  /** @param {string} message @param {string} text */
  reword(message, text) {
    return this.#connection.request('edit_message', { message, text });
  }

  /** @param {string} message */
  takeBack(message) {
    return this.#connection.request('delete_message', { message });
  }

  /** @param {boolean} up */
  raiseHand(up) {
    return this.#connection.request('hand', { up });
  }

  /** @param {Reaction} reaction */
  react(reaction) {
    return this.#connection.request('react', { reaction });
  }

  /** Lets somebody in who waits, or everybody. @param {string} [participant] */
  admit(participant) {
    return this.#connection.request('admit', participant ? { participant } : {});
  }

  /** @param {string} participant @param {string} reason may be empty */
  refuse(participant, reason) {
    return this.#connection.request('refuse', reason ? { participant, reason } : { participant });
  }

  /** Switches somebody's device or share off; they may switch it on again. @param {string} participant @param {Source} source */
  stopSource(participant, source) {
    return this.#connection.request('stop', { participant, source });
  }

  /** Switches off every microphone but one's own and, where somebody is named, theirs. @param {string} [but] a participant */
  muteAll(but) {
    return this.#connection.request('mute_all', but ? { but } : {});
  }

  /** @param {string} participant @param {boolean} ban whether they are kept out of this meeting */
  remove(participant, ban) {
    return this.#connection.request('remove', ban ? { participant, ban } : { participant });
  }

  /** @param {string | null} participant */
  spotlight(participant) {
    return this.#connection.request('spotlight', { participant });
  }

  /** @param {string} participant @param {'cohost' | 'member'} role */
  setRole(participant, role) {
    return this.#connection.request('role', { participant, role });
  }

  /** @param {string} participant */
  handOver(participant) {
    return this.#connection.request('hand_over', { participant });
  }

  /** @param {string} participant */
  lowerHand(participant) {
    return this.#connection.request('lower_hand', { participant });
  }

  /** @param {boolean} on whether nobody new comes in */
  lock(on) {
    return this.#connection.request('lock', { on });
  }

  endForEverybody() {
    return this.#connection.request('end');
  }

  /** @param {boolean} chat whether the chat belongs to it */
  startRecording(chat) {
    return this.#connection.request('record', { on: true, chat });
  }

  stopRecording() {
    return this.#connection.request('record', { on: false });
  }

  /** Whether one is to be recorded: the first word and every later one. @param {Answer} answer */
  answerRecording(answer) {
    return this.#connection.request('consent', { recording: this.#room.recording.value?.id, answer, language: chosenLanguage() });
  }

  /** @param {string} text may be empty */
  addMarker(text) {
    return this.#connection.request('marker', text ? { text } : {});
  }

  /** Called while the page goes away, so that a reload finds the seat for as long as the server keeps it. */
  rememberSeat() {
    if (!this.#token || this.#room.ending.value) return;
    const { slug, name } = this.#options;
    keepSeat({ slug, token: this.#token, name, untilMs: Date.now() + this.#seatMs, sinceMs: this.#room.since.value });
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    if (message.type === 'joined') this.#joined(message);
    if (message.type === 'waiting') this.#closeMedia();
    if (message.type === 'offer') this.#paths?.accept(message);
    if (message.type === 'stopped') this.#options.devices.switchOff(message.source);
    if (message.type === 'layers') this.#paths?.publish.layers(message.source, message.active);
    if (message.type === 'media') this.#paths?.reported(message.connection, message.state);
    this.#room.apply(message);
  }

  /** @param {Extract<ServerMessage, { type: 'joined' }>} message */
  #joined(message) {
    this.#token = message.resume;
    this.#seatMs = message.seat_s * 1000;
    this.rememberSeat();
    this.#room.viewing.connect((view) => this.#connection.request('view', view));
    if (message.receipt) keepReceipt({ receipt: message.receipt, room: message.room.name, at: Date.now() }, message.resumed);
    const relays = message.ice_servers ?? [];
    if (message.resumed && this.#paths) return this.#paths.resume(relays);
    // What the old peer connections were connected to is gone.
    this.#closeMedia();
    this.#paths = new MediaPaths({
      relays,
      request: (type, fields) => this.#describe(type, fields),
      send: (publish) => this.#send(publish),
      onTracks: (tracks) => { this.#room.received.value = tracks; },
      onFlow: (flows) => { this.#room.mediaFlows.value = flows; },
      onTrouble: () => this.#connection.check(),
      connect: this.#options.connect,
      heard: () => this.#connection.heard,
    });
    return undefined;
  }

  /** @param {string} type @param {Record<string, unknown>} fields */
  async #describe(type, fields) {
    try {
      return await this.#connection.request(type, fields);
    } catch (error) {
      const { devices } = this.#options;
      if (type === 'publish' && error instanceof Refused && error.code === 'not_allowed' && devices.screen.value) {
        // The room no longer lets this person share: sound and picture must not be lost with the screen.
        devices.stopSharing();
        this.#room.stopped.value = { source: 'screen', name: '' };
      }
      throw error;
    }
  }

  /** Keeps what is sent in step with the person's devices. @param {PublishConnection} publish */
  #send(publish) {
    const { microphone, camera, screen, music, on } = this.#options.devices;
    let sharing = false;
    const stops = [
      effect(() => publish.music(music.value)),
      effect(() => void publish.set('microphone', microphone.value, !(microphone.value && on.microphone.value))),
      effect(() => void publish.set('camera', camera.value, !camera.value)),
      effect(() => {
        const shared = screen.value;
        if (shared) void publish.share(shared.video, shared.audio);
        else if (sharing) void publish.unshare();
        sharing = shared !== null;
      }),
    ];
    return () => stops.forEach((stop) => stop());
  }

  #closeMedia() {
    this.#paths?.close();
    this.#paths = null;
    this.#room.received.value = [];
    this.#room.mediaFlows.value = true;
  }

  /** @param {Ending} ending */
  #ended(ending) {
    this.#closeMedia();
    this.#stopViewing();
    this.#room.viewing.close();
    keepSeat(null);
    this.#room.ending.value = ending;
  }
}
