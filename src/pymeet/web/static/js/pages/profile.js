// /profile: name, picture, address, language, time zone and theme; what to be told, and the calendar feed.

/** @import { Me, User } from '../api.js' */
import '../accounts-words.js';
import '../fields-words.js';
import '../notifications-words.js';
import { signal } from '../../vendor/signals-core.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { AccountMenu } from '../views/account-menu.js';
import { Address } from '../views/profile/address.js';
import { AddedFields } from '../views/profile/fields.js';
import { CalendarFeed } from '../views/profile/feed.js';
import { NotificationWishes } from '../views/profile/notifications.js';
import { PersonForm } from '../views/profile/person.js';
import { Picture } from '../views/profile/picture.js';
import { Toast } from '../views/toast.js';
import { Page, Statement, html, start } from '../views/ui.js';

const found = signal(/** @type {{ me: Me, user: User } | null} */ (null));
const missing = signal(/** @type {'signed_out' | 'unreachable' | null} */ (null));
/** Differs each time, so that a picture that changed is fetched again. */
const version = signal(Date.now());

async function load() {
  try {
    const me = await api.me();
    if (me.user) found.value = { me, user: me.user };
    missing.value = me.user ? null : 'signed_out';
    version.value += 1;
  } catch {
    if (!found.value) missing.value = 'unreachable';
  }
}

function Profile() {
  if (missing.value === 'signed_out') {
    return html`<${Statement} title=${t('profile.title')} text=${t('profile.signedOut')}>
      <a class="button primary" href="/sign-in?next=/profile">${t('start.signIn')}</a></${Statement}>`;
  }
  if (missing.value === 'unreachable') {
    return html`<${Statement} title=${t('profile.title')} text=${t('start.unreachable')}>
      <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!found.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  const { me, user } = found.value;
  return html`
    <${Page} end=${html`<${AccountMenu} user=${user} version=${version.value} />`}>
      <div class="settings-page">
        <h1>${t('profile.title')}</h1>
        <${PersonForm} user=${user} reload=${load} />
        <${AddedFields} />
        <${Picture} user=${user} version=${version.value} onChanged=${load} />
        <${Address} email=${user.email} mail=${me.mail ?? false} />
        <${NotificationWishes} mail=${me.mail ?? false} />
        <${CalendarFeed} />
        <p class="quiet-text">${t('profile.rest')} <a href="/my-data">${t('start.yourData')}</a></p>
      </div>
      <${Toast} />
    </${Page}>`;
}

void load();
void start('profile.title', () => html`<${Profile} />`);
