// /admin/users: accounts, for administrators.

/** @import { Me } from '../api.js' */
import '../accounts-words.js';
import '../fields-words.js';
import '../privacy-words.js';
import { signal } from '../../vendor/signals-core.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { AccountMenu } from '../views/account-menu.js';
import { Members } from '../views/admin/members.js';
import { AdminNav } from '../views/admin/nav.js';
import { Toast } from '../views/toast.js';
import { Page, Statement, html, start } from '../views/ui.js';

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
  return html`<${Statement} title=${t('members.title')} text=${text}>${children}</${Statement}>`;
}

function AdminUsers() {
  if (unreachable.value) {
    return html`<${Instead} text=${t('start.unreachable')}>
      <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Instead}>`;
  }
  if (!me.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  const { user, mail, registration } = me.value;
  if (!user) return html`<${Instead} text=${t('members.signedOut')}><a class="button primary" href="/sign-in?next=/admin/users">${t('start.signIn')}</a></${Instead}>`;
  if (!user.admin) return html`<${Instead} text=${t('members.refused')}><a class="button primary" href="/">${t('app.back')}</a></${Instead}>`;
  return html`
    <${Page} end=${html`<${AccountMenu} user=${user} />`}>
      <div class="data admin"><${AdminNav} user=${user} /><${Members} me=${user} mail=${mail ?? false} closed=${registration === 'closed'} /></div>
      <${Toast} />
    </${Page}>`;
}

void load();
void start('members.title', () => html`<${AdminUsers} />`);
