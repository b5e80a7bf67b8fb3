// A sentence that passes: what was done, or what could not be done.

import { signal } from '../../vendor/signals-core.js';
import { html } from './ui.js';

const SHOWN_MS = 6000;

const current = signal('');
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} text */
export function toast(text) {
  current.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => { current.value = ''; }, SHOWN_MS);
}

export function Toast() {
  return html`<div class="toast-place" role="status">${current.value && html`<p class="toast">${current.value}</p>`}</div>`;
}
