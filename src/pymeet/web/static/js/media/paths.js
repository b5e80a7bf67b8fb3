// The two peer connections of one seat, and the way back when one of them loses its path: first new ICE
// credentials, then a new peer connection. No DOM.

/** @import { Offer } from '../types.js' */
/** @import { ReceivedTrack } from './subscribe.js' */
import { PublishConnection } from './publish.js';
import { Silence, carried } from './silence.js';
import { SubscribeConnection } from './subscribe.js';

const RECOVERY_MS = 6000;
const LISTEN_EVERY_MS = 600;
const RESTARTS_BEFORE_REBUILD = 2;
// Where no path exists at all, trying harder only makes noise.
const REBUILD_INTERVAL_MS = 15_000;

/** @typedef {'publish' | 'subscribe'} Which */

export class MediaPaths {
  #options;
  #closed = false;
  /** @type {Record<Which, boolean>} */
  #flows = { publish: true, subscribe: true };
  /** @type {Record<Which, number>} */
  #restarts = { publish: 0, subscribe: 0 };
  /** @type {Record<Which, number>} */
  #rebuiltAtMs = { publish: -Infinity, subscribe: -Infinity };
  /** @type {Record<Which, ReturnType<typeof setTimeout> | undefined>} */
  #recovery = { publish: undefined, subscribe: undefined };
  #stopSending = () => {};
  /** @type {RTCIceServer[]} */
  #relays;
  #silence = new Silence();
  #listening;

  /**
   * @param {object} options
   * @param {RTCIceServer[]} options.relays the operator's TURN server, where there is one
   * @param {(type: string, fields: Record<string, unknown>) => Promise<any>} options.request
   * @param {(publish: PublishConnection) => () => void} options.send puts the person's tracks there, and returns how to stop that
   * @param {(tracks: ReceivedTrack[]) => void} options.onTracks
   * @param {(flows: boolean) => void} options.onFlow
   * @param {() => void} options.onTrouble a hint that the network changed
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
    this.#listening = setInterval(() => void this.#listen(), LISTEN_EVERY_MS);
  }

  /** @param {Offer} offer */
  accept(offer) {
    if (offer.fresh) this.#flow('subscribe', true);
    this.subscribe.accept(offer);
  }

  /** After the network changed or the seat was taken again. @param {RTCIceServer[]} [relays] newer ones, if there are */
  restart(relays) {
    if (relays) {
      this.#relays = relays;
      this.publish.relayBy(relays);
      this.subscribe.relayBy(relays);
    }
    this.#restart('publish');
    this.#restart('subscribe');
  }

  /** What the browser found out about a path. @param {Which} which @param {RTCPeerConnectionState} state */
  changed(which, state) {
    if (state === 'connected') {
      clearTimeout(this.#recovery[which]);
      this.#restarts[which] = 0;
      this.#flow(which, true);
    } else if (state === 'disconnected' || state === 'failed') {
      this.#flow(which, false);
      this.#options.onTrouble();
      this.#restart(which);
    }
  }

  /** What the server found out about it; what failed there is gone. @param {Which} which @param {string} state */
  reported(which, state) {
    if (state === 'disconnected') this.#restart(which);
    if (state === 'failed' && which === 'publish') this.#rebuild('publish');
  }

  close() {
    this.#closed = true;
    clearInterval(this.#listening);
    clearTimeout(this.#recovery.publish);
    clearTimeout(this.#recovery.subscribe);
    this.#stopSending();
    this.publish.close();
    this.subscribe.close();
  }

  /** Where nothing comes back, both paths look for another way: what cuts one cuts the other. */
  async #listen() {
    const { pc } = this.publish;
    if (pc.connectionState !== 'connected') return;
    const bytes = carried(await pc.getStats());
    if (this.#closed || pc !== this.publish.pc || !this.#silence.isDead(bytes, performance.now())) return;
    this.#options.onTrouble();
    this.restart();
  }

  #openPublish() {
    const publish = new PublishConnection({
      relays: this.#relays,
      request: this.#options.request,
      onState: (state) => this.changed('publish', state),
      onProblem: () => this.#rebuild('publish'),
    });
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

  /** @param {Which} which */
  #rebuild(which) {
    if (this.#closed) return;
    clearTimeout(this.#recovery[which]);
    const waitMs = Math.max(0, this.#rebuiltAtMs[which] + REBUILD_INTERVAL_MS - Date.now());
    this.#recovery[which] = setTimeout(() => {
      this.#rebuiltAtMs[which] = Date.now();
      this.#restarts[which] = 0;
      if (which === 'subscribe') return this.subscribe.restart('new');
      this.#stopSending();
      this.publish.close();
      this.publish = this.#openPublish();
      return undefined;
    }, waitMs);
  }

  /** @param {Which} which @param {boolean} flows */
  #flow(which, flows) {
    this.#flows[which] = flows;
    this.#options.onFlow(this.#flows.publish && this.#flows.subscribe);
  }
}
