// /my-data: what is held about a member, and what they may do about it.

/** @import { Me } from '../api.js' */
/** @import { MemberShown, OwnData } from '../api-privacy.js' */
import '../privacy-words.js';
import '../recordings-words.js';
import { signal } from '../../vendor/signals-core.js';
import * as api from '../api.js';
import { myData } from '../api-privacy.js';
import { t } from '../i18n.js';
import { AccountMenu } from '../views/account-menu.js';
import { ErasureAsked } from '../views/erasure.js';
import { MyDataView } from '../views/my-data.js';
import { Page, Statement, html, start } from '../views/ui.js';

/** @typedef {{ me: Me, data: OwnData<MemberShown> }} Found */

const found = signal(/** @type {Found | null} */ (null));
const missing = signal(/** @type {'signed_out' | 'unreachable' | null} */ (null));
const erased = signal(/** @type {{ status: string, erasedAfter: number } | null} */ (null));

async function load() {
  try {
    const me = await api.me();
    if (me.user) found.value = { me, data: await myData() };
    missing.value = me.user ? null : 'signed_out';
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.status === 401) missing.value = 'signed_out';
    else if (!found.value) missing.value = 'unreachable';
  }
}

function MyData() {
  if (erased.value) return html`<${ErasureAsked} status=${erased.value.status} erasedAfter=${erased.value.erasedAfter} />`;
  if (missing.value === 'signed_out') {
    return html`
      <${Statement} title=${t('data.title')} text=${t('data.signedOut')}>
        <a class="button primary" href="/sign-in?next=/my-data">${t('start.signIn')}</a>
        <a class="button" href="/guest-data">${t('data.asGuest')}</a>
      </${Statement}>`;
  }
  if (missing.value === 'unreachable') {
    return html`
      <${Statement} title=${t('data.title')} text=${t('start.unreachable')}>
        <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!found.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  const { me, data } = found.value;
  return html`
    <${Page} end=${me.user && html`<${AccountMenu} user=${me.user} />`}>
      <${MyDataView} data=${data} notice=${me.notice} reload=${load} onErased=${(/** @type {any} */ ended) => { erased.value = ended; }} />
    </${Page}>`;
}

void load();
void start('data.title', () => html`<${MyData} />`);
