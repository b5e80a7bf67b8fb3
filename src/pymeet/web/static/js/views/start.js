// The start page.

/** @import { Me } from '../api.js' */
import { signal } from '../../vendor/signals-core.js';
import { useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { t } from '../i18n.js';
import { slugOf } from '../models/slugs.js';
import { AccountMenu } from './account-menu.js';
import { NoticeNote } from './notice.js';
import { LatestRecordings } from './recordings/latest.js';
import { Rooms } from './rooms.js';
import { NextMeetings } from './schedule/next.js';
import { Toast } from './toast.js';
import { Field, Note, Page, html } from './ui.js';

const me = signal(/** @type {Me | null} */ (null));
const unreachable = signal(false);

export async function load() {
  try {
    unreachable.value = false;
    me.value = await api.me();
  } catch {
    unreachable.value = true;
  }
}

function Account() {
  const known = me.value;
  if (!known) return null;
  return known.user ? html`<${AccountMenu} user=${known.user} />` : html`<a class="button" href="/sign-in">${t('start.signIn')}</a>`;
}

function Enter() {
  const [typed, setTyped] = useState('');
  const [error, setError] = useState('');
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    const slug = slugOf(typed);
    if (slug) location.assign(`/r/${encodeURIComponent(slug)}`);
    else setError(t('start.bad'));
  };
  const change = (/** @type {string} */ value) => { setTyped(value); setError(''); };
  const input = { autocomplete: 'off', autocapitalize: 'none', spellcheck: false };
  return html`
    <form class="card enter" onSubmit=${go} novalidate>
      <h2>${t('start.join')}</h2>
      <div class="field-row">
        <${Field} label=${t('start.field')} value=${typed} onInput=${change} error=${error} input=${input} />
        <button type="submit" class="button primary">${t('start.go')}</button>
      </div>
    </form>`;
}

export function StartView() {
  const user = me.value?.user;
  // With a meeting may come a room.
  const [planned, setPlanned] = useState(0);
  return html`
    <${Page} end=${html`<${Account} />`}>
      <div class="start">
        ${!user && html`<h1 class="start-title">${t('start.title')}</h1>`}
        ${me.value?.announcement && html`<${Note} icon="circle-alert"><p>${me.value.announcement}</p></${Note}>`}
        ${unreachable.value && html`
          <${Note} tone="danger" icon="wifi-off"><p>${t('start.unreachable')}</p>
            <button type="button" class="button small" onClick=${() => void load()}>${t('app.again')}</button></${Note}>`}
        ${user && me.value && html`<${NoticeNote} notice=${me.value.notice} onRead=${load} />`}
        ${user && html`<${NextMeetings} zone=${user.time_zone} mayCreate=${me.value?.may_create_rooms} onPlanned=${() => setPlanned(planned + 1)} />`}
        ${user && html`<${Rooms} mayCreate=${me.value?.may_create_rooms} version=${planned} />`}
        <${Enter} />
        ${user && html`<${LatestRecordings} />`}
        ${me.value && !user && html`<p class="quiet-text">${t('start.signInHint')}</p>`}
      </div>
      <${Toast} />
    </${Page}>`;
}
