// /admin/rooms, /admin/live, /admin/mail and /admin/settings, for administrators.

/** @import { Me } from '../api.js' */
import '../accounts-words.js';
import '../hosting-words.js';
import '../privacy-words.js';
import '../rooms-words.js';
import '../server-words.js';
import { signal } from '../../vendor/signals-core.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { AccountMenu } from '../views/account-menu.js';
import { Live } from '../views/admin/live.js';
import { MailQueue } from '../views/admin/mail.js';
import { AdminNav } from '../views/admin/nav.js';
import { AllRooms } from '../views/admin/rooms.js';
import { ServerSettings } from '../views/admin/settings.js';
import { Toast } from '../views/toast.js';
import { Page, Statement, html, start } from '../views/ui.js';

const PAGES = {
  rooms: { title: /** @type {const} */ ('allRooms.title'), View: AllRooms },
  live: { title: /** @type {const} */ ('live.title'), View: Live },
  mail: { title: /** @type {const} */ ('mails.title'), View: MailQueue },
  settings: { title: /** @type {const} */ ('setting.title'), View: ServerSettings },
};
const { title, View } = PAGES[/** @type {keyof typeof PAGES} */ (location.pathname.split('/')[2])];

const me = signal(/** @type {Me | null} */ (null));
const unreachable = signal(false);

async function load() {
  unreachable.value = false;
  try {
    me.value = await api.me();
  } catch {
    unreachable.value = true;
  }
}

/** @param {{ text: string, children: any }} props */
function Instead({ text, children }) {
  return html`<${Statement} title=${t(title)} text=${text}>${children}</${Statement}>`;
}

function AdminServer() {
  if (unreachable.value) {
    return html`<${Instead} text=${t('start.unreachable')}>
      <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Instead}>`;
  }
  if (!me.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  const { user } = me.value;
  if (!user) return html`<${Instead} text=${t('members.signedOut')}><a class="button primary" href=${`/sign-in?next=${location.pathname}`}>${t('start.signIn')}</a></${Instead}>`;
  if (!user.admin) return html`<${Instead} text=${t('members.refused')}><a class="button primary" href="/">${t('app.back')}</a></${Instead}>`;
  return html`
    <${Page} end=${html`<${AccountMenu} user=${user} />`}>
      <div class="data admin"><${AdminNav} user=${user} /><${View} /></div>
      <${Toast} />
    </${Page}>`;
}

void load();
void start(title, () => html`<${AdminServer} />`);
