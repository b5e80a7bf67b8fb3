// /security: password, second factors, sessions.

/** @import { Me, User } from '../api.js' */
/** @import { Security } from '../api-accounts.js' */
import '../accounts-words.js';
import { signal } from '../../vendor/signals-core.js';
import * as api from '../api.js';
import { security } from '../api-accounts.js';
import { t } from '../i18n.js';
import { SHORTEST_PASSWORD } from '../models/account.js';
import { AccountMenu } from '../views/account-menu.js';
import { RecoveryCodes } from '../views/security/codes.js';
import { Factors } from '../views/security/factors.js';
import { Identities } from '../views/security/identities.js';
import { Password } from '../views/security/password.js';
import { KnownDevices, Sessions } from '../views/security/sessions.js';
import { Tokens } from '../views/security/tokens.js';
import { Toast } from '../views/toast.js';
import { Page, Statement, html, start } from '../views/ui.js';

const found = signal(/** @type {{ me: Me, user: User, security: Security } | null} */ (null));
const missing = signal(/** @type {'signed_out' | 'unreachable' | null} */ (null));
const codes = signal(/** @type {string[] | null} */ (null));

async function load() {
  try {
    const me = await api.me();
    if (me.user) found.value = { me, user: me.user, security: await security() };
    missing.value = me.user ? null : 'signed_out';
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.status === 401) missing.value = 'signed_out';
    else if (!found.value) missing.value = 'unreachable';
  }
}

function kept() {
  codes.value = null;
  void load();
}

function SecurityPage() {
  if (missing.value === 'signed_out') {
    return html`<${Statement} title=${t('security.title')} text=${t('security.signedOut')}>
      <a class="button primary" href="/sign-in?next=/security">${t('start.signIn')}</a></${Statement}>`;
  }
  if (missing.value === 'unreachable') {
    return html`<${Statement} title=${t('security.title')} text=${t('start.unreachable')}>
      <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!found.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  const { me, user, security: state } = found.value;
  const onCodes = (/** @type {string[]} */ made) => { codes.value = made; };
  if (codes.value) return html`<${Page}><div class="settings-page"><${RecoveryCodes} codes=${codes.value} onKept=${kept} /></div><${Toast} /></${Page}>`;
  return html`
    <${Page} end=${html`<${AccountMenu} user=${user} />`}>
      <div class="settings-page">
        <h1>${t('security.title')}</h1>
        <${Password} email=${user.email} changedAt=${state.password_changed_at} provider=${me.oidc?.name} shortest=${me.minimum_password ?? SHORTEST_PASSWORD} reload=${load} />
        <${Identities} me=${me} security=${state} reload=${load} />
        <${Factors} security=${state} reload=${load} onCodes=${onCodes} />
        <${Sessions} security=${state} reload=${load} />
        <${KnownDevices} security=${state} reload=${load} />
        <${Tokens} />
      </div>
      <${Toast} />
    </${Page}>`;
}

void load();
void start('security.title', () => html`<${SecurityPage} />`);
