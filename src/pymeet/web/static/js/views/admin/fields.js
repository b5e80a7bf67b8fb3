// The fields that everybody has on their profile: what is asked, in which order, and who answers.

/** @import { ProfileField } from '../../api-fields.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-fields.js';
import { t, tn } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, Icon, html } from '../ui.js';
import { Radios, Select } from './parts.js';

/** @typedef {{ label: string, editable: boolean, place: number }} Given */

/** @param {{ field?: ProfileField, place?: number, places?: number, action: string, busy: boolean, problem: string,
 *   onSave: (given: Given) => unknown, onBack: () => void, children?: any }} props */
function FieldForm({ field, place: before = 1, places = 1, action, busy, problem, onSave, onBack, children }) {
  const [label, setLabel] = useState(field?.label ?? '');
  const [who, setWho] = useState(field && !field.editable ? 'admins' : 'members');
  const [place, setPlace] = useState(String(before));
  const [checked, setChecked] = useState(false);
  const missing = !label.trim();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setChecked(true);
    if (!missing) void onSave({ label: label.trim(), editable: who === 'members', place: Number(place) });
  };
  return html`
    <form class="dialog-form" onSubmit=${submit} novalidate>
      <${Problem} text=${problem} />
      <${Field} label=${t('fields.label')} value=${label} onInput=${setLabel} error=${checked && missing ? t('fields.labelMissing') : ''}
        input=${{ autocomplete: 'off', maxlength: 60 }} />
      <${Radios} label=${t('fields.who')} value=${who} onChange=${setWho} options=${[['members', t('fields.whoMembers')], ['admins', t('fields.whoAdmins')]]} />
      ${places > 1 && html`
        <${Select} label=${t('fields.place')} value=${place} onChange=${setPlace}
          options=${Array.from({ length: places }, (_, index) => [String(index + 1), String(index + 1)])} />`}
      <div class="actions">
        ${children}
        <button type="button" class="button" onClick=${onBack}>${t('fields.back')}</button>
        <button type="submit" class="button primary" disabled=${busy}>${action}</button>
      </div>
    </form>`;
}

/** @param {{ field: ProfileField, onChange: () => void }} props */
function Row({ field, onChange }) {
  return html`
    <li>
      <div class="timeline-words"><strong>${field.label}</strong>
        <span class="quiet-text">${t(field.editable ? 'fields.byMembers' : 'fields.byAdmins')}, ${tn('fields.filled', field.people)}</span></div>
      <button type="button" class="button small" aria-label=${t('fields.changeOf', { label: field.label })} onClick=${onChange}>${t('fields.change')}…</button>
    </li>`;
}

/** @param {{ field: ProfileField, busy: boolean, problem: string, onDelete: () => void, onBack: () => void }} props */
function Delete({ field, busy, problem, onDelete, onBack }) {
  return html`
    <div class="dialog-form">
      <p>${field.people ? tn('fields.deletePlan', field.people) : t('fields.deletePlanEmpty')}</p>
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onBack}>${t('fields.back')}</button>
        <button type="button" class="button danger" disabled=${busy} onClick=${onDelete}>${t('fields.delete')}</button>
      </div>
    </div>`;
}

/** @param {{ onClose: () => void }} props */
export function ProfileFields({ onClose }) {
  const { value, problem: missing, reload } = useLoaded(api.profileFields);
  const [step, setStep] = useState(/** @type {'list' | 'add' | 'change' | 'delete'} */ ('list'));
  const [id, setId] = useState('');
  const { busy, problem, setProblem, act } = useAct();
  const fields = value?.fields ?? [];
  const field = fields.find((each) => each.id === id);
  const go = (/** @type {typeof step} */ next) => { setProblem(''); setStep(next); };
  const back = () => go('list');
  const carryOut = (/** @type {() => Promise<unknown>} */ work, /** @type {string} */ words) => void act(async () => {
    await work();
    await reload();
    toast(words);
    back();
  });
  const save = (/** @type {Given} */ given) => {
    if (field) carryOut(() => api.changeField(field.id, given), t('fields.changed'));
    else carryOut(() => api.addField({ label: given.label, editable: given.editable }), t('fields.added', { label: given.label }));
  };
  const titles = { list: t('fields.manage'), add: t('fields.addTitle'), change: '', delete: '' };
  if (field) Object.assign(titles, { change: t('fields.changeTitle', { label: field.label }), delete: t('fields.deleteTitle', { label: field.label }) });
  const props = { busy, problem, onBack: back };
  return html`
    <${Dialog} key=${step} class="wide" title=${titles[step]} onClose=${onClose}>
      ${step === 'list' && html`
        <p class="quiet-text">${t('fields.lead')}</p>
        ${!value && html`<${Waiting} problem=${missing} />`}
        ${value && fields.length === 0 && html`<p class="empty">${t('fields.none')}</p>`}
        ${fields.length > 0 && html`
          <ol class="timeline group-people">${fields.map((each) => html`<${Row} key=${each.id} field=${each} onChange=${() => { setId(each.id); go('change'); }} />`)}</ol>`}
        ${value && html`<div class="actions"><button type="button" class="button primary" onClick=${() => { setId(''); go('add'); }}><${Icon} name="plus" />${t('fields.add')}</button></div>`}`}
      ${step === 'add' && html`<${FieldForm} ...${props} action=${t('fields.addDo')} onSave=${save} />`}
      ${step === 'change' && field && html`
        <${FieldForm} ...${props} field=${field} place=${fields.indexOf(field) + 1} places=${fields.length} action=${t('app.save')} onSave=${save}>
          <button type="button" class="button danger-quiet" onClick=${() => go('delete')}>${t('fields.delete')}…</button></${FieldForm}>`}
      ${step === 'delete' && field && html`
        <${Delete} ...${props} field=${field} onDelete=${() => carryOut(() => api.deleteField(field.id), t('fields.deleted', { label: field.label }))} />`}
    </${Dialog}>`;
}
