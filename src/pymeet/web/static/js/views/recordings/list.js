// The recordings that somebody may see, and those in the trash.

/** @import { RecordingRow } from '../../api-recordings.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-recordings.js';
import { sizeOf, t } from '../../i18n.js';
import { inOrder, lookAgainMs, matching, sizeOfMine } from '../../models/recordings.js';
import { Problem, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Field, Icon, IconButton, Note, html, useFocus } from '../ui.js';
import { PinDialog, Progress, StateMark, WhenAndWhere, nameOf, pageOf, peopleWords, untilWords, useLookAgain } from './parts.js';

/** @import { Storage, Which } from '../../api-recordings.js' */
/** @typedef {{ row: RecordingRow, opens: boolean, reload: () => Promise<unknown>, onDeleted: (row: RecordingRow) => void }} RowProps */

/** @param {RowProps} props */
function Row({ row, opens, reload, onDeleted }) {
  const [pinning, setPinning] = useState(false);
  const { busy, problem, act } = useAct();
  const name = nameOf(row);
  const may = new Set(row.may);
  const remove = () => void act(async () => {
    await api.deleteRecording(row.id);
    onDeleted(row);
    await reload();
  });
  const restore = () => void act(async () => {
    await api.restoreRecording(row.id);
    toast(t('rec.restored', { name }));
    await reload();
  });
  const retry = () => void act(async () => {
    if (row.film) await api.retryFilm(row.id, row.film.id);
    await reload();
  });
  const trashed = row.trashed_at !== null;
  return html`
    <li class="rec-row">
      <div class="rec-words">
        <h2>${opens ? html`<a href=${pageOf(row.id)}>${name}</a>` : name}</h2>
        <p class="quiet-text facts-line"><${WhenAndWhere} row=${row} />${row.size ? html`<span>${sizeOf(row.size)}</span>` : null}</p>
        ${(opens || row.people.length > 0) && html`<p class="quiet-text">${peopleWords(row.people)}</p>`}
      </div>
      <div class="rec-state">
        ${!trashed && (opens || row.state === 'recording') && html`<${StateMark} row=${row} />`}
        ${row.film?.state === 'making' && html`<${Progress} value=${row.film.progress} label=${t('rec.progress')} />`}
        <p class="until">${row.pinned_until !== null && !trashed && html`<${Icon} name="pin" />`}${untilWords(row)}</p>
        ${!trashed && may.has('compose') && row.film?.state === 'failed' && html`
          <button type="button" class="button small" disabled=${busy} onClick=${retry}>${t('rec.retry')}</button>`}
      </div>
      <div class="room-actions">
        ${!trashed && may.has('pin') && html`
          <${IconButton} icon="pin" label=${t('rec.pinOf', { name })} class="quiet" onClick=${() => setPinning(true)} />`}
        ${!trashed && may.has('delete') && row.state === 'ended' && html`
          <${IconButton} icon="trash-2" label=${t('rec.deleteOf', { name })} class="quiet" onClick=${remove} />`}
        ${trashed && may.has('restore') && html`
          <button type="button" class="button small" disabled=${busy} aria-label=${t('rec.restoreOf', { name })} onClick=${restore}><${Icon} name="undo-2" />${t('rec.restore')}</button>`}
      </div>
      <${Problem} text=${problem} />
      ${pinning && html`<${PinDialog} kept=${row} onDone=${reload} onClose=${() => setPinning(false)} />`}
    </li>`;
}

/** @param {{ which: Which, searched: string, any: boolean }} props */
function Empty({ which, searched, any }) {
  if (any) return html`<p class="empty">${t('rec.noneFound', { text: searched })}</p>`;
  if (which === 'trash') return html`<p class="empty">${t('rec.trashEmpty')}</p>`;
  if (which === 'others') return html`<p class="empty">${t('rec.othersNone')}</p>`;
  return html`<div class="empty rec-empty"><${Icon} name="clapperboard" /><p><strong>${t('rec.none')}</strong></p><p>${t('rec.noneHow')}</p></div>`;
}

/** @param {{ row: RecordingRow, onUndone: () => void }} props */
function Undo({ row, onUndone }) {
  // What was pressed is gone.
  const button = useFocus();
  const { busy, problem, act } = useAct();
  const undo = () => void act(async () => {
    await api.restoreRecording(row.id);
    onUndone();
  });
  return html`
    <${Note} icon="trash-2"><p>${t('rec.deleted', { name: nameOf(row) })}</p>
      <button type="button" class="button small" ref=${button} disabled=${busy} onClick=${undo}><${Icon} name="undo-2" />${t('rec.undo')}</button>
      <${Problem} text=${problem} /></${Note}>`;
}

/** @param {{ shown: Which, admin: boolean }} props */
function Tabs({ shown, admin }) {
  const tabs = [['all', t('rec.all')], ['trash', t('rec.inTrash')], ...(admin ? [['others', t('rec.others')]] : [])];
  return html`
    <nav class="tabs" aria-label=${t('rec.title')}>
      ${tabs.map(([which, words]) => html`<a key=${which} href=${`#${which}`} aria-current=${which === shown ? 'page' : undefined}>${words}</a>`)}
    </nav>`;
}

/** @param {{ rows: RecordingRow[], storageBytes?: number, storage?: Storage, which: Which, admin: boolean, reload: () => Promise<unknown> }} props */
export function RecordingsView({ rows, storageBytes, storage, which, admin, reload }) {
  const [searched, setSearched] = useState('');
  const [deleted, setDeleted] = useState(/** @type {RecordingRow | null} */ (null));
  useLookAgain(lookAgainMs(rows), reload);
  const shown = inOrder(matching(rows, searched));
  const used = storageBytes ?? sizeOfMine(rows);
  const others = which === 'others';
  const undone = () => { setDeleted(null); void reload(); };
  return html`
    <div class="data recordings">
      <header class="data-head">
        <h1>${t('rec.title')}</h1>
        <p class="lead">${t(others ? 'rec.othersLead' : 'rec.lead')}</p>
      </header>
      <${Tabs} shown=${which} admin=${admin} />
      ${deleted && which !== 'trash' && html`<${Undo} key=${deleted.id} row=${deleted} onUndone=${undone} />`}
      ${rows.length > 0 && html`
        <div class="rec-tools">
          <${Field} label=${t('rec.search')} type="search" value=${searched} onInput=${setSearched} input=${{ placeholder: t('rec.searchHint'), autocomplete: 'off' }} />
          ${others && storage && html`<p class="quiet-text">${t('rec.othersStorage', { size: sizeOf(storage.bytes), free: sizeOf(storage.free_bytes) })}</p>`}
          ${!others && used > 0 && html`<p class="quiet-text">${t('rec.storage', { size: sizeOf(used) })}</p>`}
        </div>`}
      ${shown.length > 0
        ? html`<ul class="card rec-list">${shown.map((row) => html`<${Row} key=${row.id} row=${row} opens=${which === 'all'} reload=${reload} onDeleted=${setDeleted} />`)}</ul>`
        : html`<${Empty} which=${which} searched=${searched} any=${rows.length > 0} />`}
    </div>`;
}
