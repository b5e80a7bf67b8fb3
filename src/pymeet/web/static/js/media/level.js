// How loud a microphone is, 0 to 1, some twelve times a second.

const INTERVAL_MS = 80;
const QUIETEST_DB = -60;

/** @param {number} rms */
export function levelOf(rms) {
  if (rms <= 0) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(rms)) / QUIETEST_DB));
}

/** @param {Float32Array} samples */
function rmsOf(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

/**
 * @param {MediaStreamTrack} track
 * @param {(level: number) => void} onLevel
 * @returns {() => void} stop
 */
export function watchLevel(track, onLevel) {
  // Chromium keeps an AudioContext silent until the first click; its track processor has no such condition.
  return 'MediaStreamTrackProcessor' in globalThis ? watchByProcessor(track, onLevel) : watchByAnalyser(track, onLevel);
}

/** @param {MediaStreamTrack} track @param {(level: number) => void} onLevel */
function watchByProcessor(track, onLevel) {
  const clone = track.clone();
  const Processor = /** @type {any} */ (globalThis).MediaStreamTrackProcessor;
  const reader = new Processor({ track: clone }).readable.getReader();
  let samples = new Float32Array(0);
  let loudest = 0;
  let reportedAt = 0;
  const read = async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      if (samples.length !== value.numberOfFrames) samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      value.close();
      loudest = Math.max(loudest, track.enabled ? rmsOf(samples) : 0);
      if (performance.now() - reportedAt < INTERVAL_MS) continue;
      reportedAt = performance.now();
      onLevel(levelOf(loudest));
      loudest = 0;
    }
  };
  read().catch(() => {});
  return () => {
    reader.cancel().catch(() => {});
    clone.stop();
  };
}

/** @param {MediaStreamTrack} track @param {(level: number) => void} onLevel */
function watchByAnalyser(track, onLevel) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    if (context.state === 'suspended' && navigator.userActivation?.hasBeenActive) void context.resume();
    analyser.getFloatTimeDomainData(samples);
    onLevel(levelOf(rmsOf(samples)));
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
