// /admin/privacy#<part>: requests, people, holds, retention and the audit log, for administrators and privacy officers.

/** @import { Me } from '../api.js' */
import '../privacy-words.js';
import { signal } from '../../vendor/signals-core.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { tabOf, tabsFor } from '../models/tabs.js';
import { AccountMenu } from '../views/account-menu.js';
import { Audit } from '../views/admin/audit.js';
import { Holds } from '../views/admin/holds.js';
import { AdminNav } from '../views/admin/nav.js';
import { People } from '../views/admin/people.js';
import { Requests } from '../views/admin/requests.js';
import { Retention } from '../views/admin/retention.js';
import { Toast } from '../views/toast.js';
import { Page, Statement, html, start } from '../views/ui.js';

const VIEWS = { requests: Requests, people: People, holds: Holds, retention: Retention, audit: Audit };

const me = signal(/** @type {Me | null} */ (null));
const unreachable = signal(false);
const hash = signal(location.hash);

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
  return html`<${Statement} title=${t('admin.title')} text=${text}>${children}</${Statement}>`;
}

function AdminPrivacy() {
  if (unreachable.value) {
    return html`<${Instead} text=${t('start.unreachable')}>
      <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Instead}>`;
  }
  if (!me.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  const { user } = me.value;
  if (!user) return html`<${Instead} text=${t('admin.signedOut')}><a class="button primary" href="/sign-in?next=/admin/privacy">${t('start.signIn')}</a></${Instead}>`;
  if (!user.admin && !user.dpo) return html`<${Instead} text=${t('admin.refused')}><a class="button primary" href="/">${t('app.back')}</a></${Instead}>`;
  const tab = tabOf(hash.value, user.admin);
  return html`
    <${Page} end=${html`<${AccountMenu} user=${user} />`}>
      <div class="data admin">
        <${AdminNav} user=${user} />
        <h1>${t('admin.title')}</h1>
        <nav class="tabs" aria-label=${t('admin.parts')}>
          ${tabsFor(user.admin).map((name) => html`<a href=${`#${name}`} aria-current=${name === tab ? 'page' : undefined}>${t(`admin.tab.${name}`)}</a>`)}
        </nav>
        <${VIEWS[tab]} key=${tab} />
      </div>
      <${Toast} />
    </${Page}>`;
}

window.addEventListener('hashchange', () => { hash.value = location.hash; });
void load();
void start('admin.title', () => html`<${AdminPrivacy} />`);
