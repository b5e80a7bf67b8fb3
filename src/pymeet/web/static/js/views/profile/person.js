// Name, language, time zone and theme: what the pages and the mails to this person go by.

/** @import { User } from '../../api.js' */
import { useId, useState } from '../../../vendor/preact-hooks.js';
import { changeProfile } from '../../api-accounts.js';
import { t } from '../../i18n.js';
import { THEMES } from '../../models/choices.js';
import { knownZones, regionsOf, zoneHere } from '../../models/time-zones.js';
import { Problem, useAct } from '../act.js';
import { Select } from '../admin/parts.js';
import { adopt } from '../signed-in.js';
import { toast } from '../toast.js';
import { Field, html } from '../ui.js';

/** Each in its own words, so that everybody finds theirs. */
const LANGUAGES = /** @type {const} */ ([['de', 'Deutsch'], ['en', 'English']]);

/** @param {{ value: string, onChange: (value: string) => void }} props */
function ZoneMenu({ value, onChange }) {
  const id = useId();
  const here = zoneHere();
  return html`
    <div class="field">
      <label for=${id}>${t('profile.zone')}</label>
      <select id=${id} value=${value} aria-describedby=${`${id}-note`} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
        <option value="">${t('profile.noZone')}</option>
        ${regionsOf(knownZones([value, here])).map(({ region, zones }) => html`
          <optgroup label=${region}>${zones.map((zone) => html`<option value=${zone.id}>${zone.city}</option>`)}</optgroup>`)}
      </select>
      <p id=${`${id}-note`} class="field-hint">${t('profile.zoneHint')}
        ${value !== here && html` <button type="button" class="text-button" onClick=${() => onChange(here)}>${t('profile.zoneHere', { zone: here })}</button>`}</p>
    </div>`;
}

/** @param {{ user: User, reload: () => Promise<unknown> }} props */
export function PersonForm({ user, reload }) {
  const before = { name: user.name, language: user.language ?? '', zone: user.time_zone ?? '', theme: user.theme ?? 'system' };
  const [given, setGiven] = useState(before);
  const { busy, problem, setProblem, act } = useAct();
  const set = (/** @type {keyof typeof before} */ key) => (/** @type {string} */ value) => { setGiven({ ...given, [key]: value }); setProblem(''); };
  const changed = /** @type {(keyof typeof before)[]} */ (Object.keys(before)).some((key) => given[key].trim() !== before[key]);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const wanted = {
      name: given.name.trim(), language: given.language || null, time_zone: given.zone || null,
      theme: /** @type {import('../../models/choices.js').Theme} */ (given.theme),
    };
    if (!await act(() => changeProfile(wanted))) return;
    adopt(wanted);
    // The words of this page are loaded anew only with the page.
    if (given.language !== before.language) location.reload();
    else {
      await reload();
      toast(t('profile.saved'));
    }
  };
  return html`
    <form class="card" onSubmit=${submit} novalidate aria-labelledby="person-title">
      <h2 id="person-title">${t('profile.you')}</h2>
      <${Problem} text=${problem} />
      <${Field} label=${t('link.name')} value=${given.name} onInput=${set('name')} hint=${t('profile.nameHint')} input=${{ autocomplete: 'name', maxlength: 60 }} />
      <div class="field-pair">
        <${Select} label=${t('profile.language')} value=${given.language} onChange=${set('language')} options=${[['', t('profile.asBrowser')], ...LANGUAGES]} />
        <${Select} label=${t('settings.theme')} value=${given.theme} onChange=${set('theme')} options=${THEMES.map((name) => [name, t(`theme.${name}`)])} />
      </div>
      <${ZoneMenu} value=${given.zone} onChange=${set('zone')} />
      <div class="actions"><button type="submit" class="button primary" disabled=${busy || !changed || !given.name.trim()}>${t('app.save')}</button></div>
    </form>`;
}
