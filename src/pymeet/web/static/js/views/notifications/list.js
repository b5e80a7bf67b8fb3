// What somebody is told: the newest first, each a link to what it is about.

/** @import { Kind, Told } from '../../api-notifications.js' */
import '../../notifications-words.js';
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-notifications.js';
import { dateOf, momentOf, t, timeOf } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { IconButton, Icon, html, useFocus } from '../ui.js';

const ICONS = /** @type {Record<Kind, string>} */ ({
  meeting_invited: 'mail', meeting_changed: 'clock', meeting_cancelled: 'circle-slash', meeting_answered: 'user-check',
  recording_ready: 'clapperboard', recording_shared: 'clapperboard', recording_expiring: 'clapperboard',
  export_ready: 'download', somebody_waits: 'users', new_device: 'smartphone', request_decided: 'shield-check',
});

/** @param {Told} told */
export function textOf({ kind, subject, person, answer, moment, all_day: allDay }) {
  const when = moment === null ? '' : allDay || kind === 'recording_expiring' ? dateOf(moment) : momentOf(moment);
  const values = { subject: subject ?? '', person: person ?? '', when };
  if (kind === 'meeting_answered') return t(`told.answer.${answer ?? 'accepted'}`, values);
  if (!subject && (kind === 'meeting_cancelled' || kind === 'new_device')) return t(`told.${kind}Some`, values);
  return t(`told.${kind}`, values);
}

/** When it was told: today the time, else the day. @param {number} at */
const toldAt = (at) => (new Date(at).toDateString() === new Date().toDateString() ? timeOf(at) : dateOf(at));

/** @param {{ told: Told, onDelete: () => void }} props */
function Entry({ told, onDelete }) {
  const text = textOf(told);
  const follow = async (/** @type {MouseEvent} */ event) => {
    if (told.read || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    // Noted before the page goes away; whether or not that worked, the person goes where they wanted to go.
    event.preventDefault();
    await api.markRead(told.id).catch(() => {});
    location.assign(told.page);
  };
  return html`
    <li class=${told.read ? 'told' : 'told new'}>
      <a href=${told.page} onClick=${follow}>
        <${Icon} name=${ICONS[told.kind]} />
        <span class="told-words">
          <span>${text}</span>
          <span class="told-at">${!told.read && html`<strong>${t('told.new')}</strong> · `}<time datetime=${new Date(told.at).toISOString()}>${toldAt(told.at)}</time></span>
        </span>
      </a>
      <${IconButton} icon="x" class="quiet" label=${t('told.deleteOf', { text })} tip=${t('told.delete')} onClick=${onDelete} />
    </li>`;
}

/** @param {{ onCount: (unread: number) => void }} props */
export function List({ onCount }) {
  const [shown, setShown] = useState(/** @type {Told[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const { busy, problem, act } = useAct();
  const title = useFocus();
  const load = (/** @type {string} */ after) => act(async () => {
    const page = await api.notifications(after);
    setShown((before) => [...(after ? before ?? [] : []), ...page.notifications]);
    setNext(page.next);
    onCount(page.unread);
  });
  useEffect(() => { void load(''); }, []);
  const recount = async () => onCount((await api.unread()).unread);
  const readAll = () => void act(async () => {
    await api.markAllRead(Math.max(0, ...(shown ?? []).map(({ at }) => at)));
    setShown((before) => (before ?? []).map((told) => ({ ...told, read: true })));
    await recount();
  });
  const remove = (/** @type {string} */ id) => void act(async () => {
    await api.deleteNotification(id);
    // What had the focus is gone: it goes on at the top of the list.
    title.current?.focus();
    setShown((before) => (before ?? []).filter((told) => told.id !== id));
    await recount();
  });
  const news = shown?.some(({ read }) => !read);
  return html`
    <div class="bell-head">
      <h2 ref=${title} tabindex="-1">${t('wish.title')}</h2>
      ${news && html`<button type="button" class="text-button" disabled=${busy} onClick=${readAll}>${t('told.allRead')}</button>`}
    </div>
    <${Problem} text=${problem} />
    ${!shown && !problem && html`<p class="quiet-text" role="status">${t('app.loading')}</p>`}
    ${shown && !shown.length && html`<p class="quiet-text bell-none">${t('told.none')}</p>`}
    ${shown && shown.length > 0 && html`
      <ul class="told-list">${shown.map((told) => html`<${Entry} key=${told.id} told=${told} onDelete=${() => remove(told.id)} />`)}</ul>`}
    <div class="bell-foot">
      ${next && html`<button type="button" class="text-button" disabled=${busy} onClick=${() => void load(next)}>${t('told.older')}</button>`}
      <a href="/profile#notifications">${t('told.choose')}</a>
    </div>`;
}
