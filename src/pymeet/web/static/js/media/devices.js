// Microphone, camera, screen and loudspeaker as the browser gives them.

/** @typedef {'microphone' | 'camera'} Device */
/** @typedef {{ id: string, label: string }} DeviceEntry */
/** @typedef {{ microphone: DeviceEntry[], camera: DeviceEntry[], speaker: DeviceEntry[] }} DeviceList */

export const devicesAvailable = () => Boolean(globalThis.navigator?.mediaDevices?.getUserMedia);
export const canShareScreen = () => Boolean(globalThis.navigator?.mediaDevices?.getDisplayMedia);
export const canChooseSpeaker = () => 'setSinkId' in (globalThis.HTMLMediaElement?.prototype ?? {});

/** @param {string} id @returns {MediaTrackConstraints} */
const microphoneWish = (id) => ({
  ...(id && { deviceId: { ideal: id } }),
  echoCancellation: true, noiseSuppression: true, autoGainControl: true,
});

/** @param {string} id @returns {MediaTrackConstraints} */
const cameraWish = (id) => ({
  ...(id && { deviceId: { ideal: id } }),
  width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 },
});

/**
 * Asks for one device or for both in one question to the person.
 * @param {{ microphone?: string, camera?: string }} ids wanted devices, '' for any
 */
export async function open(ids) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: ids.microphone === undefined ? false : microphoneWish(ids.microphone),
    video: ids.camera === undefined ? false : cameraWish(ids.camera),
  });
  return { microphone: stream.getAudioTracks()[0] ?? null, camera: stream.getVideoTracks()[0] ?? null };
}

export async function openScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 30 } },
    audio: true,
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
