// Inviting a whole group to a meeting that is planned already. Whoever is in no group sees nothing of it.

import { useState } from '../../../vendor/preact-hooks.js';
import { inviteGroup } from '../../api-meetings.js';
import { t, tn } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { toast } from '../toast.js';
import { html } from '../ui.js';
import { Choice } from '../schedule/parts.js';
import { WhoIsIn, useOwnGroups, withCount } from './choice.js';

/** @param {{ id: string, onInvited: () => unknown }} props the id of the meeting */
export function InviteGroup({ id, onInvited }) {
  const groups = useOwnGroups();
  const [group, setGroup] = useState('');
  const { busy, problem, act } = useAct();
  if (groups.length === 0) return null;
  const chosen = group || groups[0].id;
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const done = await act(async () => {
      const { invitees } = await inviteGroup(id, chosen);
      toast(invitees.length ? tn('groups.invited', invitees.length) : t('groups.invitedNone'));
    });
    if (done) void onInvited();
  };
  return html`
    <form class="schedule-form" onSubmit=${send}>
      <${Choice} label=${t('groups.invite')} value=${chosen} onInput=${setGroup}>
        ${groups.map((each) => html`<option value=${each.id} selected=${each.id === chosen}>${withCount(each)}</option>`)}
      </${Choice}>
      <${WhoIsIn} id=${chosen} />
      <${Problem} text=${problem} />
      <div class="actions"><button type="submit" class="button" disabled=${busy}>${t('groups.inviteDo')}</button></div>
    </form>`;
}
