// The voices of the others, and the sound of a shared screen.

/** @import { Devices } from '../models/devices.js' */
/** @import { Room } from '../models/room.js' */
import { useEffect, useRef, useState } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { Icon, html } from './ui.js';

/** @param {{ stream: MediaStream, speaker: string, attempt: number, onBlocked: () => void }} props */
function Voice({ stream, speaker, attempt, onBlocked }) {
  const element = useRef(/** @type {HTMLAudioElement | null} */ (null));
  useEffect(() => {
    const audio = /** @type {HTMLAudioElement} */ (element.current);
    audio.srcObject = stream;
    return () => { audio.srcObject = null; };
  }, [stream]);
  useEffect(() => {
    element.current?.play().catch((error) => { if (error.name === 'NotAllowedError') onBlocked(); });
  }, [stream, attempt]);
  useEffect(() => {
    // A loudspeaker that was unplugged is no error: the sound then comes from the default one.
    if (element.current && 'setSinkId' in element.current && (speaker || element.current.sinkId)) element.current.setSinkId(speaker).catch(() => {});
  }, [speaker]);
  return html`<audio ref=${element} autoplay></audio>`;
}

/** @param {{ room: Room, devices: Devices }} props */
export function Sound({ room, devices }) {
  const [blocked, setBlocked] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const voices = room.received.value.filter(({ participant, source }) =>
    participant !== room.you.value && (source === 'microphone' || source === 'screen_audio'));
  const allow = () => { setBlocked(false); setAttempt(attempt + 1); };
  return html`
    <div class="sound">
      ${voices.map(({ stream }) => html`
        <${Voice} key=${stream.id} stream=${stream} speaker=${devices.chosen.speaker.value} attempt=${attempt} onBlocked=${() => setBlocked(true)} />`)}
      ${blocked && html`
        <div class="banner" role="alert"><span>${t('sound.blocked')}</span>
          <button type="button" class="button small" onClick=${allow}><${Icon} name="volume-2" />${t('sound.on')}</button></div>`}
    </div>`;
}
