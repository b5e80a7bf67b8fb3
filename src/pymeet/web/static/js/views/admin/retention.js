// How long each kind of data is kept, what will change, and whether the sweeper does its work.

/** @import { RetentionClass, SweeperState } from '../../api-admin.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-admin.js';
import { momentOf, numberOf, t } from '../../i18n.js';
import { Waiting, useLoaded } from '../act.js';
import { Field, Note, html } from '../ui.js';
import { Table, periodWords } from './parts.js';

const DOUBTS = /** @type {const} */ (['too_early', 'older_than_data', 'no_mark', 'backwards', 'stepped', 'all_would_go']);

/** @param {string} why */
function doubtWords(why) {
  const known = DOUBTS.find((doubt) => doubt === why);
  return known ? t(`doubt.${known}`) : why;
}

/** @param {{ sweeper: SweeperState }} props */
function Sweeper({ sweeper }) {
  return html`
    ${sweeper.refused.length > 0 && html`
      <${Note} tone="danger" icon="circle-alert"><p>${t('retention.refused')}</p><ul>${sweeper.refused.map((why) => html`<li>${doubtWords(why)}</li>`)}</ul></${Note}>`}
    <dl class="facts-row">
      <div><dt>${t('retention.last')}</dt><dd>${sweeper.last ? momentOf(sweeper.last) : t('retention.notYet')}</dd></div>
      <div><dt>${t('retention.next')}</dt><dd>${sweeper.next ? momentOf(sweeper.next) : t('retention.notYet')}</dd></div>
      <div><dt>${t('retention.waiting')}</dt><dd>${numberOf(sweeper.waiting)}</dd></div>
    </dl>`;
}

/** @param {{ kind: RetentionClass }} props */
function Row({ kind }) {
  return html`
    <tr>
      <th scope="row"><span class="kept-title">${kind.title}</span> <code>${kind.name}</code></th>
      <td data-label=${t('retention.period')}>${periodWords(kind.period)}</td>
      <td data-label=${t('retention.coming')}>${kind.coming
        ? html`<span>${periodWords(kind.coming.period)}</span><span class="mark soon">${t('retention.from', { moment: momentOf(kind.coming.from) })}</span>`
        : html`<span class="quiet-text">${t('retention.noChange')}</span>`}</td>
      <td data-label=${t('retention.due')}>${numberOf(kind.due)}</td>
    </tr>`;
}

export function Retention() {
  const { value, problem } = useLoaded(api.retention);
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const classes = value?.classes.filter(({ name, title }) => `${name} ${title}`.toLowerCase().includes(wanted));
  return html`
    <section class="admin-part" aria-labelledby="retention-title">
      <div><h2 id="retention-title">${t('admin.tab.retention')}</h2><p class="quiet-text">${t('retention.lead')}</p></div>
      ${!value && html`<${Waiting} problem=${problem} />`}
      ${value && html`<${Sweeper} sweeper=${value.sweeper} />`}
      ${value && html`<div class="find"><${Field} label=${t('admin.search')} value=${search} onInput=${setSearch} input=${{ autocomplete: 'off', type: 'search' }} /></div>`}
      ${classes?.length === 0 && html`<p class="empty">${t('admin.noMatch')}</p>`}
      ${classes && classes.length > 0 && html`
        <${Table} class="periods" label=${t('admin.tab.retention')} columns=${[t('admin.kind'), t('retention.period'), t('retention.coming'), t('retention.due')]}>
          ${classes.map((kind) => html`<${Row} key=${kind.name} kind=${kind} />`)}
        </${Table}>`}
    </section>`;
}
