// /guest-data#pmg1.…: what is held about a guest. The receipt leaves the address bar at once, and travels in bodies only.

/** @import { GuestShown, OwnData } from '../api-privacy.js' */
import '../privacy-words.js';
import '../recordings-words.js';
import { signal } from '../../vendor/signals-core.js';
import { ApiError } from '../api.js';
import { guestData } from '../api-privacy.js';
import { t } from '../i18n.js';
import { forgetReceipt, keepReceipt, keptReceipts, receiptIn } from '../models/receipts.js';
import { wordsFor } from '../views/act.js';
import { ErasureStatusView } from '../views/erasure.js';
import { AskForReceipt, GuestDataView } from '../views/guest-data.js';
import { Toast } from '../views/toast.js';
import { Page, Statement, html, start, useFocus } from '../views/ui.js';

const receipt = signal(/** @type {string | null} */ (null));
const data = signal(/** @type {OwnData<GuestShown> | null} */ (null));
const refused = signal(/** @type {ApiError | null} */ (null));
const erased = signal('');

/** @param {string} text */
async function open(text) {
  refused.value = null;
  receipt.value = text;
  try {
    const found = await guestData(text);
    const { room, at } = found.person;
    // So that a reload finds it again, now that the address has lost it.
    const known = keptReceipts().some((kept) => kept.receipt === text);
    if (found.classes.length && !known) keepReceipt({ receipt: text, room: room ?? '', at });
    data.value = found;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    refused.value = error;
    receipt.value = null;
  }
}

function choose() {
  receipt.value = null;
  data.value = null;
}

/** @param {string} status */
function gone(status) {
  if (receipt.value) forgetReceipt(receipt.value);
  erased.value = status;
}

/** @param {string} hash */
function take(hash) {
  const found = receiptIn(hash);
  if (!found) return false;
  history.replaceState(null, '', location.pathname);
  void open(found);
  return true;
}

/** @param {{ status: string }} props */
function Erased({ status }) {
  const title = useFocus();
  return html`
    <${Page} narrow>
      <div class="data"><h1 ref=${title} tabindex="-1">${t('erasure.title')}</h1><${ErasureStatusView} token=${status} whole=${false} /></div>
      <${Toast} />
    </${Page}>`;
}

function GuestData() {
  if (erased.value) return html`<${Erased} status=${erased.value} />`;
  if (!receipt.value) {
    const problem = refused.value && (refused.value.code === 'bad_receipt' ? t('guest.bad') : wordsFor(refused.value));
    return html`<${Page} narrow><${AskForReceipt} kept=${keptReceipts()} problem=${problem ?? ''} onReceipt=${open} /></${Page}>`;
  }
  if (!data.value) return html`<${Page}><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  if (!data.value.classes.length) {
    return html`
      <${Statement} title=${t('guest.nothingTitle')} text=${t('guest.nothing')}>
        <button type="button" class="button" onClick=${choose}>${t('guest.other')}</button>
        <a class="button" href="/">${t('app.back')}</a>
      </${Statement}>`;
  }
  const end = keptReceipts().length > 1 && html`<button type="button" class="button" onClick=${choose}>${t('guest.other')}</button>`;
  return html`
    <${Page} end=${end}>
      <${GuestDataView} receipt=${receipt.value} data=${data.value} reload=${() => open(receipt.value ?? '')} onErased=${gone} />
      <${Toast} />
    </${Page}>`;
}

// A link opened in this tab differs in its fragment only; so do links within the page, which hold no receipt.
window.addEventListener('hashchange', () => take(location.hash));
const [only, ...more] = keptReceipts();
if (!take(location.hash) && only && !more.length) void open(only.receipt);
void start('guest.title', () => html`<${GuestData} />`);
