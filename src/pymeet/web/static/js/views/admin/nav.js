// The way between the pages of administration, on top of each of them.

/** @import { User } from '../../api.js' */
import '../../server-words.js';
import { t } from '../../i18n.js';
import { html } from '../ui.js';

const FOR_ADMINS = /** @type {const} */ (['users', 'groups', 'rooms', 'live', 'mail', 'settings']);

/** Privacy officers have one page, and need no way. @param {{ user: User }} props */
export function AdminNav({ user }) {
  if (!user.admin) return null;
  const here = location.pathname === '/admin/requests' ? '/admin/privacy' : location.pathname;
  return html`
    <nav class="admin-nav" aria-label=${t('nav.label')}>
      ${[...FOR_ADMINS, /** @type {const} */ ('privacy')].map((name) => html`
        <a key=${name} href=${`/admin/${name}`} aria-current=${here === `/admin/${name}` ? 'page' : undefined}>${t(`nav.${name}`)}</a>`)}
    </nav>`;
}
