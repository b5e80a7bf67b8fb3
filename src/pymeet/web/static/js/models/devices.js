// The person's own microphone, camera and screen: what is on, what was chosen, what went wrong.

/** @import { Device, DeviceList } from '../media/devices.js' */
/** @import { Source } from '../types.js' */
/** @import { Problem } from './problems.js' */
import { signal } from '../../vendor/signals-core.js';
import * as hardware from '../media/devices.js';
import { deviceChoices, musicWanted, rememberDevices, rememberMusic } from './choices.js';
import { problemOf } from './problems.js';

export class Devices {
  #choices = deviceChoices();
  microphone = signal(/** @type {MediaStreamTrack | null} */ (null));
  camera = signal(/** @type {MediaStreamTrack | null} */ (null));
  screen = signal(/** @type {{ video: MediaStreamTrack, audio: MediaStreamTrack | null } | null} */ (null));
  on = { microphone: signal(this.#choices.microphoneOn), camera: signal(this.#choices.cameraOn) };
  chosen = {
    microphone: signal(this.#choices.microphone), camera: signal(this.#choices.camera), speaker: signal(this.#choices.speaker),
  };
  problems = {
    microphone: signal(/** @type {Problem | null} */ (null)), camera: signal(/** @type {Problem | null} */ (null)),
  };
  list = signal(/** @type {DeviceList} */ ({ microphone: [], camera: [], speaker: [] }));
  /** Whether the microphone is for music. */
  music = signal(musicWanted());
  /** True while the browser asks the person for permission. */
  asking = signal(false);
  #stopped = false;

  constructor() {
    hardware.onListChange(() => void this.refresh());
  }

  async start() {
    this.asking.value = true;
    try {
      await this.#openBoth();
    } finally {
      this.asking.value = false;
    }
    await this.refresh();
  }

  async refresh() {
    this.list.value = await hardware.list();
  }

  /** @param {Device} device */
  async toggle(device) {
    const on = !(this.on[device].value && this[device].value);
    this.#turn(device, on);
    if (on && !this[device].value) await this.#openOne(device);
    else if (!on && device === 'camera') this.#close('camera'); // its light goes out
    else if (this.microphone.value) this.microphone.value.enabled = on;
  }

  /** @param {'microphone' | 'camera' | 'speaker'} kind @param {string} id */
  async choose(kind, id) {
    this.chosen[kind].value = id;
    this.#remember();
    if (kind === 'speaker') return;
    if (kind === 'microphone' ? this.microphone.value : this.on.camera.value) await this.#openOne(kind);
  }

  /** @param {boolean} on */
  async playMusic(on) {
    this.music.value = on;
    rememberMusic(on);
    if (this.microphone.value) await this.#openOne('microphone');
  }

  /** Another attempt after the person changed something. @param {Device} device */
  async retry(device) {
    this.#turn(device, true);
    await this.#openOne(device);
    await this.refresh();
  }

  async shareScreen() {
    try {
      const screen = await hardware.openScreen();
      screen.video.addEventListener('ended', () => this.stopSharing());
      this.screen.value = screen;
      return null;
    } catch (error) {
      // Closing the browser's own picker is an answer, not a failure.
      const problem = problemOf(error);
      return problem === 'refused' ? null : problem;
    }
  }

  stopSharing() {
    this.screen.value?.video.stop();
    this.screen.value?.audio?.stop();
    this.screen.value = null;
  }

  /** As when somebody else did it: it stays off until the person switches it on again. @param {Source} source */
  switchOff(source) {
    if (source === 'screen' || source === 'screen_audio') return this.stopSharing();
    this.#turn(source, false);
    if (source === 'camera') this.#close('camera');
    else if (this.microphone.value) this.microphone.value.enabled = false;
    return undefined;
  }

  stop() {
    this.#stopped = true;
    this.#close('microphone');
    this.#close('camera');
    this.stopSharing();
  }

  async #openBoth() {
    const camera = this.on.camera.value;
    if (!camera) return this.#openOne('microphone');
    try {
      const tracks = await this.#ask({ microphone: this.chosen.microphone.value, camera: this.chosen.camera.value });
      this.#take('microphone', tracks.microphone);
      this.#take('camera', tracks.camera);
    } catch {
      // One missing device fails the whole question; apart, the other one still works.
      await this.#openOne('microphone');
      await this.#openOne('camera');
    }
    return undefined;
  }

  /** @param {Device} device */
  async #openOne(device) {
    try {
      const id = this.chosen[device].value;
      // Some systems lend a device only once: the old track goes first.
      this[device].value?.stop();
      this.#take(device, (await this.#ask({ [device]: id }))[device]);
    } catch (error) {
      this.#close(device);
      this.problems[device].value = problemOf(error);
    }
  }

  /** @param {{ microphone?: string, camera?: string }} ids */
  #ask(ids) {
    if (!hardware.devicesAvailable()) throw new DOMException('', globalThis.isSecureContext === false ? 'InsecureContext' : 'NotSupportedError');
    return hardware.open(ids, this.music.value);
  }

  /** @param {Device} device @param {MediaStreamTrack | null} track */
  #take(device, track) {
    if (this.#stopped || (device === 'camera' && !this.on.camera.value)) return track?.stop();
    this.problems[device].value = null;
    if (track) {
      track.enabled = device === 'camera' || this.on.microphone.value;
      track.addEventListener('ended', () => {
        if (this[device].value !== track) return;
        this.#close(device);
        this.problems[device].value = 'lost';
      });
    }
    this[device].value = track;
    return undefined;
  }

  /** @param {Device} device */
  #close(device) {
    this[device].value?.stop();
    this[device].value = null;
  }

  /** @param {Device} device @param {boolean} on */
  #turn(device, on) {
    this.on[device].value = on;
    this.#remember();
  }

  #remember() {
    rememberDevices({
      microphone: this.chosen.microphone.value, camera: this.chosen.camera.value, speaker: this.chosen.speaker.value,
      microphoneOn: this.on.microphone.value, cameraOn: this.on.camera.value,
    });
  }
}
