// The two peer connections of one seat, and the way back: where both have fallen silent while the server is in reach, new
// ones at once, because Chromium leaves a path only after seconds; where one has, first new ICE credentials. No DOM.

/** @import { Offer } from '../types.js' */
/** @import { ReceivedTrack } from './subscribe.js' */
import { PublishConnection } from './publish.js';
import { Silence, carried } from './silence.js';
import { SubscribeConnection } from './subscribe.js';

const RECOVERY_MS = 6000;
const LISTEN_EVERY_MS = 100;
const LISTEN_CLOSELY_MS = 40;
// A doubt costs little, a new connection a picture that begins anew.
const DOUBT_FOR_MS = 100;
// A path that stutters is no reason to make connections all the time.
const PREPARE_EVERY_MS = 3000;
// What the server sends brings something many times a second.
const UNHEARD_MS = 300;
const RESTARTS_BEFORE_REBUILD = 2;
// Where no path exists at all, trying harder only makes noise; where the last one did help, less patience will do.
const REBUILD_INTERVAL_MS = 15_000;
const AGAIN_INTERVAL_MS = 4000;

/** @typedef {'publish' | 'subscribe'} Which */

export class MediaPaths {
  #options;
  #closed = false;
  /** @type {Record<Which, boolean>} */
  #flows = { publish: true, subscribe: true };
  /** @type {Record<Which, number>} */
  #restarts = { publish: 0, subscribe: 0 };
  /** @type {Record<Which, number>} */
  #rebuildFromMs = { publish: -Infinity, subscribe: -Infinity };
  /** @type {Record<Which, ReturnType<typeof setTimeout> | undefined>} */
  #recovery = { publish: undefined, subscribe: undefined };
  #stopSending = () => {};
  /** @type {RTCIceServer[]} */
  #relays;
  #silence = new Silence();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #listening;
  /** Made before it is needed, for the next connection on which is sent. @type {RTCPeerConnection | null} */
  #spare = null;
  #preparedAtMs = -Infinity;
  /** What had come in by other ways when the one on which is sent fell silent. @type {{ media: number, words: number, atMs: number } | null} */
  #doubt = null;

  /**
   * @param {object} options
   * @param {RTCIceServer[]} options.relays the operator's TURN server, where there is one
   * @param {(type: string, fields: Record<string, unknown>) => Promise<any>} options.request
   * @param {(publish: PublishConnection) => () => void} options.send puts the person's tracks there, and returns how to stop that
   * @param {(tracks: ReceivedTrack[]) => void} options.onTracks
   * @param {(flows: boolean) => void} options.onFlow
   * @param {() => void} options.onTrouble a hint that the network changed
   * @param {(configuration: RTCConfiguration) => Promise<RTCPeerConnection>} options.connect makes a connection that knows the addresses of now
   * @param {() => number} options.heard how many messages have come from the server
   */
  constructor(options) {
    this.#options = options;
    this.#relays = options.relays;
    this.publish = this.#openPublish();
    this.subscribe = new SubscribeConnection({
      relays: options.relays,
      request: options.request,
      onTracks: options.onTracks,
      onState: (state) => this.changed('subscribe', state),
      onProblem: () => this.#rebuild('subscribe'),
    });
    this.#listenSoon();
  }

  /** @param {Offer} offer */
  accept(offer) {
    if (offer.fresh) this.#flow('subscribe', true);
    this.subscribe.accept(offer);
  }

  /** After the network changed. */
  restart() {
    this.#restart('publish');
    this.#restart('subscribe');
  }

