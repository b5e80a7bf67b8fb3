// /recordings: what was recorded, until when it is there, and what is in the trash.

/** @import { User } from '../api.js' */
/** @import { RecordingRow, Storage, Which } from '../api-recordings.js' */
import '../recordings-words.js';
import { signal } from '../../vendor/signals-core.js';
import { ApiError, me } from '../api.js';
import { recordings } from '../api-recordings.js';
import { t } from '../i18n.js';
import { AccountMenu } from '../views/account-menu.js';
import { RecordingsView } from '../views/recordings/list.js';
import { Toast } from '../views/toast.js';
import { Page, Statement, html, start } from '../views/ui.js';

const user = signal(/** @type {User | null} */ (null));
const found = signal(/** @type {{ rows: RecordingRow[], storageBytes?: number, storage?: Storage } | null} */ (null));
const missing = signal(/** @type {'signed_out' | 'unreachable' | null} */ (null));
const whichOf = (/** @type {string} */ hash) => /** @type {Which} */ (['trash', 'others'].find((name) => hash === `#${name}`) ?? 'all');
const which = signal(whichOf(location.hash));

async function load() {
  try {
    user.value ??= (await me()).user;
    missing.value = user.value ? null : 'signed_out';
    if (!user.value) return;
    const asked = which.value;
    const { recordings: all, storage_bytes: storageBytes, storage } = await recordings(asked);
    // With those of others come one's own, which have a place already.
    const rows = asked === 'others' ? all.filter(({ mine, people }) => !mine && !people.length) : all;
    if (asked === which.value) found.value = { rows, storageBytes, storage };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) missing.value = 'signed_out';
    else if (!found.value) missing.value = 'unreachable';
  }
}

function Recordings() {
  if (missing.value === 'signed_out') {
    return html`
      <${Statement} title=${t('rec.title')} text=${t('rec.signedOut')}>
        <a class="button primary" href="/sign-in?next=/recordings">${t('start.signIn')}</a>
        <a class="button" href="/guest-data">${t('start.yourData')}</a>
      </${Statement}>`;
  }
  if (missing.value === 'unreachable') {
    return html`
      <${Statement} title=${t('rec.title')} text=${t('start.unreachable')}>
        <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!found.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  return html`
    <${Page} end=${user.value && html`<${AccountMenu} user=${user.value} />`}>
      <${RecordingsView} key=${which.value} ...${found.value} which=${which.value} admin=${user.value?.admin} reload=${load} />
      <${Toast} />
    </${Page}>`;
}

window.addEventListener('hashchange', () => {
  which.value = whichOf(location.hash);
  found.value = null;
  void load();
});
void load();
void start('rec.title', () => html`<${Recordings} />`);
