// Of what somebody wants to be told, on the pages and by mail.

/** @import { Settings } from '../../api-notifications.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import { changeSettings, settings } from '../../api-notifications.js';
import { hasWords, lengthOf, t } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { Select } from '../admin/parts.js';
import { toast } from '../toast.js';
import { html } from '../ui.js';

const MINUTES = [5, 10, 15, 30, 60, 120, 1440];
const WAYS = /** @type {const} */ ([['in_app', 'wish.inApp'], ['mail', 'wish.mail']]);

/** @param {number} minutes */
const lengthWords = (minutes) => (minutes % 1440 === 0 ? lengthOf(minutes / 1440, 'day') : minutes % 60 === 0 ? lengthOf(minutes / 60, 'hour') : lengthOf(minutes, 'minute'));

/** @param {{ before: Settings, mail: boolean, reload: () => Promise<unknown> }} props */
function Form({ before, mail, reload }) {
  const [wanted, setWanted] = useState(before);
  const { busy, problem, setProblem, act } = useAct();
  const set = (/** @type {Partial<Settings>} */ change) => { setWanted({ ...wanted, ...change }); setProblem(''); };
  const choose = (/** @type {string} */ kind, /** @type {'in_app' | 'mail'} */ way, /** @type {boolean} */ on) =>
    set({ kinds: { ...wanted.kinds, [kind]: { ...wanted.kinds[kind], [way]: on } } });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const meetings = ['meeting_invited', 'meeting_changed', 'meeting_cancelled'].some((kind) => wanted.kinds[kind]?.mail);
    if (await act(() => changeSettings({ ...wanted, mail: meetings }))) {
      toast(t('wish.saved'));
      await reload();
    }
  };
  const ways = WAYS.filter(([way]) => mail || way === 'in_app');
  const lengths = [...new Set([...MINUTES, ...(before.reminder_min ? [before.reminder_min] : [])])].sort((a, b) => a - b);
  const changed = JSON.stringify(wanted) !== JSON.stringify(before);
  return html`
    <form class="wishes" onSubmit=${submit}>
      <table aria-labelledby="notifications-title">
        <thead><tr><th scope="col">${t('wish.what')}</th>${ways.map(([, words]) => html`<th scope="col">${t(words)}</th>`)}</tr></thead>
        <tbody>
          ${Object.entries(wanted.kinds).map(([kind, choice]) => {
            const key = /** @type {import('../../i18n.js').Key} */ (`wish.kind.${kind}`);
            const what = hasWords(key) ? t(key) : kind;
            return html`
              <tr key=${kind}><th scope="row">${what}</th>
                ${ways.map(([way, words]) => html`
                  <td>${choice[way] !== undefined && html`
                    <label class="check"><input type="checkbox" checked=${choice[way]} aria-label=${t('wish.of', { what, way: t(words) })}
                      onChange=${(/** @type {any} */ event) => choose(kind, way, event.target.checked)} /></label>`}</td>`)}
              </tr>`;
          })}
        </tbody>
      </table>
      ${mail && html`
        <${Select} label=${t('wish.reminder')} value=${String(wanted.reminder_min ?? '')} onChange=${(/** @type {string} */ value) => set({ reminder_min: value ? Number(value) : null })}
          options=${[['', t('wish.noReminder')], ...lengths.map((minutes) => [String(minutes), lengthWords(minutes)])]} />`}
      <${Problem} text=${problem} />
      <div class="actions"><button type="submit" class="button primary" disabled=${busy || !changed}>${t('app.save')}</button></div>
    </form>`;
}

/** @param {{ mail: boolean }} props whether this server sends mail */
export function NotificationWishes({ mail }) {
  const { value, problem, reload } = useLoaded(settings);
  // The page is drawn after the browser looked for where its address points to.
  useEffect(() => { if (value && location.hash === '#notifications') document.getElementById('notifications')?.scrollIntoView(); }, [value === null]);
  return html`
    <section class="card" id="notifications" aria-labelledby="notifications-title">
      <div class="card-words">
        <h2 id="notifications-title">${t('wish.title')}</h2>
        <p class="quiet-text">${t(mail ? 'wish.text' : 'wish.textNoMail')}</p>
      </div>
      ${value ? html`<${Form} key=${JSON.stringify(value)} before=${value} mail=${mail} reload=${reload} />` : html`<${Waiting} problem=${problem} />`}
    </section>`;
}
