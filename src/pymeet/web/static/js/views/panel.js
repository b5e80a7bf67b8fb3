// A panel beside the stage; on a phone it lies over it. Escape closes it, and the focus goes back to its button.

/** @import { Room } from '../models/room.js' */
import { useLayoutEffect, useRef } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { IconButton, html } from './ui.js';

/** @param {{ room: Room, title: string, note?: string, children: any }} props */
export function Panel({ room, title, note, children }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  // Before the effects of what is inside, which may take the focus.
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const panel = /** @type {HTMLElement} */ (element.current);
    if (!panel.contains(before)) panel.focus();
    return () => {
      if (panel.contains(document.activeElement) || document.activeElement === document.body) before?.focus();
    };
  }, []);
  const close = () => room.open(null);
  const key = (/** @type {KeyboardEvent} */ event) => {
    const inDialog = /** @type {Element} */ (event.target).closest('dialog, [popover]');
    if (event.key === 'Escape' && !inDialog) close();
  };
  return html`
    <aside class="panel" ref=${element} tabindex="-1" aria-label=${title} onKeyDown=${key}>
      <header class="panel-head">
        <div class="panel-title"><h2>${title}</h2>${note && html`<p class="quiet-text" aria-hidden="true">${note}</p>`}</div>
        <${IconButton} icon="x" label=${t('panel.close')} class="quiet" onClick=${close} />
      </header>
      ${children}
    </aside>`;
}
