// A member's own rooms: enter, copy the link, make another, delete one.

/** @import { OwnRoom } from '../api.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { dateOf, t, tn } from '../i18n.js';
import { inOrder } from '../models/rooms.js';
import { Attendance } from './attendance.js';
import { Menu } from './menu.js';
import { RoomSettings } from './room-settings.js';
import { toast } from './toast.js';
import { ConfirmDialog, Field, Icon, IconButton, Note, copy, html } from './ui.js';

/** @param {OwnRoom} room */
const addressOf = (room) => new URL(`/r/${encodeURIComponent(room.slug)}`, location.origin).href;

/** @param {OwnRoom} room */
async function copyLink(room) {
  const url = room.url || addressOf(room);
  toast(await copy(url) ? t('rooms.copied') : t('rooms.copyFailed', { url }));
}

/** @typedef {'delete' | 'settings' | 'attendance'} Asked */

/** @param {{ room: OwnRoom, leads: boolean, onAsk: (what: Asked) => void }} props */
function RoomRow({ room, leads, onAsk }) {
  const inside = room.people > 0;
  return html`
    <li class="room-row">
      <div class="room-words">
        <h2><a href=${`/r/${encodeURIComponent(room.slug)}`}>${room.name}</a></h2>
        <p class="quiet-text">${inside && html`<span class="live">${tn('rooms.inside', room.people)}</span>`}
          <span>${t('rooms.since', { date: dateOf(room.created_at) })}</span></p>
      </div>
      <div class="room-actions">
        <${IconButton} icon="copy" label=${t('rooms.copyOf', { name: room.name })} class="quiet" onClick=${() => void copyLink(room)} />
        <${Menu} icon="ellipsis-vertical" label=${t('rooms.more', { name: room.name })} class="quiet" items=${[
          { icon: 'sliders-horizontal', label: t('roomSettings.open'), onClick: () => onAsk('settings') },
          { icon: 'users', label: t('attendance.open'), onClick: () => onAsk('attendance') },
          { icon: 'trash-2', label: t('rooms.deleteDo'), class: 'danger', onClick: () => onAsk('delete') },
        ]} />
        <a class=${leads ? 'button primary' : 'button'} href=${`/r/${encodeURIComponent(room.slug)}`}
          aria-label=${t('rooms.enterOf', { name: room.name })}>${t('rooms.enter')}</a>
      </div>
    </li>`;
}

/** @param {{ leads: boolean, onCreated: () => Promise<void> }} props */
function Create({ leads, onCreated }) {
  const [name, setName] = useState('');
  const [error, setError] = useState('');
  const create = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!name.trim()) return;
    try {
      const room = await api.createRoom(name.trim());
      setName('');
      await onCreated();
      toast(t('rooms.created', { name: room.name }));
    } catch (problem) {
      setError(problem instanceof api.ApiError && problem.message ? problem.message : t('start.unreachable'));
    }
  };
  const change = (/** @type {string} */ value) => { setName(value); setError(''); };
  return html`
    <form class="field-row create" onSubmit=${create} novalidate>
      <${Field} label=${t('rooms.name')} value=${name} onInput=${change} error=${error} input=${{ maxlength: 80, autocomplete: 'off' }} />
      <button type="submit" class=${leads ? 'button primary' : 'button'}><${Icon} name="plus" />${t('rooms.create')}</button>
    </form>`;
}

/** @param {{ mayCreate?: boolean, version?: number }} props `version` changes when there may be another room */
export function Rooms({ mayCreate, version = 0 }) {
  const [rooms, setRooms] = useState(/** @type {OwnRoom[] | null} */ (null));
  const [failed, setFailed] = useState(false);
  const [asked, setAsked] = useState(/** @type {{ what: Asked, room: OwnRoom } | null} */ (null));
  const close = () => setAsked(null);
  const deleting = asked?.what === 'delete' ? asked.room : null;
  const load = async () => {
    try {
      setRooms(inOrder((await api.rooms()).rooms));
      setFailed(false);
    } catch {
      setFailed(true);
    }
  };
  useEffect(() => { void load(); }, [version]);
  useEffect(() => {
    // Who comes back to this tab wants to know where people are now.
    const look = () => { if (!document.hidden) void load(); };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  const remove = async (/** @type {OwnRoom} */ room) => {
    try {
      await api.deleteRoom(room.slug);
      toast(t('rooms.deleted', { name: room.name }));
    } catch {
      toast(t('people.failed'));
    }
    await load();
  };
  const plan = deleting && [t('rooms.deletePlan'), ...(deleting.people ? [tn('rooms.deleteInside', deleting.people)] : [])];
  return html`
    <section class="card rooms" aria-labelledby="rooms-title">
      <h1 id="rooms-title">${t('rooms.title')}</h1>
      ${failed && html`<${Note} tone="danger" icon="wifi-off"><p>${t('start.unreachable')}</p></${Note}>`}
      ${rooms?.length === 0 && html`<p class="quiet-text">${t('rooms.none')}</p>`}
      ${rooms && rooms.length > 0 && html`
        <ul class="room-list">
          ${rooms.map((room, index) => html`<${RoomRow} key=${room.slug} room=${room} leads=${index === 0 && room.people > 0} onAsk=${(/** @type {Asked} */ what) => setAsked({ what, room })} />`)}
        </ul>`}
      ${mayCreate && html`<${Create} leads=${rooms?.length === 0} onCreated=${load} />`}
      ${deleting && plan && html`
        <${ConfirmDialog} title=${t('rooms.deleteTitle', { name: deleting.name })} plan=${plan} action=${t('rooms.deleteDo')}
          onConfirm=${() => void remove(deleting)} onClose=${close} />`}
      ${asked?.what === 'settings' && html`
        <${RoomSettings} slug=${asked.room.slug} name=${asked.room.name} onSaved=${() => toast(t('roomSettings.saved'))} onClose=${close} />`}
      ${asked?.what === 'attendance' && html`<${Attendance} slug=${asked.room.slug} name=${asked.room.name} onClose=${close} />`}
    </section>`;
}
