// Who is signed in, and the way to the pages of one's account: a button with a list of links under it.

/** @import { User } from '../api.js' */
import { useEffect, useId, useRef, useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { Avatar } from './avatar.js';
import { Bell } from './bell.js';
import { Icon, html } from './ui.js';

/** @param {User} user @returns {{ href: string, text: string }[]} */
function linksFor(user) {
  return [
    { href: '/profile', text: t('menu.profile') },
    { href: '/security', text: t('menu.security') },
    { href: '/my-data', text: t('start.yourData') },
    ...(user.admin ? [{ href: '/admin/users', text: t('menu.members') }] : []),
    ...(user.admin || user.dpo ? [{ href: '/admin/privacy', text: t('start.privacy') }] : []),
  ];
}

/** @param {{ user: User, version?: number }} props */
export function AccountMenu({ user, version }) {
  const [open, setOpen] = useState(false);
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const button = useRef(/** @type {HTMLElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    if (!open) return undefined;
    // A press anywhere else closes it, and so does a focus that moved on.
    const outside = (/** @type {Event} */ event) => {
      if (!place.current?.contains(/** @type {Node} */ (event.target))) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [open]);
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape' || !open) return;
    setOpen(false);
    button.current?.focus();
  };
  const signOut = async () => {
    const elsewhere = await api.signOut().catch(() => null);
    location.assign(elsewhere?.url ?? '/');
  };
  return html`
    <${Bell} />
    <div class="account-menu" ref=${place} onKeyDown=${key}>
      <button type="button" class="account-button" ref=${button} aria-expanded=${String(open)} aria-controls=${id}
        aria-label=${t('menu.of', { name: user.name })} onClick=${() => setOpen(!open)}>
        <${Avatar} user=${user} version=${version} /><span class="account-name">${user.name}</span><${Icon} name="chevron-down" />
      </button>
      <nav id=${id} class="account-list" hidden=${!open} aria-label=${t('menu.label')}>
        <p class="account-who">${user.email}</p>
        <ul>
          ${linksFor(user).map(({ href, text }) => html`
            <li><a href=${href} aria-current=${href === location.pathname ? 'page' : undefined}>${text}</a></li>`)}
          <li class="account-last"><button type="button" onClick=${() => void signOut()}><${Icon} name="log-out" />${t('start.signOut')}</button></li>
        </ul>
      </nav>
    </div>`;
}
