// A button that opens a menu. The browser keeps it above everything and closes it by Escape or a press elsewhere.

import { useId, useRef, useState } from '../../vendor/preact-hooks.js';
import { Icon, html } from './ui.js';

const GAP_PX = 8;
const STEPS = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 });

/** Below its button where there is room, else above it. @param {HTMLElement} menu @param {HTMLElement} button */
function place(menu, button) {
  const { right, top, bottom } = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = bottom + GAP_PX + height <= innerHeight - GAP_PX;
  const x = Math.max(GAP_PX, Math.min(right - width, innerWidth - width - GAP_PX));
  menu.style.setProperty('left', `${x}px`);
  menu.style.setProperty('top', `${below ? bottom + GAP_PX : Math.max(GAP_PX, top - GAP_PX - height)}px`);
}

/** @typedef {{ icon: any, label: string, onClick: () => void, class?: string }} MenuItem `icon`: a name, or a picture */

/**
 * @param {object} props
 * @param {string} props.icon
 * @param {string} props.label
 * @param {(MenuItem | false | null | undefined)[]} props.items
 * @param {string} [props.class]
 * @param {boolean} [props.row] one beside the other, their names as tooltips only
 */
export function Menu({ icon, label, items, class: extra = '', row = false }) {
  const id = useId();
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const menu = useRef(/** @type {HTMLElement | null} */ (null));
  const [open, setOpen] = useState(false);
  const entries = () => [.../** @type {HTMLElement} */ (menu.current).querySelectorAll('button')].filter((entry) => entry.getClientRects().length > 0);
  const toggled = (/** @type {any} */ event) => {
    const opens = event.newState === 'open';
    setOpen(opens);
    if (opens) place(/** @type {HTMLElement} */ (menu.current), /** @type {HTMLElement} */ (button.current));
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    const all = entries();
    const at = all.indexOf(/** @type {any} */ (document.activeElement));
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? all.length - 1 : event.key in STEPS ? (at + STEPS[event.key] + all.length) % all.length : null;
    if (event.key === 'Tab') menu.current?.hidePopover();
    if (to === null) return;
    event.preventDefault();
    all[to]?.focus();
  };
  const chosen = (/** @type {MenuItem} */ item) => { menu.current?.hidePopover(); item.onClick(); };
  // `autofocus` on every entry: the first one that is shown gets the focus as the menu opens, before any further key.
  return html`
    <button type="button" ref=${button} class=${`icon-button ${extra} ${open ? 'open' : ''}`} aria-label=${label} aria-haspopup="menu" aria-expanded=${open}
      data-tip=${label} popovertarget=${id}><span class="icon-place"><${Icon} name=${icon} /></span></button>
    <div ref=${menu} id=${id} popover="auto" role="menu" aria-label=${label} class=${row ? 'menu row' : 'menu'} onToggle=${toggled} onKeyDown=${key}>
      ${items.map((item) => item && html`
        <button type="button" role="menuitem" key=${item.label} tabindex="-1" autofocus class=${`menu-item ${item.class ?? ''}`} aria-label=${row ? item.label : undefined}
          title=${row ? item.label : undefined} onClick=${() => chosen(item)}>
          ${typeof item.icon === 'string' ? html`<${Icon} name=${item.icon} />` : item.icon}
          ${!row && html`<span>${item.label}</span>`}
        </button>`)}
    </div>`;
}
