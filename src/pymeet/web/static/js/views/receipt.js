// A guest's privacy receipt as a file to keep.

import { t } from '../i18n.js';
import { html, saveFile } from './ui.js';

/** @param {string} receipt */
function save(receipt) {
  const link = new URL(`/guest-data#${receipt}`, location.origin).href;
  saveFile('pymeet-receipt.txt', new Blob([`${t('receipt.what')} ${t('receipt.keep')}\n\n${link}\n`], { type: 'text/plain' }));
}

/** @param {{ receipt: string }} props */
export function SaveReceipt({ receipt }) {
  return html`<button type="button" class="button" onClick=${() => save(receipt)}>${t('receipt.save')}</button>`;
}
