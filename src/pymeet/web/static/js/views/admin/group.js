// One group: who is in it, what it is called, and its end.

/** @import { Group } from '../../api-groups.js' */
/** @import { Member } from '../../api-users.js' */
import { useEffect, useRef, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-groups.js';
import { members } from '../../api-users.js';
import { t, tn } from '../../i18n.js';
import { Problem, Waiting, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, html } from '../ui.js';

const AT_ONCE = 50;
const OFFERED = 6;
const TYPING_MS = 250;

/** Name and purpose. @param {{ group?: Group, action: string, busy: boolean, problem: string,
 *   onSave: (given: { name: string, description: string }) => unknown, onBack: () => void }} props */
export function GroupForm({ group, action, busy, problem, onSave, onBack }) {
  const [name, setName] = useState(group?.name ?? '');
  const [description, setDescription] = useState(group?.description ?? '');
  const [checked, setChecked] = useState(false);
  const missing = !name.trim();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setChecked(true);
    if (!missing) void onSave({ name: name.trim(), description: description.trim() });
  };
  return html`
    <form class="dialog-form" onSubmit=${submit} novalidate>
      <${Problem} text=${problem} />
      <${Field} label=${t('groups.name')} value=${name} onInput=${setName} error=${checked && missing ? t('groups.nameMissing') : ''}
        input=${{ autocomplete: 'off', maxlength: 80 }} />
      <${Field} label=${t('groups.description')} value=${description} onInput=${setDescription} input=${{ autocomplete: 'off', maxlength: 300 }} />
      <div class="actions">
        <button type="button" class="button" onClick=${onBack}>${group ? t('groups.back') : t('app.cancel')}</button>
        <button type="submit" class="button primary" disabled=${busy}>${action}</button>
      </div>
    </form>`;
}

/** @param {{ member: Member, action: string, label: string, busy: boolean, onDo: () => void }} props */
function Person({ member, action, label, busy, onDo }) {
  return html`
    <li>
      <div class="timeline-words"><strong>${member.name || member.email}</strong>
        <span class="quiet-text">${member.email}${member.state !== 'active' && ` · ${t(`userState.${member.state}`)}`}</span></div>
      <button type="button" class="button small" disabled=${busy} aria-label=${label} onClick=${onDo}>${action}</button>
    </li>`;
}

