// Finding somebody by e-mail, id or receipt, to answer for them: their archive, their erasure.

/** @import { FoundPerson } from '../../api-admin.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-admin.js';
import { ApiError, call } from '../../api.js';
import { chosenLanguage, numberOf, t } from '../../i18n.js';
import { LOOK_AGAIN_MS } from '../../models/archives.js';
import { Problem, useAct, useLoaded } from '../act.js';
import { toast } from '../toast.js';
import { Field, Icon, html, saveFile } from '../ui.js';
import { Erase } from './erase.js';

const PATIENCE_MS = 10 * 60_000;

/** What people call the kinds of data, by the names of their tables; from the privacy notice. */
async function titles() {
  const notice = await call('GET', '/privacy');
  const groups = /** @type {{ held: { name: string, title: string }[] }[]} */ (notice.groups);
  return Object.fromEntries(groups.flatMap(({ held }) => held.map(({ name, title }) => [name, title])));
}

/** Waits till the archive is made, and hands it out. @param {string} id */
async function archiveOf(id) {
  for (const until = Date.now() + PATIENCE_MS; ;) {
    await new Promise((resolve) => { setTimeout(resolve, LOOK_AGAIN_MS); });
    try {
      return await api.exportFile(id);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'no_such_export' || Date.now() > until) throw error;
    }
  }
}

/** @param {{ person: FoundPerson, names: Record<string, string>, onErased: () => void }} props */
function PersonCard({ person, names, onErased }) {
  const [erasing, setErasing] = useState(false);
  const { busy, problem, act } = useAct();
  const counts = Object.entries(person.counts).sort(([, a], [, b]) => b - a);
  const take = () => void act(async () => {
    const { id } = await api.exportPerson(person.id, chosenLanguage());
    saveFile('pymeet-export.zip', await archiveOf(id));
  });
  return html`
    <article class="card person-card">
      <div>
        <h3>${person.name ?? t('admin.noName')}</h3>
        <p class="quiet-text">${t(`people.${person.kind}`)}${person.email && ` · ${person.email}`} · <code>${person.id}</code></p>
      </div>
      ${counts.length ? html`
        <p class="quiet-text">${t('admin.asRead')}</p>
        <ul class="plan">${counts.map(([name, count]) => html`<li key=${name}><span>${names[name] ?? name}</span><span>${numberOf(count)}</span></li>`)}</ul>`
        : html`<p class="quiet-text">${t('admin.nothingHeld')}</p>`}
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" disabled=${busy} onClick=${take}>
          ${busy && html`<${Icon} name="loader-circle" class="turning" />`}${t(busy ? 'admin.exporting' : 'admin.export')}</button>
        <button type="button" class="button danger-quiet" onClick=${() => setErasing(true)}>${t('admin.erase')}</button>
      </div>
      ${erasing && html`<${Erase} person=${person} onClose=${() => setErasing(false)}
        onDone=${() => { setErasing(false); toast(t('admin.erasing')); onErased(); }} />`}
    </article>`;
}

export function People() {
  const [typed, setTyped] = useState('');
  const [found, setFound] = useState(/** @type {FoundPerson[] | null} */ (null));
  const { value: names, problem: namesProblem } = useLoaded(titles);
  const { busy, problem, act } = useAct();
  const search = () => act(async () => setFound((await api.findPeople(typed.trim())).people));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (typed.trim()) void search();
  };
  const change = (/** @type {string} */ value) => { setTyped(value); setFound(null); };
  return html`
    <section class="admin-part" aria-labelledby="people-title">
      <h2 id="people-title">${t('admin.tab.people')}</h2>
      <form class="field-row find" role="search" onSubmit=${submit} novalidate>
        <${Field} label=${t('admin.find')} value=${typed} onInput=${change} hint=${t('admin.findHint')}
          input=${{ autocomplete: 'off', autocapitalize: 'none', spellcheck: false, type: 'search' }} />
        <button type="submit" class="button primary" disabled=${busy}>${t('admin.findDo')}</button>
      </form>
      <${Problem} text=${problem || namesProblem} />
      <div role="status">${found?.length === 0 && html`<p class="empty">${t('admin.nobody')}</p>`}</div>
      ${found?.map((person) => html`<${PersonCard} key=${person.id} person=${person} names=${names ?? {}} onErased=${() => void search()} />`)}
    </section>`;
}
