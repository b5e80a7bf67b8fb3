// Erasing somebody for them: what goes, and when, before the button does anything.

/** @import { ErasurePlan, FoundPerson } from '../../api-admin.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-admin.js';
import { momentOf, numberOf, t, tn } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { Dialog, Icon, html } from '../ui.js';
import { Radios, Table } from './parts.js';

const ORDER = /** @type {const} */ (['delete', 'anonymise', 'keep']);

/** What is deleted comes first, then what only loses the person. @param {ErasurePlan['tables']} tables */
const inOrder = (tables) => [...tables].sort((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action) || b.rows - a.rows);

/** @param {{ plan: ErasurePlan }} props */
function Plan({ plan }) {
  return html`
    <div class="plan-scroll" role="region" tabindex="0" aria-label=${t('admin.plan')}><${Table} class="planned" label=${t('admin.plan')} columns=${[t('admin.kind'), t('admin.rows'), t('admin.what')]}>
      ${inOrder(plan.tables).map((each) => html`
        <tr key=${each.name}><th scope="row">${each.title}</th><td data-label=${t('admin.rows')}>${numberOf(each.rows)}</td>
          <td data-label=${t('admin.what')}>${t(`plan.${each.action}`)}</td></tr>`)}
    </${Table}></div>
    ${plan.rooms > 0 && html`<p>${tn('plan.rooms', plan.rooms)}</p>`}
    ${plan.held > 0 && html`<p class="mark soon"><${Icon} name="circle-alert" />${tn('plan.held', plan.held)}</p>`}`;
}

/** @param {{ person: Pick<FoundPerson, 'id' | 'name'>, onDone: () => void, onClose: () => void }} props */
export function Erase({ person, onDone, onClose }) {
  const { value: plan, problem } = useLoaded(() => api.erasurePlan(person.id));
  const [when, setWhen] = useState('later');
  const erasing = useAct();
  const erase = () => void erasing.act(async () => {
    await api.erasePerson(person.id, when === 'now');
    onDone();
  });
  const options = plan && [['later', t('admin.eraseLater', { moment: momentOf(plan.erased_after) })], ['now', t('admin.eraseNow')]];
  return html`
    <${Dialog} title=${t('admin.eraseTitle', { name: person.name ?? person.id })} onClose=${onClose} class="wide">
      <p>${t('admin.eraseText')}</p>
      ${plan ? html`<${Plan} plan=${plan} />` : html`<${Waiting} problem=${problem} />`}
      ${options && html`<${Radios} label=${t('admin.when')} value=${when} onChange=${setWhen} options=${options} />`}
      <${Problem} text=${erasing.problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="button" class="button danger" disabled=${!plan || erasing.busy} onClick=${erase}>${t('admin.eraseDo')}</button>
      </div>
    </${Dialog}>`;
}
