// Says something aloud in front of this device: by a voice of the device itself, else by two tones. Nothing is sent.

const LOUDNESS = 0.8;
const TONES_HZ = [523.25, 783.99];
const KNOCK_HZ = [392, 329.63];
const TONE_S = 0.2;
const TONE_GAIN = 0.12;

/** Browsers look for their voices only when somebody asks for them. */
export function prepareVoice() {
  globalThis.speechSynthesis?.getVoices();
}

/** @param {string} text @param {string} language @param {'up' | 'down'} tones where no voice speaks this language */
export function announce(text, language, tones) {
  // Before the first click on a page browsers play nothing, and some complain.
  if (globalThis.navigator?.userActivation?.hasBeenActive === false) return;
  const voice = localVoice(language);
  if (voice) say(text, voice);
  else void chime(tones === 'up' ? TONES_HZ : [...TONES_HZ].reverse());
}

/** Two short tones, then the words, unless something else is being said. @param {string} text @param {string} language */
export async function knock(text, language) {
  if (globalThis.navigator?.userActivation?.hasBeenActive === false) return;
  await chime(KNOCK_HZ);
  const voice = localVoice(language);
  if (voice && !globalThis.speechSynthesis.speaking) say(text, voice);
}

/** A voice that does not send the text to anybody. @param {string} language */
function localVoice(language) {
  const voices = globalThis.speechSynthesis?.getVoices() ?? [];
  return voices.find(({ lang, localService }) => localService && lang.toLowerCase().split(/[-_]/)[0] === language);
}

/** @param {string} text @param {SpeechSynthesisVoice} voice */
function say(text, voice) {
  const speech = new SpeechSynthesisUtterance(text);
  speech.voice = voice;
  speech.lang = voice.lang;
  speech.volume = LOUDNESS;
  globalThis.speechSynthesis.cancel();
  globalThis.speechSynthesis.speak(speech);
}

/** @param {number[]} tones in Hz, one after the other */
async function chime(tones) {
  if (!('AudioContext' in globalThis)) return;
  const context = new AudioContext();
  const volume = context.createGain();
  volume.connect(context.destination);
  volume.gain.value = 0;
  const ended = tones.map((frequency, index) => {
    const begins = context.currentTime + index * TONE_S;
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(volume);
    // Without a ramp at both ends it would click.
    volume.gain.setTargetAtTime(TONE_GAIN, begins, 0.01);
    volume.gain.setTargetAtTime(0, begins + TONE_S * 0.6, 0.04);
    tone.start(begins);
    tone.stop(begins + TONE_S);
    return new Promise((resolve) => { tone.onended = resolve; });
  });
  await Promise.all(ended);
  await context.close();
}
