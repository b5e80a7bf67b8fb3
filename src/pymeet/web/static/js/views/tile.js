// One person on the stage: picture or initials, name, and the marks that matter.

/** @import { Devices } from '../models/devices.js' */
/** @import { Participant } from '../types.js' */
/** @import { Verdict } from '../models/quality.js' */
/** @import { Room } from '../models/room.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { watchLevel } from '../media/level.js';
import { leftOut, pictureOf, sends, trackOf } from '../models/room.js';
import { useMeasured } from './measured.js';
import { QualityMark } from './quality.js';
import { TileHand, TileReaction } from './reactions.js';
import { Icon, IconButton, html } from './ui.js';
import { Initials, Video } from './video.js';

// Above the noise of a quiet room, below a normal voice.
const SPEAKING_LEVEL = 0.45;

/** @param {{ name: string, muted: boolean, verdict: Verdict | undefined, streamed?: boolean }} props */
function Caption({ name, muted, verdict, streamed }) {
  return html`
    ${streamed && html`<span class="stream-mark" title=${t('people.publisher')}><${Icon} name="radio" /><span class="visually-hidden">${t('people.publisher')}</span></span>`}
    ${muted && html`<${Icon} name="mic-off" class="muted-mark" /><span class="visually-hidden">${t('mic.off')}</span>`}
    <span class="tile-name">${name}</span><${QualityMark} verdict=${verdict} />`;
}

/** On everybody whom the recording of the meeting leaves out. @param {{ room: Room, participant: string }} props */
export function LeftOut({ room, participant }) {
  return leftOut(room, participant) && html`<p class="tile-left-out"><${Icon} name="circle-slash" />${t('recording.leftOut')}</p>`;
}

/** Keeps somebody large on this page, and nobody else's. @param {{ room: Room, participant: Participant }} props */
function Pin({ room, participant: { id, name } }) {
  const pinned = room.viewing.pinned.value === id;
  return html`<${IconButton} icon=${pinned ? 'pin-off' : 'pin'} label=${t(pinned ? 'tile.unpin' : 'tile.pin', { name })} class=${pinned ? 'tile-pin pinned' : 'tile-pin'}
    onClick=${() => room.viewing.pin(pinned ? '' : id)} />`;
}

/** @param {{ room: Room, participant: Participant }} props */
export function Tile({ room, participant }) {
  const { id, name } = participant;
  const stream = room.streamOf(id, 'camera');
  const track = trackOf(participant, 'camera');
  const seen = stream && sends(participant, 'camera') && !room.viewing.audioOnly.value;
  const withheld = seen && room.withheld.value.has(track);
  const picture = seen && !withheld ? stream : null;
  const place = useMeasured(room, track);
  const away = participant.connection === 'reconnecting';
  // What they cannot receive does not show on their picture.
  const verdict = away || room.quality.value.get(id)?.cause === 'narrow' ? undefined : room.quality.value.get(id);
  const speaking = !away && room.speakers.value.includes(id);
  return html`
    <figure ref=${place} class=${`tile ${speaking ? 'speaking' : ''} ${away ? 'away' : ''}`} aria-label=${name}>
      <${Initials} name=${name} picture=${pictureOf(room, participant)} />
      ${picture && html`<${Video} key=${picture.id} source=${picture} />`}
      ${away && html`<p class="tile-state"><${Icon} name="wifi-off" />${t('stage.reconnecting')}</p>`}
      ${withheld && !away && html`<p class="tile-state withheld"><${Icon} name="pause" />${t('tile.withheld')}</p>`}
      <${LeftOut} room=${room} participant=${id} />
      <${TileHand} room=${room} participant=${id} />
      <${TileReaction} room=${room} participant=${id} />
      <${Pin} room=${room} participant=${participant} />
      <figcaption class="caption"><${Caption} name=${name} muted=${!sends(participant, 'microphone')} verdict=${verdict} streamed=${participant.kind === 'publisher'} /></figcaption>
    </figure>`;
}

/** @param {{ room: Room, devices: Devices, name: string }} props */
export function OwnTile({ room, devices, name }) {
  const camera = devices.camera.value;
  const microphone = devices.microphone.value;
  const heard = Boolean(microphone && devices.on.microphone.value);
  const [loud, setLoud] = useState(false);
  useEffect(() => {
    setLoud(false);
    if (!microphone || !heard) return undefined;
    return watchLevel(microphone, (level) => setLoud(level > SPEAKING_LEVEL));
  }, [microphone, heard]);
  const speaking = heard && (loud || room.speakers.value.includes(room.you.value));
  return html`
    <div class=${`tile own ${speaking ? 'speaking' : ''}`} role="group" aria-label=${t('stage.you')}>
      <${Initials} name=${name} picture=${pictureOf(room, room.own.value)} />
      ${camera && html`<${Video} key=${camera.id} source=${camera} mirrored />`}
      <${LeftOut} room=${room} participant=${room.you.value} />
      <${TileHand} room=${room} participant=${room.you.value} />
      <${TileReaction} room=${room} participant=${room.you.value} />
      <div class="caption"><${Caption} name=${t('stage.you')} muted=${!heard} verdict=${room.quality.value.get(room.you.value)} /></div>
    </div>`;
}
