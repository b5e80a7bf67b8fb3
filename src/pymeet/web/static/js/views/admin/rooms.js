// The table of all rooms: whose they are, when they were used, and what to do with one.

/** @import { ListedRoom } from '../../api-server.js' */
import { useEffect, useRef, useState } from '../../../vendor/preact-hooks.js';
import { allRooms } from '../../api-server.js';
import { dateOf, t, tn } from '../../i18n.js';
import { Problem, Waiting, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Field, html } from '../ui.js';
import { Table } from './parts.js';
import { ManageRoom } from './room-manage.js';

const AT_ONCE = 50;
const TYPING_MS = 250;

/** @param {{ room: ListedRoom, onManage: () => void }} props */
function Row({ room, onManage }) {
  return html`
    <tr>
      <th scope="row"><span class="kept-title"><a href=${`/r/${encodeURIComponent(room.slug)}`}>${room.name}</a>${room.personal && html` <span class="quiet-text inline">${t('allRooms.personal')}</span>`}</span>
        <span class="quiet-text">${t('allRooms.facts', { address: room.slug, date: dateOf(room.created_at) })}</span></th>
      <td data-label=${t('allRooms.owner')}>${room.owner
        ? html`<span>${room.owner.name || room.owner.email}</span>${room.owner.name && html`<span class="quiet-text">${room.owner.email}</span>`}`
        : html`<span class="quiet-text">${t('allRooms.nobody')}</span>`}</td>
      <td data-label=${t('allRooms.used')}>${room.people > 0 ? html`<span class="live">${tn('rooms.inside', room.people)}</span>`
        : room.last_used_at ? dateOf(room.last_used_at) : html`<span class="quiet-text">${t('members.never')}</span>`}</td>
      <td class="cell-actions"><button type="button" class="button small" aria-label=${t('members.manageOf', { name: room.name })}
        onClick=${onManage}>${t('members.manage')}…</button></td>
    </tr>`;
}

export function AllRooms() {
  const [rows, setRows] = useState(/** @type {ListedRoom[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState(/** @type {string | null} */ (null));
  const { busy, problem, act } = useAct();
  const asked = useRef('');
  const read = (/** @type {string} */ wanted, /** @type {ListedRoom[]} */ before, /** @type {string} */ after = '') => act(async () => {
    asked.current = wanted;
    const found = await allRooms({ search: wanted, after, limit: AT_ONCE });
    // What was typed meanwhile has asked again.
    if (asked.current !== wanted) return;
    setRows([...before, ...found.rooms]);
    setNext(found.next);
  });
  const reload = () => read(search.trim(), []);
  useEffect(() => {
    const timer = setTimeout(() => void reload(), rows ? TYPING_MS : 0);
    return () => clearTimeout(timer);
  }, [search]);
  const done = async (/** @type {string} */ words) => { setOpen(null); toast(words); await reload(); };
  const managed = rows?.find(({ slug }) => slug === open);
  return html`
    <section class="admin-part" aria-labelledby="all-rooms-title">
      <div class="part-head"><div><h1 id="all-rooms-title">${t('allRooms.title')}</h1><p class="quiet-text">${t('allRooms.lead')}</p></div></div>
      <div class="find" role="search"><${Field} label=${t('allRooms.search')} value=${search} onInput=${setSearch}
        input=${{ type: 'search', autocomplete: 'off', autocapitalize: 'none', spellcheck: false }} /></div>
      <${Problem} text=${rows ? problem : ''} />
      ${!rows && html`<${Waiting} problem=${problem} />`}
      <div role="status">${rows?.length === 0 && html`<p class="empty">${search.trim() ? t('allRooms.noMatch', { search: search.trim() }) : t('allRooms.none')}</p>`}</div>
      ${rows && rows.length > 0 && html`
        <${Table} class="rooms-table" label=${t('allRooms.title')} columns=${[t('allRooms.room'), t('allRooms.owner'), t('allRooms.used'), '']}>
          ${rows.map((room) => html`<${Row} key=${room.slug} room=${room} onManage=${() => setOpen(room.slug)} />`)}
        </${Table}>`}
      ${rows && next && html`<div class="actions"><button type="button" class="button" disabled=${busy} onClick=${() => void read(search.trim(), rows, next)}>${t('members.more')}</button></div>`}
      ${managed && html`<${ManageRoom} key=${managed.slug} room=${managed} onDone=${done} onClose=${() => setOpen(null)} />`}
    </section>`;
}
