// The peer connection on which this browser receives (docs/protocol.md, section 2): the server offers, we answer,
// one offer after the other, every one of them.

/** @import { Offer, Source } from '../types.js' */
import { ConnectionLost } from '../protocol.js';

/** @typedef {{ participant: string, source: Source, track: string, stream: MediaStream }} ReceivedTrack */

export class SubscribeConnection {
  #request;
  #onTracks;
  #onProblem;
  #closed = false;
  /** @type {Promise<void>} */
  #queue = Promise.resolve();
  /** A stream is kept as long as its track is, so that a new offer does not make the picture flicker. @type {Map<string, MediaStream>} */
  #streams = new Map();

  /**
   * @param {object} options
   * @param {(type: string, fields: Record<string, unknown>) => Promise<any>} options.request
   * @param {(tracks: ReceivedTrack[]) => void} options.onTracks
   * @param {(state: RTCPeerConnectionState) => void} options.onState
   * @param {(error: unknown) => void} options.onProblem
   */
  constructor({ request, onTracks, onState, onProblem }) {
    this.#request = request;
    this.#onTracks = onTracks;
    this.#onProblem = onProblem;
    this.pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
    this.pc.onconnectionstatechange = () => onState(this.pc.connectionState);
  }

  /** @param {Offer} offer */
  accept(offer) {
    this.#queue = this.#queue.then(() => this.#answer(offer)).catch((error) => {
      if (!this.#closed && !(error instanceof ConnectionLost)) this.#onProblem(error);
    });
  }

  restart() {
    if (!this.#closed) this.#request('restart', {}).catch(() => {});
  }

  close() {
    this.#closed = true;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  /** @param {Offer} offer */
  async #answer(offer) {
    if (this.#closed) return;
    await this.pc.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    this.#onTracks(this.#received(offer));
    await this.#request('subscribed', { offer: offer.offer, sdp: this.pc.localDescription?.sdp });
  }

  /** @param {Offer} offer */
  #received(offer) {
    const receivers = new Map(this.pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver.receiver]));
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
    return tracks;
  }
}