  /** After the seat was taken again: whatever broke the socket may have changed the address too. @param {RTCIceServer[]} relays newer ones */
  resume(relays) {
    this.#relays = relays;
    this.publish.relayBy(relays);
    this.subscribe.relayBy(relays);
    if (this.#doubt && this.#waitMs('publish') + this.#waitMs('subscribe') === 0) this.#rebuildBoth();
    else this.restart();
  }

  /** What the browser found out about a path. @param {Which} which @param {RTCPeerConnectionState} state */
  changed(which, state) {
    if (state === 'connected') {
      clearTimeout(this.#recovery[which]);
      this.#restarts[which] = 0;
      this.#rebuildFromMs[which] = Math.min(this.#rebuildFromMs[which], Date.now() + AGAIN_INTERVAL_MS);
      this.#flow(which, true);
    } else if (state === 'disconnected' || state === 'failed') {
      this.#flow(which, false);
      this.#options.onTrouble();
      this.#restart(which);
    }
  }

  /** What the server found out about it; what failed there is gone. @param {Which} which @param {string} state */
  reported(which, state) {
    if (state === 'disconnected') {
      this.#restart(which);
      if (which === 'subscribe') void this.#listenBack();
    }
    if (state === 'failed' && which === 'publish') this.#rebuild('publish');
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#listening);
    clearTimeout(this.#recovery.publish);
    clearTimeout(this.#recovery.subscribe);
    this.#dismiss();
    this.#stopSending();
    this.publish.close();
    this.subscribe.close();
  }

  #listenSoon() {
    this.#listening = setTimeout(async () => {
      // Connections that are being replaced count nothing.
      await this.#listen().catch(() => {});
      if (!this.#closed) this.#listenSoon();
    }, this.#doubt ? LISTEN_CLOSELY_MS : LISTEN_EVERY_MS);
  }

  async #listen() {
    const { pc } = this.publish;
    if (pc.connectionState !== 'connected') return;
    const stats = await pc.getStats();
    if (this.#closed || pc !== this.publish.pc) return;
    const nowMs = performance.now();
    const due = this.#silence.judge(carried(stats), nowMs);
    if (!due) return this.#dismiss();
    const media = await this.#received();
    if (this.#closed || pc !== this.publish.pc) return;
    const words = this.#options.heard();
    if (!this.#doubt) {
      this.#doubt = { media, words, atMs: nowMs };
      this.#options.onTrouble();
      void this.#prepare();
    }
    if (media !== this.#doubt.media) {
      if (due === 'restart') this.restart();
      if (due === 'rebuild') this.#rebuild('publish');
    } else if (words > this.#doubt.words && nowMs - this.#doubt.atMs >= DOUBT_FOR_MS) {
      // Not before: what cuts the server off as well is for the socket to overcome.
      this.#rebuildBoth();
    }
  }

  /** The server sends and nobody seems to take it: where that is so, a new connection finds a way sooner than the old one. */
  async #listenBack() {
    const before = await this.#received();
    await new Promise((resolve) => { setTimeout(resolve, UNHEARD_MS); });
    if (await this.#received() === before) this.#rebuild('subscribe');
  }

  async #received() {
    const { pc } = this.subscribe;
    return pc ? carried(await pc.getStats()).received : 0;
  }

  /** What takes the place of the connections that seem dead is to know its addresses when it is needed. */
  async #prepare() {
    const doubt = this.#doubt;
    if (performance.now() - this.#preparedAtMs < PREPARE_EVERY_MS) return;
    this.#preparedAtMs = performance.now();
    /** @type {RTCConfiguration} */
    const configuration = { iceServers: this.#relays, bundlePolicy: 'max-bundle', iceCandidatePoolSize: 1 };
    const [publish, subscribe] = await Promise.all([this.#options.connect(configuration), this.#options.connect(configuration)]);
    this.#dismissSpares();
    this.#spare = publish;
    this.subscribe.spare = subscribe;
    if (this.#closed || this.#doubt !== doubt) this.#dismissSpares();
  }

  /** What was doubted lives, or what was made ready is in use. */
  #dismiss() {
    this.#doubt = null;
    this.#dismissSpares();
  }

  #dismissSpares() {
    this.#spare?.close();
    this.subscribe.spare?.close();
    this.#spare = this.subscribe.spare = null;
  }

  #openPublish() {
    /** @type {PublishConnection} */
    const publish = new PublishConnection({
      relays: this.#relays,
      pc: this.#spare ?? undefined,
      request: this.#options.request,
      onState: (state) => this.changed('publish', state),
      onProblem: () => this.#rebuild('publish'),
    });
    this.#spare = null;
    this.#stopSending = this.#options.send(publish);
    publish.negotiate();
    return publish;
  }

  /** @param {Which} which */
  #restart(which) {
    if (this.#closed) return;
    if (which === 'publish') this.publish.restart();
    else this.subscribe.restart('keep');
    clearTimeout(this.#recovery[which]);
    this.#recovery[which] = setTimeout(() => {
      if (this.#flows[which]) return;
      this.#restarts[which] += 1;
      if (this.#restarts[which] < RESTARTS_BEFORE_REBUILD) this.#restart(which);
      else this.#rebuild(which);
    }, RECOVERY_MS);
  }

  #rebuildBoth() {
    // In this order: while the server writes its offer, ours is made.
    this.#rebuild('subscribe');
    this.#rebuild('publish');
  }

  /** @param {Which} which */
  #rebuild(which) {
    if (this.#closed) return;
    clearTimeout(this.#recovery[which]);
    this.#recovery[which] = setTimeout(() => {
      this.#rebuildFromMs[which] = Date.now() + REBUILD_INTERVAL_MS;
      this.#restarts[which] = 0;
      if (which === 'subscribe') return this.subscribe.restart('new');
      this.#doubt = null;
      this.#stopSending();
      this.publish.close();
      this.publish = this.#openPublish();
      return undefined;
    }, this.#waitMs(which));
  }

  /** Until the next rebuild. @param {Which} which */
  #waitMs(which) {
    return Math.max(0, this.#rebuildFromMs[which] - Date.now());
  }

  /** @param {Which} which @param {boolean} flows */
  #flow(which, flows) {
    this.#flows[which] = flows;
    this.#options.onFlow(this.#flows.publish && this.#flows.subscribe);
  }
}
