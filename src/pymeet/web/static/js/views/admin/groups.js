// The table of groups, and making one.

/** @import { Group } from '../../api-groups.js' */
import { useEffect, useRef, useState } from '../../../vendor/preact-hooks.js';
import { addGroup, groups } from '../../api-groups.js';
import { dateOf, numberOf, t } from '../../i18n.js';
import { Problem, Waiting, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, Icon, html } from '../ui.js';
import { GroupForm, ManageGroup } from './group.js';
import { Table } from './parts.js';

const AT_ONCE = 50;
const TYPING_MS = 250;

/** @param {{ group: Group, onOpen: () => void }} props */
function Row({ group, onOpen }) {
  return html`
    <tr>
      <th scope="row"><span class="kept-title">${group.name}</span>${group.description && html`<span class="quiet-text">${group.description}</span>`}</th>
      <td data-label=${t('groups.people')}>${numberOf(group.people)}</td>
      <td data-label=${t('groups.made')}>${dateOf(group.created_at)}</td>
      <td class="cell-actions"><button type="button" class="button small" aria-label=${t('groups.openOf', { name: group.name })} onClick=${onOpen}>${t('groups.open')}…</button></td>
    </tr>`;
}

/** @param {{ onMade: (group: Group) => void, onClose: () => void }} props */
function NewGroup({ onMade, onClose }) {
  const { busy, problem, act } = useAct();
  const make = (/** @type {{ name: string, description: string }} */ given) => act(async () => onMade(await addGroup(given)));
  return html`
    <${Dialog} title=${t('groups.new')} onClose=${onClose}>
      <${GroupForm} action=${t('groups.create')} busy=${busy} problem=${problem} onSave=${make} onBack=${onClose} />
    </${Dialog}>`;
}

export function Groups() {
  const [rows, setRows] = useState(/** @type {Group[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [search, setSearch] = useState('');
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState(/** @type {Group | null} */ (null));
  const { busy, problem, act } = useAct();
  const asked = useRef('');
  const read = (/** @type {string} */ wanted, /** @type {Group[]} */ before, /** @type {string} */ after = '') => act(async () => {
    asked.current = wanted;
    const found = await groups({ search: wanted, after, limit: AT_ONCE });
    // What was typed meanwhile has asked again.
    if (asked.current !== wanted) return;
    setRows([...before, ...found.groups]);
    setNext(found.next);
  });
  const reload = () => read(search.trim(), []);
  useEffect(() => {
    const timer = setTimeout(() => void reload(), rows ? TYPING_MS : 0);
    return () => clearTimeout(timer);
  }, [search]);
  const made = (/** @type {Group} */ group) => {
    setMaking(false);
    setOpen(group);
    toast(t('groups.created', { name: group.name }));
    void reload();
  };
  const searchable = search || next || (rows && rows.length > 8);
  return html`
    <section class="admin-part" aria-labelledby="groups-title">
      <div class="part-head">
        <div><h1 id="groups-title">${t('groups.title')}</h1><p class="quiet-text">${t('groups.lead')}</p></div>
        <div class="part-tools"><button type="button" class="button primary" onClick=${() => setMaking(true)}><${Icon} name="plus" />${t('groups.new')}</button></div>
      </div>
      ${searchable && html`
        <div class="find" role="search"><${Field} label=${t('groups.search')} value=${search} onInput=${setSearch}
          input=${{ type: 'search', autocomplete: 'off', spellcheck: false }} /></div>`}
      <${Problem} text=${rows ? problem : ''} />
      ${!rows && html`<${Waiting} problem=${problem} />`}
      <div role="status">${rows?.length === 0 && html`<p class="empty">${search ? t('groups.noMatch', { search }) : t('groups.none')}</p>`}</div>
      ${rows && rows.length > 0 && html`
        <${Table} class="groups" label=${t('groups.title')} columns=${[t('groups.name'), t('groups.people'), t('groups.made'), '']}>
          ${rows.map((group) => html`<${Row} key=${group.id} group=${group} onOpen=${() => setOpen(group)} />`)}
        </${Table}>`}
      ${rows && next && html`<div class="actions"><button type="button" class="button" disabled=${busy} onClick=${() => void read(search.trim(), rows, next)}>${t('groups.more')}</button></div>`}
      ${making && html`<${NewGroup} onMade=${made} onClose=${() => setMaking(false)} />`}
      ${open && html`<${ManageGroup} key=${open.id} group=${open} onChanged=${() => void reload()} onClose=${() => setOpen(null)} />`}
    </section>`;
}
