// The audit log: who did what, under pseudonyms, and whether it is as it was written.

/** @import { AuditEvent, Verdict } from '../../api-admin.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-admin.js';
import { momentOf, numberOf, t, tn } from '../../i18n.js';
import { Problem, Waiting, useAct } from '../act.js';
import { Field, Icon, Note, html } from '../ui.js';
import { Table } from './parts.js';

const AT_ONCE = 50;

/** @param {{ verdict: Verdict }} props */
function Result({ verdict }) {
  if (verdict.intact) return html`<${Note} icon="check"><p>${tn('audit.intact', verdict.events)}</p></${Note}>`;
  return html`
    <${Note} tone="danger" icon="circle-alert">
      <p>${t('audit.broken')}</p>
      <ul>${verdict.problems.map(({ what, sequence }) => html`<li>${sequence === null ? what : t('audit.problem', { sequence, what })}</li>`)}</ul>
    </${Note}>`;
}

/** @param {{ event: AuditEvent }} props */
function Row({ event }) {
  const detail = Object.entries(event.detail ?? {});
  return html`
    <tr>
      <th scope="row"><span class="kept-title">${event.action ?? t('audit.redacted')}</span><span class="quiet-text">${t('audit.number', { number: numberOf(event.sequence) })}</span></th>
      <td data-label=${t('audit.at')}>${momentOf(event.at)}</td>
      <td data-label=${t('audit.actor')}><code>${event.actor ?? '–'}</code></td>
      <td data-label=${t('audit.target')}><code>${event.target ?? '–'}</code></td>
      <td data-label=${t('audit.detail')}>${detail.length
        ? html`<ul class="details">${detail.map(([key, value]) => html`<li><span class="quiet-text">${key}</span> ${String(value)}</li>`)}</ul>`
        : html`<span class="quiet-text">–</span>`}</td>
    </tr>`;
}

export function Audit() {
  const [events, setEvents] = useState(/** @type {AuditEvent[] | null} */ (null));
  const [all, setAll] = useState(false);
  const [typed, setTyped] = useState('');
  const [verdict, setVerdict] = useState(/** @type {Verdict | null} */ (null));
  const reading = useAct();
  const verifying = useAct();
  const read = (/** @type {AuditEvent[]} */ before) => reading.act(async () => {
    const { events: more } = await api.audit({ before: before.at(-1)?.sequence, action: typed.trim(), limit: AT_ONCE });
    setEvents([...before, ...more]);
    setAll(more.length < AT_ONCE);
  });
  useEffect(() => { void read([]); }, []);
  const submit = (/** @type {Event} */ event) => { event.preventDefault(); void read([]); };
  const verify = () => void verifying.act(async () => {
    setVerdict(null);
    setVerdict(await api.verifyAudit());
  });
  return html`
    <section class="admin-part" aria-labelledby="audit-title">
      <div class="part-head">
        <div><h2 id="audit-title">${t('admin.tab.audit')}</h2><p class="quiet-text">${t('audit.lead')}</p></div>
        <div class="part-tools"><button type="button" class="button" disabled=${verifying.busy} onClick=${verify}>
          ${verifying.busy && html`<${Icon} name="loader-circle" class="turning" />`}${t(verifying.busy ? 'audit.verifying' : 'audit.verify')}</button></div>
      </div>
      <div role="status">${verdict && html`<${Result} verdict=${verdict} />`}</div>
      <form class="field-row find" role="search" onSubmit=${submit}>
        <${Field} label=${t('audit.filter')} value=${typed} onInput=${setTyped} hint=${t('audit.filterHint')}
          input=${{ autocomplete: 'off', autocapitalize: 'none', spellcheck: false, type: 'search' }} />
        <button type="submit" class="button" disabled=${reading.busy}>${t('audit.filterDo')}</button>
      </form>
      <${Problem} text=${(events && reading.problem) || verifying.problem} />
      ${!events && html`<${Waiting} problem=${reading.problem} />`}
      ${events?.length === 0 && html`<p class="empty">${t('admin.noMatch')}</p>`}
      ${events && events.length > 0 && html`
        <${Table} class="events" label=${t('admin.tab.audit')} columns=${[t('audit.action'), t('audit.at'), t('audit.actor'), t('audit.target'), t('audit.detail')]}>
          ${events.map((event) => html`<${Row} key=${event.sequence} event=${event} />`)}
        </${Table}>`}
      ${events && events.length > 0 && !all && html`
        <div class="actions"><button type="button" class="button" disabled=${reading.busy} onClick=${() => void read(events)}>${t('audit.older')}</button></div>`}
    </section>`;
}
