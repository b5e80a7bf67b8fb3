// The peer connection on which this browser receives (docs/protocol.md, section 2): the server offers, we answer,
// one offer after the other, every one of them. A fresh offer begins a new peer connection.

/** @import { Offer, Source } from '../types.js' */
import { ConnectionLost } from '../protocol.js';
import { takingStereo } from './stereo.js';

/** @typedef {{ participant: string, source: Source, track: string, stream: MediaStream }} ReceivedTrack */

export class SubscribeConnection {
  #options;
  #relays;
  #closed = false;
  /** @type {RTCPeerConnection | null} */
  pc = null;
  /** Made before it is needed, for the next fresh offer. @type {RTCPeerConnection | null} */
  spare = null;
  /** @type {Promise<void>} */
  #queue = Promise.resolve();
  /** What each section carries, by its mid. @type {Map<string, { participant: string, source: Source, track: string }>} */
  sections = new Map();
  /** A stream is kept as long as its track is, so that a new offer does not make the picture flicker. @type {Map<string, MediaStream>} */
  #streams = new Map();

  /**
   * @param {object} options
   * @param {RTCIceServer[]} [options.relays]
   * @param {(type: string, fields: Record<string, unknown>) => Promise<any>} options.request
   * @param {(tracks: ReceivedTrack[]) => void} options.onTracks
   * @param {(state: RTCPeerConnectionState) => void} options.onState
   * @param {(error: unknown) => void} options.onProblem
   */
  constructor(options) {
    this.#options = options;
    this.#relays = options.relays ?? [];
  }

  /** Newer passwords for the TURN server, for the next restart. @param {RTCIceServer[]} relays */
  relayBy(relays) {
    this.#relays = relays;
    this.pc?.setConfiguration({ ...this.pc.getConfiguration(), iceServers: relays });
  }

  /** @param {Offer} offer */
  accept(offer) {
    this.#queue = this.#queue.then(() => this.#answer(offer)).catch((error) => {
      if (!this.#closed && !(error instanceof ConnectionLost)) this.#options.onProblem(error);
    });
  }

  /** @param {'keep' | 'new'} media */
  restart(media) {
    if (!this.#closed) this.#options.request('restart', { media }).catch(() => {});
  }

  close() {
    this.#closed = true;
    this.#shut();
  }

  #shut() {
    if (!this.pc) return;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
    this.pc = null;
    this.#streams = new Map();
  }

  #fresh() {
    this.#shut();
    const pc = this.spare ?? new RTCPeerConnection({ iceServers: this.#relays, bundlePolicy: 'max-bundle' });
    this.spare = null;
    pc.onconnectionstatechange = () => this.#options.onState(pc.connectionState);
    this.pc = pc;
    return pc;
  }

  /** @param {Offer} offer */
  async #answer(offer) {
    if (this.#closed) return;
    const pc = offer.fresh || !this.pc ? this.#fresh() : this.pc;
    await pc.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    const answer = await pc.createAnswer();
    await pc.setLocalDescription({ type: 'answer', sdp: takingStereo(answer.sdp ?? '', offer.sdp) });
    if (this.#closed) return;
    this.#options.onTracks(this.#received(pc, offer));
    const sdp = pc.localDescription?.sdp;
    // Not waited for: the server's next offer may follow before its `ok` is read.
    this.#options.request('subscribed', { offer: offer.offer, sdp }).catch((error) => {
      if (!this.#closed && !(error instanceof ConnectionLost)) this.#options.onProblem(error);
    });
  }

  /** @param {RTCPeerConnection} pc @param {Offer} offer */
  #received(pc, offer) {
    const receivers = new Map(pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver.receiver]));
    /** @type {Map<string, MediaStream>} */
    const streams = new Map();
    /** @type {ReceivedTrack[]} */
    const tracks = [];
    for (const { mid, participant, track, source } of offer.tracks) {
      const receiver = receivers.get(mid);
      if (!receiver) continue;
      const key = `${mid} ${track}`;
      const stream = this.#streams.get(key) ?? new MediaStream([receiver.track]);
      streams.set(key, stream);
      tracks.push({ participant, source, track, stream });
    }
    this.#streams = streams;
    this.sections = new Map(offer.tracks.map((section) => [section.mid, section]));
    return tracks;
  }
}
