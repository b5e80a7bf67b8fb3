// /recordings/<id>: one recording, to watch and to look after.

/** @import { User } from '../api.js' */
/** @import { Recording } from '../api-recordings.js' */
import '../recordings-words.js';
import '../groups-words.js';
import { signal } from '../../vendor/signals-core.js';
import { ApiError, me } from '../api.js';
import { recording } from '../api-recordings.js';
import { t } from '../i18n.js';
import { AccountMenu } from '../views/account-menu.js';
import { RecordingView } from '../views/recordings/page.js';
import { nameOf } from '../views/recordings/parts.js';
import { Toast } from '../views/toast.js';
import { Page, Statement, html, start } from '../views/ui.js';

const id = decodeURIComponent(location.pathname.split('/').filter(Boolean).at(-1) ?? '');
const found = signal(/** @type {Recording | null} */ (null));
const user = signal(/** @type {User | null} */ (null));
/** Whether the reader was taken out, after which there may be nothing left to see. */
const out = signal(false);
const missing = signal(/** @type {'signed_out' | 'gone' | 'unreachable' | null} */ (null));

async function load() {
  try {
    found.value = await recording(id);
    user.value ??= (await me()).user;
    missing.value = null;
    document.title = nameOf(found.value);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) missing.value = 'signed_out';
    else if (error.status === 404 || error.status === 403) missing.value = 'gone';
    else if (!found.value) missing.value = 'unreachable';
  }
}

function RecordingPage() {
  if (missing.value === 'signed_out') {
    return html`
      <${Statement} title=${t('rec.title')} text=${t('rec.signedOut')}>
        <a class="button primary" href=${`/sign-in?next=${encodeURIComponent(location.pathname)}`}>${t('start.signIn')}</a></${Statement}>`;
  }
  if (missing.value === 'gone') {
    const [title, text] = out.value ? [t('rec.outTitle'), t('rec.out')] : [t('rec.missingTitle'), t('rec.missing')];
    return html`<${Statement} title=${title} text=${text}><a class="button primary" href="/recordings">${t('rec.all')}</a></${Statement}>`;
  }
  if (missing.value === 'unreachable') {
    return html`
      <${Statement} title=${t('rec.title')} text=${t('start.unreachable')}>
        <button type="button" class="button primary" onClick=${() => void load()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!found.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  return html`
    <${Page} end=${user.value && html`<${AccountMenu} user=${user.value} />`}>
      <${RecordingView} recording=${found.value} reload=${load} onOut=${() => { out.value = true; }} />
      <${Toast} />
    </${Page}>`;
}

void load();
void start('rec.title', () => html`<${RecordingPage} />`);
