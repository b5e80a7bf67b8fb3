// What stands in the profile fields of one person, for an administrator to see and fill in.

/** @import { FilledField } from '../../api-fields.js' */
/** @import { StepProps } from './manage.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { fieldsOf, fillFieldsOf } from '../../api-fields.js';
import { t } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { FieldInputs, changedValues, valuesOf } from '../field-inputs.js';
import { html } from '../ui.js';

/** @param {StepProps & { fields: FilledField[] }} props */
function Form({ member, fields, onDone, onBack }) {
  const [given, setGiven] = useState(valuesOf(fields));
  const { busy, problem, act } = useAct();
  const changed = changedValues(fields, given);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => {
      await fillFieldsOf(member.id, changed);
      onDone(t('userDone.fields', { name: member.name || member.email }));
    });
  };
  return html`
    <form class="dialog-form" onSubmit=${submit} novalidate>
      <${Problem} text=${problem} />
      <${FieldInputs} fields=${fields} given=${given} onGiven=${setGiven} all />
      <div class="actions">
        <button type="button" class="button" onClick=${onBack}>${t('members.backTo')}</button>
        <button type="submit" class="button primary" disabled=${busy || Object.keys(changed).length === 0}>${t('app.save')}</button>
      </div>
    </form>`;
}

/** @param {StepProps} props */
export function FieldsOf(props) {
  const { value, problem } = useLoaded(() => fieldsOf(props.member.id));
  if (value?.fields.length) return html`<${Form} ...${props} fields=${value.fields} />`;
  return html`
    <div class="dialog-form">
      ${value ? html`<p>${t('fields.noneHere')}</p>` : html`<${Waiting} problem=${problem} />`}
      <div class="actions"><button type="button" class="button" onClick=${props.onBack}>${t('members.backTo')}</button></div>
    </div>`;
}
