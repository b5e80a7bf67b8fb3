// Microphone, camera, screen and loudspeaker as the browser gives them.

/** @typedef {'microphone' | 'camera'} Device */
/** @typedef {{ id: string, label: string }} DeviceEntry */
/** @typedef {{ microphone: DeviceEntry[], camera: DeviceEntry[], speaker: DeviceEntry[] }} DeviceList */

export const devicesAvailable = () => Boolean(globalThis.navigator?.mediaDevices?.getUserMedia);
export const canShareScreen = () => Boolean(globalThis.navigator?.mediaDevices?.getDisplayMedia);
export const canChooseSpeaker = () => 'setSinkId' in (globalThis.HTMLMediaElement?.prototype ?? {});

/** What makes speech clear spoils music. @param {string} id @param {boolean} music @returns {MediaTrackConstraints} */
const microphoneWish = (id, music) => ({
  ...(id && { deviceId: { ideal: id } }),
  echoCancellation: !music, noiseSuppression: !music, autoGainControl: !music,
  ...(music && { channelCount: { ideal: 2 } }),
});

/** @param {string} id @returns {MediaTrackConstraints} */
const cameraWish = (id) => ({
  ...(id && { deviceId: { ideal: id } }),
  width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 },
});

/**
 * Asks for one device or for both in one question to the person.
 * @param {{ microphone?: string, camera?: string }} ids wanted devices, '' for any
 * @param {boolean} music what the microphone is for
 */
export async function open(ids, music) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: ids.microphone === undefined ? false : microphoneWish(ids.microphone, music),
    video: ids.camera === undefined ? false : cameraWish(ids.camera),
  });
  const microphone = stream.getAudioTracks()[0] ?? null;
  if (microphone && music) microphone.contentHint = 'music';
  return { microphone, camera: stream.getVideoTracks()[0] ?? null };
}

export async function openScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 30 } },
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const video = stream.getVideoTracks()[0];
  video.contentHint = 'detail';
  return { video, audio: stream.getAudioTracks()[0] ?? null };
}

/** @returns {Promise<DeviceList>} */
export async function list() {
  /** @type {DeviceList} */
  const found = { microphone: [], camera: [], speaker: [] };
  if (!devicesAvailable()) return found;
  const kinds = /** @type {const} */ ({ audioinput: 'microphone', videoinput: 'camera', audiooutput: 'speaker' });
  for (const { kind, deviceId, label } of await navigator.mediaDevices.enumerateDevices()) {
    // Before permission is given the browser lists devices without id and label; those cannot be chosen.
    if (deviceId) found[kinds[kind]].push({ id: deviceId, label });
  }
  return found;
}

/** @param {() => void} run */
export function onListChange(run) {
  if (devicesAvailable()) navigator.mediaDevices.addEventListener('devicechange', run);
}
