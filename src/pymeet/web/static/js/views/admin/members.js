// The table of accounts: who is here, as what, and what to do with an account.

/** @import { User } from '../../api.js' */
/** @import { Member } from '../../api-users.js' */
import { useEffect, useRef, useState } from '../../../vendor/preact-hooks.js';
import { members } from '../../api-users.js';
import { dateOf, t } from '../../i18n.js';
import { Problem, Waiting, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Field, Icon, html } from '../ui.js';
import { ProfileFields } from './fields.js';
import { Invite } from './invite.js';
import { Manage } from './manage.js';
import { Table } from './parts.js';

const AT_ONCE = 50;
const TYPING_MS = 250;

/** @param {{ member: Member, self: boolean, onManage: () => void }} props */
function Row({ member, self, onManage }) {
  return html`
    <tr>
      <th scope="row"><span class="kept-title">${member.name || t('members.noName')}${self && html` <span class="quiet-text inline">${t('members.you')}</span>`}</span>
        <span class="quiet-text">${member.email}</span></th>
      <td data-label=${t('members.role')}>${t(`role.${member.role}`)}</td>
      <td data-label=${t('members.state')}><span class=${`state ${member.state}`}>${t(`userState.${member.state}`)}</span></td>
      <td data-label=${t('members.factor')}>${member.second_factor
        ? html`<span class="mark good"><${Icon} name="shield-check" />${t('members.factorOn')}</span>` : html`<span class="quiet-text">${t('members.factorOff')}</span>`}</td>
      <td data-label=${t('members.seen')}>${member.last_seen_at ? dateOf(member.last_seen_at) : html`<span class="quiet-text">${t('members.never')}</span>`}</td>
      <td class="cell-actions"><button type="button" class="button small" aria-label=${t('members.manageOf', { name: member.name || member.email })}
        onClick=${onManage}>${t('members.manage')}…</button></td>
    </tr>`;
}

/** @param {{ me: User, mail: boolean, closed: boolean }} props `closed`: accounts are made on the command line only */
export function Members({ me, mail, closed }) {
  const [rows, setRows] = useState(/** @type {Member[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState(/** @type {'invite' | 'fields' | string | null} */ (null));
  const { busy, problem, act } = useAct();
  const asked = useRef('');
  const read = (/** @type {string} */ wanted, /** @type {Member[]} */ before, /** @type {string} */ after = '') => act(async () => {
    asked.current = wanted;
    const found = await members({ search: wanted, after, limit: AT_ONCE });
    // What was typed meanwhile has asked again.
    if (asked.current !== wanted) return;
    setRows([...before, ...found.users]);
    setNext(found.next);
  });
  const reload = () => read(search.trim(), []);
  useEffect(() => {
    const timer = setTimeout(() => void reload(), rows ? TYPING_MS : 0);
    return () => clearTimeout(timer);
  }, [search]);
  const done = async (/** @type {string} */ words) => { setOpen(null); toast(words); await reload(); };
  const managed = rows?.find(({ id }) => id === open);
  return html`
    <section class="admin-part" aria-labelledby="members-title">
      <div class="part-head">
        <div><h1 id="members-title">${t('members.title')}</h1><p class="quiet-text">${t('members.lead')}${closed && ` ${t('members.closed')}`}</p></div>
        <div class="part-tools"><button type="button" class="button" onClick=${() => setOpen('fields')}>${t('fields.manage')}…</button>
          ${!closed && html`<button type="button" class="button primary" onClick=${() => setOpen('invite')}><${Icon} name="user-plus" />${t('members.invite')}</button>`}</div>
      </div>
      <div class="find" role="search"><${Field} label=${t('members.search')} value=${search} onInput=${setSearch}
        input=${{ type: 'search', autocomplete: 'off', autocapitalize: 'none', spellcheck: false }} /></div>
      <${Problem} text=${rows ? problem : ''} />
      ${!rows && html`<${Waiting} problem=${problem} />`}
      <div role="status">${rows?.length === 0 && html`<p class="empty">${t('members.noMatch', { search })}</p>`}</div>
      ${rows && rows.length > 0 && html`
        <${Table} class="members" label=${t('members.title')}
          columns=${[t('members.who'), t('members.role'), t('members.state'), t('members.factor'), t('members.seen'), '']}>
          ${rows.map((member) => html`<${Row} key=${member.id} member=${member} self=${member.id === me.id} onManage=${() => setOpen(member.id)} />`)}
        </${Table}>`}
      ${rows?.length === 1 && !search && !closed && html`<p class="empty">${t('members.alone')}</p>`}
      ${rows && next && html`<div class="actions"><button type="button" class="button" disabled=${busy} onClick=${() => void read(search.trim(), rows, next)}>${t('members.more')}</button></div>`}
      ${open === 'fields' && html`<${ProfileFields} onClose=${() => setOpen(null)} />`}
      ${open === 'invite' && html`<${Invite} mail=${mail} onInvited=${() => void reload()} onClose=${() => setOpen(null)} />`}
      ${managed && html`<${Manage} key=${managed.id} member=${managed} self=${me.id} onDone=${done} onClose=${() => setOpen(null)} />`}
    </section>`;
}
