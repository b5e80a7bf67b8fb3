// The fields that administrators added to everybody's profile; nothing where they added none.

/** @import { FilledField } from '../../api-fields.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { fillOwnFields, ownFields } from '../../api-fields.js';
import { t } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { FieldInputs, changedValues, valuesOf } from '../field-inputs.js';
import { toast } from '../toast.js';
import { html } from '../ui.js';

/** @param {{ fields: FilledField[], reload: () => Promise<unknown> }} props */
function Form({ fields, reload }) {
  const [given, setGiven] = useState(valuesOf(fields));
  const { busy, problem, setProblem, act } = useAct();
  const changed = changedValues(fields, given);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!await act(() => fillOwnFields(changed))) return;
    toast(t('fields.saved'));
    await reload();
  };
  return html`
    <form class="card" onSubmit=${submit} novalidate aria-labelledby="fields-title">
      <div class="card-words">
        <h2 id="fields-title">${t('fields.title')}</h2>
        <p class="quiet-text">${t('fields.text')}</p>
      </div>
      <${Problem} text=${problem} />
      <${FieldInputs} fields=${fields} given=${given} onGiven=${(/** @type {typeof given} */ now) => { setGiven(now); setProblem(''); }} />
      ${fields.some(({ editable }) => editable) && html`
        <div class="actions"><button type="submit" class="button primary" disabled=${busy || Object.keys(changed).length === 0}>${t('app.save')}</button></div>`}
    </form>`;
}

export function AddedFields() {
  const { value, problem, reload } = useLoaded(ownFields);
  if (!value) return problem && html`<section class="card" aria-label=${t('fields.title')}><${Waiting} problem=${problem} /></section>`;
  return value.fields.length > 0 && html`<${Form} key=${JSON.stringify(value)} fields=${value.fields} reload=${reload} />`;
}
