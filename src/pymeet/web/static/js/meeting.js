// One seat in one meeting: brings the connection, the two media paths and the models together. No DOM.

/** @import { Ending, Offer, ServerMessage } from './types.js' */
/** @import { LinkState } from './protocol.js' */
/** @import { Devices } from './models/devices.js' */
/** @import { Room } from './models/room.js' */
import { effect } from '../vendor/signals-core.js';
import { PublishConnection } from './media/publish.js';
import { SubscribeConnection } from './media/subscribe.js';
import { keepSeat } from './models/choices.js';
import { Connection } from './protocol.js';

const RECOVERY_MS = 6000;
const RESTARTS_BEFORE_REBUILD = 2;
// Where no path exists at all, trying harder only makes noise.
const REBUILD_INTERVAL_MS = 15_000;

export class Meeting {
  #slug;
  #name;
  #connection;
  #room;
  #devices;
  /** @type {PublishConnection | null} */
  publish = null;
  /** @type {SubscribeConnection | null} */
  subscribe = null;
  /** @type {(() => void)[]} */
  #effects = [];
  #sharing = false;
  #restarts = 0;
  #rebuiltAtMs = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #recovery;
  #flows = { publish: true, subscribe: true };
  #seatMs = 60_000;
  #token = '';

  /**
   * @param {{ slug: string, name: string, token?: string | null, socketUrl: string, room: Room, devices: Devices }} options
   */
  constructor({ slug, name, token, socketUrl, room, devices }) {
    this.#slug = slug;
    this.#name = name;
    this.#room = room;
    this.#devices = devices;
    this.#connection = new Connection({
      url: socketUrl,
      name,
      token,
      keepsMedia: () => this.publish !== null,
      lastMessage: () => room.messages.value.at(-1)?.id ?? null,
      onMessage: (message) => this.#receive(message),
      onState: (state) => this.#linkChanged(state),
      onEnd: (ending) => this.#ended(ending),
    });
  }

  open() {
    this.#connection.open();
  }

  /** The browser reports another network, or woke from sleep. @param {boolean} networkChanged */
  wake(networkChanged) {
    this.#connection.wake();
    if (networkChanged && this.#connection.state === 'joined') this.#restartMedia();
  }

  leave() {
    this.#connection.leave();
  }

  /** @param {string} text */
  say(text) {
    return this.#connection.request('chat', { text });
  }

  /** @param {string} participant */
  remove(participant) {
    return this.#connection.request('remove', { participant });
  }

  endForEverybody() {
    return this.#connection.request('end');
  }

  /** Called while the page goes away, so that a reload finds the seat as fresh as possible. */
  rememberSeat() {
    if (!this.#token || this.#room.ending.value) return;
    keepSeat({ slug: this.#slug, token: this.#token, name: this.#name, untilMs: Date.now() + this.#seatMs });
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    if (message.type === 'joined') this.#joined(message);
    if (message.type === 'offer') this.#offered(message);
    this.#room.apply(message);
  }

  /** @param {Extract<ServerMessage, { type: 'joined' }>} message */
  #joined(message) {
    this.#token = message.resume;
    this.#seatMs = message.seat_s * 1000;
    this.rememberSeat();
    if (message.resumed && this.publish) return this.#restartMedia();
    // A fresh seat: what the old peer connections were connected to is gone.
    this.#closeMedia();
    this.#openMedia();
    return undefined;
  }

  #openMedia() {
    /** @type {(type: string, fields: Record<string, unknown>) => Promise<any>} */
    const request = (type, fields) => this.#connection.request(type, fields);
    const onProblem = () => this.#rebuild();
    const publish = new PublishConnection({ request, onProblem, onState: (state) => this.#mediaChanged('publish', state) });
    this.publish = publish;
    this.subscribe = new SubscribeConnection({
      request,
      onProblem,
      onState: (state) => this.#mediaChanged('subscribe', state),
      onTracks: (tracks) => { this.#room.received.value = tracks; },
    });
    const { microphone, camera, screen, on } = this.#devices;
    this.#effects = [
      effect(() => void publish.set('microphone', microphone.value, !(microphone.value && on.microphone.value))),
      effect(() => void publish.set('camera', camera.value, !camera.value)),
      effect(() => void this.#share(publish, screen.value)),
    ];
    publish.negotiate();
  }

  /** @param {PublishConnection} publish @param {{ video: MediaStreamTrack, audio: MediaStreamTrack | null } | null} screen */
  #share(publish, screen) {
    if (!screen && !this.#sharing) return undefined;
    this.#sharing = screen !== null;
    return screen ? publish.share(screen.video, screen.audio) : publish.unshare();
  }

  #closeMedia() {
    clearTimeout(this.#recovery);
    for (const stop of this.#effects) stop();
    this.#effects = [];
    this.publish?.close();
    this.subscribe?.close();
    this.publish = null;
    this.subscribe = null;
    this.#sharing = false;
    this.#restarts = 0;
    this.#room.received.value = [];
    this.#flows = { publish: true, subscribe: true };
    this.#room.mediaFlows.value = true;
  }

  /** @param {Offer} offer */
  #offered(offer) {
    this.subscribe?.accept(offer);
  }

  /** @param {LinkState} state */
  #linkChanged(state) {
    this.#room.link.value = state;
  }

  /** @param {'publish' | 'subscribe'} which @param {RTCPeerConnectionState} state */
  #mediaChanged(which, state) {
    if (state === 'connected') this.#flows[which] = true;
    if (state === 'disconnected' || state === 'failed') this.#flows[which] = false;
    const flows = this.#flows.publish && this.#flows.subscribe;
    this.#room.mediaFlows.value = flows;
    if (flows) {
      clearTimeout(this.#recovery);
      this.#restarts = 0;
    } else if (state === 'disconnected' || state === 'failed') {
      this.#connection.wake();
      this.#restartMedia();
    }
  }

  /** New ICE credentials on both paths; if that does not help, a seat with new peer connections. */
  #restartMedia() {
    this.publish?.restart();
    this.subscribe?.restart();
    clearTimeout(this.#recovery);
    this.#recovery = setTimeout(() => {
      if (this.#room.mediaFlows.value || this.#connection.state !== 'joined') return;
      this.#restarts += 1;
      if (this.#restarts > RESTARTS_BEFORE_REBUILD) this.#rebuild();
      else this.#restartMedia();
    }, RECOVERY_MS);
  }

  #rebuild() {
    clearTimeout(this.#recovery);
    const waitMs = Math.max(0, this.#rebuiltAtMs + REBUILD_INTERVAL_MS - Date.now());
    this.#recovery = setTimeout(() => {
      this.#rebuiltAtMs = Date.now();
      this.#closeMedia();
      this.#connection.rejoin();
    }, waitMs);
  }

  /** @param {Ending} ending */
  #ended(ending) {
    this.#closeMedia();
    keepSeat(null);
    this.#room.ending.value = ending;
  }
}
