// Naming groups where somebody is invited, or something is shared. Whoever is in no group sees nothing of it.

/** @import { Group, OwnGroup } from '../../api-groups.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import { ownGroup, ownGroups } from '../../api-groups.js';
import { t, tn } from '../../i18n.js';
import { ApiError } from '../../api.js';
import { html } from '../ui.js';

/** So many names are told before the others are counted. */
const NAMES = 6;

/** The groups one is in: empty until they are known, or when they cannot be asked for. @returns {Group[]} */
export function useOwnGroups() {
  const [groups, setGroups] = useState(/** @type {Group[]} */ ([]));
  useEffect(() => {
    ownGroups().then(setGroups, (error) => { if (!(error instanceof ApiError)) throw error; });
  }, []);
  return groups;
}

/** @param {Group} group */
export const withCount = (group) => `${group.name} (${tn('groups.count', group.people)})`;

/** Several of them, to be invited. @param {{ chosen: readonly string[], onChange: (chosen: string[]) => void }} props */
export function GroupChoice({ chosen, onChange }) {
  const groups = useOwnGroups();
  if (groups.length === 0) return null;
  const turn = (/** @type {string} */ id) => onChange(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  return html`
    <fieldset class="scope">
      <legend>${t('groups.choice')}</legend>
      ${groups.map((group) => html`
        <label key=${group.id} class="check"><input type="checkbox" checked=${chosen.includes(group.id)} onChange=${() => turn(group.id)} />${withCount(group)}</label>`)}
      <p class="field-hint">${t('groups.choiceHint')}</p>
    </fieldset>`;
}

/** Who is in a group, in a line. @param {{ id: string }} props */
export function WhoIsIn({ id }) {
  const [group, setGroup] = useState(/** @type {OwnGroup | null} */ (null));
  useEffect(() => {
    let late = false;
    setGroup(null);
    ownGroup(id).then((found) => { if (!late) setGroup(found); }, (error) => { if (!(error instanceof ApiError)) throw error; });
    return () => { late = true; };
  }, [id]);
  if (!group || group.members.length === 0) return null;
  const names = group.members.slice(0, NAMES).map(({ name }) => name).join(', ');
  const more = group.members.length - NAMES;
  return html`<p class="field-hint">${more > 0 ? t('groups.whoMore', { names, count: more }) : t('groups.who', { names })}</p>`;
}
