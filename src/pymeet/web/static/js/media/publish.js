// The peer connection on which this browser publishes (docs/protocol.md, section 2): we offer, the server answers.
// One offer is outstanding at a time; what changes meanwhile goes into the next one.

/** @import { Source } from '../types.js' */
import { ConnectionLost } from '../protocol.js';
import { ofMid, withOpus } from './stereo.js';

// A camera goes out in three sizes, the smallest first; the server gives each receiver the one that fits. What nobody
// wants is not encoded (`layers`).
const CAMERA = [
  { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];
const SCREEN_BPS = 2_500_000;
const MUSIC_BPS = 128_000;

/** @type {Record<Source, RTCRtpEncodingParameters[]>} */
const ENCODINGS = { microphone: [], camera: CAMERA, screen: [{ maxBitrate: SCREEN_BPS }], screen_audio: [{ maxBitrate: MUSIC_BPS }] };

/** @typedef {{ transceiver: RTCRtpTransceiver, listed: boolean, muted: boolean }} Slot */

export class PublishConnection {
  /** @type {Map<Source, Slot>} */
  #slots = new Map();
  #request;
  #onProblem;
  #wanted = false;
  #running = false;
  #offered = false;
  #answered = false;
  #closed = false;
  #music = false;
  /** The encodings that somebody wants, by source; all of them where nothing was said. @type {Map<Source, readonly string[]>} */
  #layers = new Map();
  /** Parameters are read, changed and set by one at a time. @type {Promise<void>} */
  #tuning = Promise.resolve();

  /**
   * @param {object} options
   * @param {RTCIceServer[]} [options.relays]
   * @param {RTCPeerConnection} [options.pc] one that was made before
   * @param {(type: string, fields: Record<string, unknown>) => Promise<any>} options.request
   * @param {(state: RTCPeerConnectionState) => void} options.onState
   * @param {(error: unknown) => void} options.onProblem the description was refused: only a new connection helps
   */
  constructor({ relays = [], pc, request, onState, onProblem }) {
    this.#request = request;
    this.#onProblem = onProblem;
    this.pc = pc ?? new RTCPeerConnection({ iceServers: relays, bundlePolicy: 'max-bundle' });
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

  /** From which source each section comes, by its mid. @returns {Map<string, Source>} */
  get sections() {
    return new Map([...this.#slots].map(([source, { transceiver }]) => [transceiver.mid ?? '', source]));
  }

  /** The server says which encodings somebody wants. What it said before it answered was of another connection.
   * @param {Source} source @param {readonly string[]} rids */
  layers(source, rids) {
    if (!this.#answered) return;
    this.#layers.set(source, rids);
    void this.#tune();
  }

  /** Whether the microphone goes out in stereo, at a rate that does for music. @param {boolean} on */
  music(on) {
    if (this.#music === on) return;
    this.#music = on;
    if (this.#offered) this.negotiate();
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

  /** Newer passwords for the TURN server, for the next restart. @param {RTCIceServer[]} relays */
  relayBy(relays) {
    if (!this.#closed) this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers: relays });
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

  #tune() {
    this.#tuning = this.#tuning.then(async () => {
      for (const [source, { transceiver: { sender } }] of this.#slots) {
        if (this.#closed) return;
        const parameters = sender.getParameters();
        const before = JSON.stringify(parameters);
        this.#adjust(source, parameters);
        // A browser that does not know a setting goes on with its own.
        if (JSON.stringify(parameters) !== before) await sender.setParameters(parameters).catch(() => {});
      }
    });
    return this.#tuning;
  }

  /** @param {Source} source @param {RTCRtpSendParameters} parameters */
  #adjust(source, parameters) {
    const { encodings } = parameters;
    if (source === 'microphone') {
      if (!encodings[0]) return;
      if (this.#music) encodings[0].maxBitrate = MUSIC_BPS;
      else delete encodings[0].maxBitrate;
      return;
    }
    if (source === 'screen_audio') return;
    // What bandwidth lacks comes off the frame rate, not off the size: there are smaller ones for that.
    parameters.degradationPreference = 'maintain-resolution';
    if (source !== 'camera') return;
    if (encodings.length === 1) {
      // Only one size goes out to this server or from this browser, so it is the whole one.
      Object.assign(encodings[0], { scaleResolutionDownBy: 1, maxBitrate: CAMERA[2].maxBitrate });
      return;
    }
    const wanted = this.#layers.get(source);
    for (const encoding of encodings) encoding.active = !wanted || wanted.includes(encoding.rid ?? '');
  }

  async #offer() {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    const sdp = this.pc.localDescription?.sdp ?? '';
    const stereo = this.#stereo();
    this.#offered = true;
    try {
      const answer = await this.#request('publish', { sdp: withOpus(sdp, 'sprop-stereo=1', stereo), tracks: this.#tracks() });
      if (this.#closed) return;
      // Encoders follow what the other side says it would like: two channels, and hardly anything of silence (DTX).
      const quiet = this.#music ? null : this.#slots.get('microphone')?.transceiver.mid;
      const wished = withOpus(withOpus(answer.sdp, 'stereo=1', stereo), 'usedtx=1', ofMid(quiet));
      await this.pc.setRemoteDescription({ type: 'answer', sdp: wished });
      this.#answered = true;
      await this.#tune();
    } catch (error) {
      if (!this.#closed && this.pc.signalingState === 'have-local-offer') await this.pc.setLocalDescription({ type: 'rollback' });
      throw error;
    }
  }

  /** Which sections are in stereo. */
  #stereo() {
    const sources = /** @type {Source[]} */ (this.#music ? ['microphone', 'screen_audio'] : ['screen_audio']);
    const mids = sources.map((source) => ofMid(this.#slots.get(source)?.transceiver.mid));
    return (/** @type {string} */ section) => mids.some((is) => is(section));
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
    const transceiver = this.pc.addTransceiver(track ?? (audio ? 'audio' : 'video'), {
      direction: 'sendonly',
      sendEncodings: ENCODINGS[source],
    });
    this.#slots.set(source, { transceiver, listed: true, muted: track === null });
  }
}
