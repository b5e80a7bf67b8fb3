// A picture: a video element bound to a stream or track, and the initials that stand in until frames arrive.

import { useEffect, useRef, useState } from '../../vendor/preact-hooks.js';
import { hueOf, initials } from '../models/names.js';
import { html } from './ui.js';

/**
 * @param {object} props
 * @param {MediaStream | MediaStreamTrack} props.source
 * @param {boolean} [props.mirrored]
 * @param {boolean} [props.whole] show all of it, with margins, instead of filling the tile
 * @param {string} [props.label]
 */
export function Video({ source, mirrored = false, whole = false, label }) {
  const element = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const video = /** @type {HTMLVideoElement} */ (element.current);
    video.srcObject = source instanceof MediaStream ? source : new MediaStream([source]);
    // Muted pictures may always play; the promise fails only when the source is replaced at once.
    video.play().catch(() => {});
    return () => { video.srcObject = null; };
  }, [source]);
  const classes = ['video', mirrored && 'mirrored', whole && 'whole', shown && 'shown'].filter(Boolean).join(' ');
  return html`
    <video ref=${element} class=${classes} muted playsinline autoplay aria-label=${label} aria-hidden=${label ? undefined : 'true'}
      onLoadedData=${() => setShown(true)} onEmptied=${() => setShown(false)}></video>`;
}

/** @param {{ name: string, picture?: string }} props `picture`: the address of one, which is shown instead */
export function Initials({ name, picture = '' }) {
  const [broken, setBroken] = useState('');
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => element.current?.style.setProperty('--hue', String(hueOf(name))), [name]);
  return html`<div class="initials" ref=${element} aria-hidden="true">
    ${picture && picture !== broken ? html`<img src=${picture} alt="" onError=${() => setBroken(picture)} />` : html`<span>${initials(name)}</span>`}</div>`;
}
