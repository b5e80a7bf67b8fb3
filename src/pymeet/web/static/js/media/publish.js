// The peer connection on which this browser publishes (docs/protocol.md, section 2): we offer, the server answers.
// One offer is outstanding at a time; what changes meanwhile goes into the next one.

/** @import { Source } from '../types.js' */
import { ConnectionLost } from '../protocol.js';

/** @type {Record<Source, number | undefined>} */
const MAX_BITRATE_BPS = { microphone: undefined, camera: 1_200_000, screen: 2_500_000, screen_audio: undefined };

/** @typedef {{ transceiver: RTCRtpTransceiver, listed: boolean, muted: boolean }} Slot */

export class PublishConnection {
  /** @type {Map<Source, Slot>} */
  #slots = new Map();
  #request;
  #onProblem;
  #wanted = false;
  #running = false;
  #offered = false;
  #closed = false;

  /**
   * @param {object} options
   * @param {(type: string, fields: Record<string, unknown>) => Promise<any>} options.request
   * @param {(state: RTCPeerConnectionState) => void} options.onState
   * @param {(error: unknown) => void} options.onProblem the description was refused: only a new connection helps
   */
  constructor({ request, onState, onProblem }) {
    this.#request = request;
    this.#onProblem = onProblem;
    this.pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
    this.pc.onconnectionstatechange = () => onState(this.pc.connectionState);
    // Both sections exist from the start, so that switching a device on later needs no new offer.
    this.#add('microphone', null);
    this.#add('camera', null);
  }

  /**
   * Puts another track (or none) where this source is sent.
   * @param {'microphone' | 'camera'} source
   * @param {MediaStreamTrack | null} track
   * @param {boolean} muted
   */
  async set(source, track, muted) {
    const slot = /** @type {Slot} */ (this.#slots.get(source));
    const changed = slot.muted !== muted;
    slot.muted = muted;
    if (slot.transceiver.sender.track !== track) await this.#replace(slot, track);
    if (!changed || !this.#offered || this.#closed) return;
    // The state also stands in every later offer, so a lost message heals with the next one.
    await this.#request('mute', { source, muted }).catch((error) => {
      if (!(error instanceof ConnectionLost)) this.negotiate();
    });
  }

  /** @param {MediaStreamTrack} video @param {MediaStreamTrack | null} audio */
  async share(video, audio) {
    if (this.#closed) return;
    await this.#put('screen', video);
    if (audio) await this.#put('screen_audio', audio);
    this.negotiate();
  }

  async unshare() {
    for (const source of /** @type {const} */ (['screen', 'screen_audio'])) {
      const slot = this.#slots.get(source);
      if (!slot || this.#closed) continue;
      slot.listed = false;
      slot.transceiver.direction = 'inactive';
      await this.#replace(slot, null);
    }
    this.negotiate();
  }

  /** New ICE credentials: the way back after the network changed. */
  restart() {
    if (this.#closed) return;
    this.pc.restartIce();
    this.negotiate();
  }

  negotiate() {
    if (this.#closed) return;
    this.#wanted = true;
    if (!this.#running) void this.#run();
  }

  close() {
    this.#closed = true;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  async #run() {
    this.#running = true;
    try {
      while (this.#wanted && !this.#closed) {
        this.#wanted = false;
        await this.#offer();
      }
    } catch (error) {
      if (!this.#closed && !(error instanceof ConnectionLost)) this.#onProblem(error);
    } finally {
      this.#running = false;
    }
  }

  /** 360 lines are the least that a face needs: what bandwidth lacks comes off the frame rate, not off the size. */
  async #keepSize() {
    for (const source of /** @type {const} */ (['camera', 'screen'])) {
      const sender = this.#slots.get(source)?.transceiver.sender;
      if (!sender || this.#closed) continue;
      const parameters = sender.getParameters();
      if (parameters.degradationPreference === 'maintain-resolution') continue;
      parameters.degradationPreference = 'maintain-resolution';
      // A browser that does not know this setting goes on with its own.
      await sender.setParameters(parameters).catch(() => {});
    }
  }

  async #offer() {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    const sdp = this.pc.localDescription?.sdp;
    this.#offered = true;
    try {
      const answer = await this.#request('publish', { sdp, tracks: this.#tracks() });
      if (this.#closed) return;
      await this.pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
      await this.#keepSize();
    } catch (error) {
      if (!this.#closed && this.pc.signalingState === 'have-local-offer') await this.pc.setLocalDescription({ type: 'rollback' });
      throw error;
    }
  }

  #tracks() {
    const tracks = [];
    for (const [source, { transceiver, listed, muted }] of this.#slots) {
      if (listed && transceiver.mid !== null) tracks.push({ mid: transceiver.mid, source, muted });
    }
    return tracks;
  }

  /** @param {Source} source @param {MediaStreamTrack} track */
  async #put(source, track) {
    const slot = this.#slots.get(source);
    if (!slot) return this.#add(source, track);
    slot.listed = true;
    slot.muted = false;
    slot.transceiver.direction = 'sendonly';
    await this.#replace(slot, track);
  }

  /** @param {Slot} slot @param {MediaStreamTrack | null} track */
  async #replace({ transceiver }, track) {
    try {
      if (!this.#closed) await transceiver.sender.replaceTrack(track);
    } catch (error) {
      if (!this.#closed) this.#onProblem(error);
    }
  }

  /** @param {Source} source @param {MediaStreamTrack | null} track */
  #add(source, track) {
    const audio = source === 'microphone' || source === 'screen_audio';
    const maxBitrate = MAX_BITRATE_BPS[source];
    const transceiver = this.pc.addTransceiver(track ?? (audio ? 'audio' : 'video'), {
      direction: 'sendonly',
      sendEncodings: maxBitrate ? [{ maxBitrate }] : [],
    });
    this.#slots.set(source, { transceiver, listed: true, muted: track === null });
  }
}
