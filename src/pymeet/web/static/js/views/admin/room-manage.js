// What an administrator does with one room. Each action says what it does before it can be done.

/** @import { ListedRoom } from '../../api-server.js' */
/** @import { Member } from '../../api-users.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api.js';
import { handOver } from '../../api-server.js';
import { members } from '../../api-users.js';
import { t, tn } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { RoomSettings } from '../room-settings.js';
import { Dialog, Field, html } from '../ui.js';
import { Radios } from './parts.js';

const ACTIONS = /** @type {const} */ (['settings', 'owner', 'delete']);
const NOBODY = 'nobody';
const OFFERED = 8;
const TYPING_MS = 250;

/** @typedef {{ room: ListedRoom, onDone: (words: string) => void, onBack: () => void }} StepProps */

/** @param {StepProps} props */
function Owner({ room, onDone, onBack }) {
  const [search, setSearch] = useState('');
  const [found, setFound] = useState(/** @type {Member[]} */ ([]));
  const [chosen, setChosen] = useState('');
  const { busy, problem, act } = useAct();
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => void act(async () => {
      const { users } = await members({ search: search.trim(), limit: OFFERED });
      if (current) setFound(users.filter(({ id, state }) => state === 'active' && id !== room.owner?.id));
    }), TYPING_MS);
    return () => { current = false; clearTimeout(timer); };
  }, [search]);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => {
      const changed = await handOver(room.slug, chosen === NOBODY ? null : chosen);
      onDone(changed.owner ? t('owner.done', { room: room.name, name: changed.owner.name || changed.owner.email }) : t('owner.doneNobody', { room: room.name }));
    });
  };
  const people = found.map((member) => /** @type {const} */ ([member.id, member.name ? `${member.name} (${member.email})` : member.email]));
  const nobody = room.owner ? [/** @type {const} */ ([NOBODY, t('owner.nobody')])] : [];
  const options = [...people, ...nobody];
  return html`
    <form class="dialog-form" onSubmit=${submit}>
      <p>${t('owner.text')}</p>
      <${Problem} text=${problem} />
      <${Field} label=${t('owner.find')} value=${search} onInput=${(/** @type {string} */ typed) => { setSearch(typed); setChosen(''); }} hint=${t('owner.findHint')}
        input=${{ type: 'search', autocomplete: 'off', autocapitalize: 'none', spellcheck: false }} />
      <div role="status">${options.length === 0 && search.trim() && html`<p class="quiet-text">${t('members.noMatch', { search: search.trim() })}</p>`}</div>
      ${options.length > 0 && html`<${Radios} label=${t('owner.who')} value=${chosen} onChange=${setChosen} options=${options} />`}
      <div class="actions">
        <button type="button" class="button" onClick=${onBack}>${t('members.backTo')}</button>
        <button type="submit" class="button primary" disabled=${busy || !options.some(([id]) => id === chosen)}>${t('owner.do')}</button>
      </div>
    </form>`;
}

/** @param {StepProps} props */
function Delete({ room, onDone, onBack }) {
  const { busy, problem, act } = useAct();
  const run = () => void act(async () => {
    await api.deleteRoom(room.slug);
    onDone(t('rooms.deleted', { name: room.name }));
  });
  return html`
    <div class="dialog-form">
      <p>${t('rooms.deletePlan')}</p>
      ${room.people > 0 && html`<p>${tn('rooms.deleteInside', room.people)}</p>`}
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onBack}>${t('members.backTo')}</button>
        <button type="button" class="button danger" disabled=${busy} onClick=${run}>${t('rooms.deleteDo')}</button>
      </div>
    </div>`;
}

/** @param {{ room: ListedRoom, onDone: (words: string) => void, onClose: () => void }} props */
export function ManageRoom({ room, onDone, onClose }) {
  const [step, setStep] = useState(/** @type {typeof ACTIONS[number] | null} */ (null));
  if (step === 'settings') {
    return html`<${RoomSettings} key="settings" slug=${room.slug} name=${room.name} onSaved=${() => onDone(t('roomSettings.saved'))} onClose=${onClose} />`;
  }
  const titles = { owner: t('owner.title', { name: room.name }), delete: t('rooms.deleteTitle', { name: room.name }) };
  const props = { room, onDone, onBack: () => setStep(null) };
  return html`
    <${Dialog} key=${step ?? 'choices'} title=${step ? titles[step] : room.name} onClose=${onClose}>
      ${step === 'owner' && html`<${Owner} ...${props} />`}
      ${step === 'delete' && html`<${Delete} ...${props} />`}
      ${step === null && html`
        <p class="quiet-text">${room.slug} · ${room.owner ? room.owner.name || room.owner.email : t('allRooms.nobody')}</p>
        <ul class="choice-list">
          ${ACTIONS.map((action) => html`
            <li key=${action}>
              <button type="button" class=${action === 'delete' ? 'choice danger-quiet' : 'choice'} onClick=${() => setStep(action)}>
                <strong>${t(`roomAction.${action}`)}…</strong><span class="quiet-text">${t(`roomHint.${action}`)}</span></button>
            </li>`)}
        </ul>`}
    </${Dialog}>`;
}
