// Where the pictures are: a grid at the best size, or a shared screen or a person large, with the others in a strip.

/** @import { Devices } from '../models/devices.js' */
/** @import { Participant } from '../types.js' */
/** @import { Room } from '../models/room.js' */
import { useEffect, useRef } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { bestGrid } from '../models/grid.js';
import { trackOf } from '../models/room.js';
import { useMeasured } from './measured.js';
import { Icon, html } from './ui.js';
import { LeftOut, OwnTile, Tile } from './tile.js';
import { Video } from './video.js';

const GAP_PX = 8;

/** @param {{ room: Room, devices: Devices, name: string }} props */
export function Stage({ room, devices, name }) {
  const sharer = room.sharer.value;
  const pinned = room.pinned.value;
  // A shared screen is what everybody talks about, so it goes first; then one's own choice, then that of the hosts.
  const large = sharer ? null : pinned ?? room.spotlit.value;
  return html`
    <main class=${sharer || large ? 'stage sharing' : 'stage'} aria-label=${t('stage.label')}>
      <h1 class="visually-hidden">${room.info.value?.name}</h1>
      ${sharer && html`<${Screen} room=${room} sharer=${sharer} />`}
      ${large && html`<section class="screen spotlight" aria-label=${t(pinned ? 'stage.pinned' : 'stage.spotlight', { name: large.name })}><${Tile} key=${large.id} room=${room} participant=${large} /></section>`}
      <${Tiles} room=${room} devices=${devices} name=${name} large=${large} strip=${sharer !== null || large !== null} />
    </main>`;
}

/** @param {{ room: Room, devices: Devices, name: string, large: Participant | null, strip: boolean }} props */
function Tiles({ room, devices, name, large, strip }) {
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  const pinned = room.viewing.pinned.value;
  const others = room.tiles.value.filter(({ id }) => id !== large?.id).sort((a, b) => Number(b.id === pinned) - Number(a.id === pinned));
  const count = others.length + 1;
  useEffect(() => {
    const stage = /** @type {HTMLDivElement} */ (element.current);
    const fit = () => {
      const grid = bestGrid(count, stage.clientWidth, stage.clientHeight, GAP_PX);
      stage.style.setProperty('--tile-width', `${grid.width}px`);
      stage.style.setProperty('--tile-height', `${grid.height}px`);
      stage.style.setProperty('--columns', String(grid.columns));
    };
    fit();
    const observer = new ResizeObserver(fit);
    // The border box: the content box keeps the width of the tiles, whatever the stage has.
    observer.observe(stage, { box: 'border-box' });
    return () => observer.disconnect();
  }, [count, strip]);
  // Tiles keep their places whoever speaks. Only where they do not all fit, whoever leads is brought in sight.
  const leading = strip ? others.findIndex(({ id }) => id === room.leading.value) : -1;
  useEffect(() => {
    element.current?.children[leading]?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [leading]);
  return html`
    <div class=${strip ? 'tiles strip' : 'tiles'} ref=${element}>
      ${others.map((participant) => html`<${Tile} key=${participant.id} room=${room} participant=${participant} />`)}
      <${OwnTile} key="own" room=${room} devices=${devices} name=${name} />
    </div>`;
}

/** @param {{ room: Room, sharer: Participant }} props */
function Screen({ room, sharer }) {
  const stream = room.streamOf(sharer.id, 'screen');
  const label = t('share.by', { name: sharer.name });
  const place = useMeasured(room, trackOf(sharer, 'screen'));
  return html`
    <section class="screen" ref=${place} aria-label=${label}>
      ${stream && !room.viewing.audioOnly.value && html`<${Video} key=${stream.id} source=${stream} whole label=${label} />`}
      <${LeftOut} room=${room} participant=${sharer.id} />
      <p class="caption"><${Icon} name="monitor-up" /><span class="tile-name">${label}</span></p>
    </section>`;
}

/** Short facts above the pictures. @param {{ room: Room, devices: Devices, link: () => void }} props */
export function Chips({ room, devices, link }) {
  const watchers = room.watchers.value;
  return html`
    <div class="chips">
      ${devices.screen.value && html`
        <p class="chip"><${Icon} name="monitor-up" />${t('share.own')}</p>`}
      ${room.inSpotlight.value && html`<p class="chip"><${Icon} name="spotlight" />${t('stage.inSpotlight')}</p>`}
      ${room.viewing.audioOnly.value && html`
        <p class="chip"><${Icon} name="headphones" />${t('audioOnly.note')}<button type="button" class="chip-button" onClick=${() => room.viewing.listenOnly(false)}>${t('audioOnly.off')}</button></p>`}
      ${watchers.length > 0 && html`
        <p class="chip"><${Icon} name="eye" />${t('stage.watching', { names: watchers.map((watcher) => watcher.name).join(', ') })}</p>`}
      ${room.others.value.length === 0 && html`
        <p class="chip alone">${t('stage.alone')}<button type="button" class="chip-button" onClick=${link}><${Icon} name="copy" />${t('people.invite')}</button></p>`}
    </div>`;
}
