// The bell at the top of the pages: how much is new, and a list of it that is fetched when somebody looks.

import { useEffect, useId, useRef, useState } from '../../vendor/preact-hooks.js';
import { unread } from '../api-notifications.js';
import { loadWords, t, tn } from '../i18n.js';
import { toast } from './toast.js';
import { IconButton, html } from './ui.js';

const LOOK_EVERY_MS = 60_000;

export function Bell() {
  const [count, setCount] = useState(0);
  const [open, setOpen] = useState(false);
  const [list, setList] = useState(/** @type {{ view: any } | null} */ (null));
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    // A page that nobody looks at asks nothing; what could not be asked is asked the next time.
    const look = () => { if (!document.hidden) unread().then((found) => setCount(found.unread), () => {}); };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    window.addEventListener('focus', look);
    return () => {
      clearInterval(timer);
      window.removeEventListener('focus', look);
    };
  }, []);
  useEffect(() => {
    if (!open) return undefined;
    // Looked up on the way that the event took: what was pressed may be gone from the page by now.
    const outside = (/** @type {Event} */ event) => {
      if (place.current && !event.composedPath().includes(place.current)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [open]);
  const show = async () => {
    if (open) return setOpen(false);
    try {
      const found = await import('./notifications/list.js');
      await loadWords();
      setList({ view: found.List });
      return setOpen(true);
    } catch {
      return toast(t('start.unreachable'));
    }
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape' || !open) return;
    setOpen(false);
    place.current?.querySelector('button')?.focus();
  };
  const many = count > 99 ? '99+' : String(count);
  return html`
    <div class="bell" ref=${place} onKeyDown=${key}>
      <${IconButton} icon="bell" class="quiet" label=${count ? tn('bell.new', count) : t('bell.label')} expanded=${open} onClick=${() => void show()}>
        ${count > 0 && html`<span class="bell-count" aria-hidden="true">${many}</span>`}
      </${IconButton}>
      ${open && list && html`
        <section id=${id} class="bell-list" aria-label=${t('bell.label')}><${list.view} onCount=${setCount} /></section>`}
    </div>`;
}