/** Members who are not in it yet, found by name or address. @param {{ inside: ReadonlySet<string>, busy: boolean, onAdd: (member: Member) => void }} props */
function AddSomebody({ inside, busy, onAdd }) {
  const [search, setSearch] = useState('');
  const [found, setFound] = useState(/** @type {Member[]} */ ([]));
  const [asked, setAsked] = useState('');
  const { problem, act } = useAct();
  const wanted = search.trim();
  useEffect(() => {
    if (!wanted) return undefined;
    let late = false;
    const timer = setTimeout(() => void act(async () => {
      // Some of them may be in it already.
      const { users } = await members({ search: wanted, limit: AT_ONCE });
      if (late) return;
      setFound(users);
      setAsked(wanted);
    }), TYPING_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [wanted]);
  const offered = wanted ? found.filter(({ id, state }) => !inside.has(id) && state !== 'being_erased').slice(0, OFFERED) : [];
  return html`
    <section class="dialog-form" aria-label=${t('groups.addTitle')}>
      <${Field} label=${t('groups.addSearch')} value=${search} onInput=${setSearch}
        input=${{ type: 'search', autocomplete: 'off', autocapitalize: 'none', spellcheck: false }} />
      <${Problem} text=${problem} />
      <div role="status">${wanted && asked === wanted && offered.length === 0 && html`<p class="quiet-text">${t('groups.addNobody', { search: wanted })}</p>`}</div>
      ${offered.length > 0 && html`
        <ul class="timeline group-people">${offered.map((member) => html`
          <${Person} key=${member.id} member=${member} busy=${busy} action=${t('groups.add')}
            label=${t('groups.addOf', { name: member.name || member.email })} onDo=${() => onAdd(member)} />`)}</ul>`}
    </section>`;
}

/** @param {{ group: Group, onChanged: () => void }} props */
function People({ group, onChanged }) {
  const [people, setPeople] = useState(/** @type {Member[] | null} */ (null));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [count, setCount] = useState(group.people);
  const { busy, problem, act } = useAct();
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const read = async (/** @type {Member[]} */ before, /** @type {string} */ after = '') => {
    const found = await api.wholeGroup(group.id, { after, limit: AT_ONCE });
    setPeople([...before, ...found.members]);
    setNext(found.next);
    setCount(found.people);
  };
  useEffect(() => void act(() => read([])), []);
  const change = (/** @type {() => Promise<unknown>} */ work, /** @type {string} */ words) => void act(async () => {
    await work();
    toast(words);
    await read([]);
    // The button that was pressed is gone with its row.
    heading.current?.focus();
    onChanged();
  });
  const name = (/** @type {Member} */ member) => member.name || member.email;
  if (!people) return html`<${Waiting} problem=${problem} />`;
  const inside = new Set(people.map(({ id }) => id));
  return html`
    <${Problem} text=${problem} />
    <${AddSomebody} inside=${inside} busy=${busy}
      onAdd=${(/** @type {Member} */ member) => change(() => api.joinGroup(group.id, member.id), t('groups.added', { name: name(member) }))} />
    <h3 ref=${heading} tabindex="-1">${tn('groups.count', count)}</h3>
    ${people.length === 0 && html`<p class="empty">${t('groups.empty')}</p>`}
    ${people.length > 0 && html`
      <ul class="timeline group-people">${people.map((member) => html`
        <${Person} key=${member.id} member=${member} busy=${busy} action=${t('groups.remove')} label=${t('groups.removeOf', { name: name(member) })}
          onDo=${() => change(() => api.leaveGroup(group.id, member.id), t('groups.removed', { name: name(member) }))} />`)}</ul>`}
    ${next && html`<div class="actions"><button type="button" class="button small" disabled=${busy} onClick=${() => void act(() => read(people, next))}>${t('groups.more')}</button></div>`}`;
}

/** @param {{ group: Group, onChanged: () => void, onClose: () => void }} props */
export function ManageGroup({ group: given, onChanged, onClose }) {
  const [group, setGroup] = useState(given);
  const [step, setStep] = useState(/** @type {'people' | 'change' | 'delete'} */ ('people'));
  const { busy, problem, act } = useAct();
  const back = () => setStep('people');
  const save = (/** @type {{ name: string, description: string }} */ wanted) => act(async () => {
    setGroup(await api.changeGroup(group.id, wanted));
    toast(t('groups.changed'));
    onChanged();
    back();
  });
  const remove = () => void act(async () => {
    await api.deleteGroup(group.id);
    toast(t('groups.deleted', { name: group.name }));
    onChanged();
    onClose();
  });
  return html`
    <${Dialog} key=${step} class="wide" title=${step === 'delete' ? t('groups.deleteTitle', { name: group.name }) : group.name} onClose=${onClose}>
      ${step === 'people' && html`
        ${group.description && html`<p class="quiet-text">${group.description}</p>`}
        <${People} group=${group} onChanged=${onChanged} />
        <div class="actions">
          <button type="button" class="button danger-quiet" onClick=${() => setStep('delete')}>${t('groups.delete')}…</button>
          <button type="button" class="button" onClick=${() => setStep('change')}>${t('groups.change')}…</button>
        </div>`}
      ${step === 'change' && html`<${GroupForm} group=${group} action=${t('app.save')} busy=${busy} problem=${problem} onSave=${save} onBack=${back} />`}
      ${step === 'delete' && html`
        <div class="dialog-form">
          <p>${t('groups.deletePlan')}</p>
          <${Problem} text=${problem} />
          <div class="actions">
            <button type="button" class="button" onClick=${back}>${t('groups.back')}</button>
            <button type="button" class="button danger" disabled=${busy} onClick=${remove}>${t('groups.delete')}</button>
          </div>
        </div>`}
    </${Dialog}>`;
}
