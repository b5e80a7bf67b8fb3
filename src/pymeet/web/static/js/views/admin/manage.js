// What an administrator does with one account. Each action says what it does before it can be done.

/** @import { Member, RoleName, Sent } from '../../api-users.js' */
/** @import { UserAction } from '../../models/users.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-users.js';
import { chosenLanguage, dateOf, t } from '../../i18n.js';
import { actionsFor } from '../../models/users.js';
import { Problem, useAct } from '../act.js';
import { Dialog, html } from '../ui.js';
import { AccessOf } from './access.js';
import { Erase } from './erase.js';
import { FieldsOf } from './fields-of.js';
import { HandOver, ROLES } from './invite.js';
import { Radios } from './parts.js';

const DANGEROUS = /** @type {readonly UserAction[]} */ (['disable', 'remove_second_factor']);

/** @typedef {Exclude<UserAction, 'fields' | 'access' | 'role' | 'erase'>} PlainAction */

/** @param {PlainAction} action @param {Member} member @returns {Promise<Sent | null>} */
function carryOut(action, member) {
  if (action === 'disable') return api.disable(member.id);
  if (action === 'enable') return api.enable(member.id);
  if (action === 'remove_second_factor') return api.removeSecondFactor(member.id);
  if (action === 'reset') return api.resetPassword(member.id);
  const { email, name, role } = member;
  return api.invite({ email, name, role, language: chosenLanguage() });
}

/** @typedef {{ member: Member, onDone: (words: string) => void, onClose: () => void, onBack: () => void }} StepProps */

/** @param {StepProps & { action: PlainAction }} props */
function Confirm({ member, action, onDone, onClose, onBack }) {
  const [link, setLink] = useState('');
  const { busy, problem, act } = useAct();
  const name = member.name || member.email;
  const run = () => void act(async () => {
    const sent = await carryOut(action, member);
    if (sent?.link) setLink(sent.link);
    else onDone(t(`userDone.${action}`, { name }));
  });
  if (link) return html`<${HandOver} text=${t('invite.linkText', { name })} link=${link} onClose=${onClose} />`;
  return html`
    <div class="dialog-form">
      <p>${t(`userPlan.${action}`, { name })}</p>
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onBack}>${t('members.backTo')}</button>
        <button type="button" class=${DANGEROUS.includes(action) ? 'button danger' : 'button primary'} disabled=${busy} onClick=${run}>${t(`userDo.${action}`)}</button>
      </div>
    </div>`;
}

/** @param {StepProps} props */
function ChangeRole({ member, onDone, onBack }) {
  const [role, setRole] = useState(/** @type {string} */ (member.role));
  const { busy, problem, act } = useAct();
  const name = member.name || member.email;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => {
      await api.setRole(member.id, /** @type {RoleName} */ (role));
      onDone(t('userDone.role', { name }));
    });
  };
  return html`
    <form class="dialog-form" onSubmit=${submit}>
      <${Problem} text=${problem} />
      <${Radios} label=${t('members.role')} value=${role} onChange=${setRole} options=${ROLES.map((each) => [each, `${t(`role.${each}`)}: ${t(`roleText.${each}`)}`])} />
      <p class="quiet-text">${t('userPlan.role')}</p>
      <div class="actions">
        <button type="button" class="button" onClick=${onBack}>${t('members.backTo')}</button>
        <button type="submit" class="button primary" disabled=${busy || role === member.role}>${t('app.save')}</button>
      </div>
    </form>`;
}

/** @param {{ member: Member, self: string, onChoose: (action: UserAction) => void }} props */
function Choices({ member, self, onChoose }) {
  const actions = actionsFor(member, self);
  return html`
    <p class="quiet-text">${member.email} · ${t(`role.${member.role}`)} · ${t(`userState.${member.state}`)} · ${t('rooms.since', { date: dateOf(member.created_at) })}</p>
    ${actions.length === 0 && html`<p>${t('members.nothingToDo')}</p>`}
    <ul class="choice-list">
      ${actions.map((action) => html`
        <li key=${action}>
          <button type="button" class=${action === 'erase' ? 'choice danger-quiet' : 'choice'} onClick=${() => onChoose(action)}>
            <strong>${t(`userAction.${action}`)}…</strong><span class="quiet-text">${t(`userHint.${action}`)}</span></button>
        </li>`)}
    </ul>`;
}

/** @param {{ member: Member, self: string, onDone: (words: string) => void, onClose: () => void }} props */
export function Manage({ member, self, onDone, onClose }) {
  const [step, setStep] = useState(/** @type {UserAction | null} */ (null));
  const name = member.name || member.email;
  if (step === 'erase') {
    return html`<${Erase} key="erase" person=${{ id: member.id, name }} onClose=${onClose} onDone=${() => onDone(t('admin.erasing'))} />`;
  }
  const props = { member, onDone, onClose, onBack: () => setStep(null) };
  return html`
    <${Dialog} key=${step ?? 'choices'} title=${step ? t(`userTitle.${step}`, { name }) : name} onClose=${onClose}>
      ${step === null && html`<${Choices} member=${member} self=${self} onChoose=${setStep} />`}
      ${step === 'role' && html`<${ChangeRole} ...${props} />`}
      ${step === 'fields' && html`<${FieldsOf} ...${props} />`}
      ${step === 'access' && html`<${AccessOf} member=${member} onBack=${props.onBack} />`}
      ${step && step !== 'role' && step !== 'fields' && step !== 'access' && html`<${Confirm} ...${props} action=${step} />`}
    </${Dialog}>`;
}
