// The privacy receipts of a guest: with one, somebody without account opens what is held about one seat in one meeting.
// They stay in this tab; whoever wants one for longer saves it.

import { read, write } from './choices.js';

/** @typedef {{ receipt: string, room: string, at: number }} KeptReceipt */

const RECEIPT = 'pymeet.receipt';
const MOST = 20;

/** Those of this tab, the newest first. @returns {KeptReceipt[]} */
export function keptReceipts() {
  try {
    const found = JSON.parse(read('sessionStorage', RECEIPT) ?? '[]');
    return Array.isArray(found) ? found.filter(isReceipt) : [];
  } catch {
    return [];
  }
}

/**
 * A seat that was taken again gets another receipt for the same; it replaces the one before.
 * @param {KeptReceipt} kept @param {boolean} [again]
 */
export function keepReceipt(kept, again = false) {
  const before = keptReceipts().filter(({ receipt }) => receipt !== kept.receipt);
  const same = again ? before.findIndex(({ room }) => room === kept.room) : -1;
  const others = before.filter((_, index) => index !== same);
  store([kept, ...others].sort((a, b) => b.at - a.at).slice(0, MOST));
}

/** @param {string} receipt */
export function forgetReceipt(receipt) {
  store(keptReceipts().filter((kept) => kept.receipt !== receipt));
}

/** The receipt in what somebody pasted: itself, a link with it, or the text of a saved file. @param {string} text */
export function receiptIn(text) {
  return /pmg1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/.exec(text)?.[0] ?? null;
}

/** The signed text by which somebody follows an erasure. @param {string} text */
export function statusIn(text) {
  return /pme1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/.exec(text)?.[0] ?? null;
}

/** @param {KeptReceipt[]} receipts */
function store(receipts) {
  write('sessionStorage', RECEIPT, receipts.length ? JSON.stringify(receipts) : null);
}

/** @param {any} value @returns {value is KeptReceipt} */
function isReceipt(value) {
  return typeof value?.receipt === 'string' && typeof value.room === 'string' && typeof value.at === 'number';
}
