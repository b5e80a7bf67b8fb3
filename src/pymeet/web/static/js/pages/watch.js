// /watch#<token>: a film that was shared by a link. The token leaves the address at once and travels in bodies only;
// this tab's history keeps it, so that a reload works.

/** @import { SharedRecording } from '../api-recordings.js' */
import '../recordings-words.js';
import { signal } from '../../vendor/signals-core.js';
import { ApiError } from '../api.js';
import { openShared } from '../api-recordings.js';
import { t } from '../i18n.js';
import { SharedView, Unlock } from '../views/recordings/shared.js';
import { Page, Statement, html, start } from '../views/ui.js';

const found = signal(/** @type {SharedRecording | null} */ (null));
const missing = signal(/** @type {'no_link' | 'gone' | 'locked' | 'unreachable' | null} */ (null));
const problem = signal('');
let token = '';

/** @param {string} [password] */
async function open(password) {
  problem.value = '';
  try {
    found.value = (await openShared(token, password)).recording;
    missing.value = null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'password_needed') missing.value = 'locked';
    else if (password) problem.value = error.code === 'wrong_password' ? t('rec.watchWrong') : error.message || t('start.unreachable');
    else if (error.status === 404 || error.status === 400) missing.value = 'gone';
    else {
      problem.value = error.message;
      missing.value = 'unreachable';
    }
  }
}

function take() {
  const inAddress = location.hash.slice(1);
  token = inAddress || history.state?.token || '';
  if (inAddress) history.replaceState({ token }, '', location.pathname);
  found.value = null;
  missing.value = token ? null : 'no_link';
  if (token) void open();
}

function Watch() {
  const back = html`<a class="button" href="/">${t('app.back')}</a>`;
  if (missing.value === 'no_link') return html`<${Statement} title=${t('rec.watchNoLinkTitle')} text=${t('rec.watchNoLink')}>${back}</${Statement}>`;
  if (missing.value === 'gone') return html`<${Statement} title=${t('rec.watchGoneTitle')} text=${t('rec.watchGone')}>${back}</${Statement}>`;
  if (missing.value === 'unreachable') {
    return html`
      <${Statement} title=${t('rec.watchLaterTitle')} text=${problem.value || t('start.unreachable')}>
        <button type="button" class="button primary" onClick=${() => void open()}>${t('app.again')}</button></${Statement}>`;
  }
  if (missing.value === 'locked') return html`<${Page} narrow><${Unlock} problem=${problem.value} onPassword=${open} /></${Page}>`;
  if (!found.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  return html`<${Page}><${SharedView} recording=${found.value} /></${Page}>`;
}

// Another link opened in this tab differs in its fragment only, for which the browser loads nothing.
window.addEventListener('hashchange', () => { if (location.hash) take(); });
take();
void start('rec.watchTitle', () => html`<${Watch} />`);
