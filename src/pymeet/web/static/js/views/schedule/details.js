// One meeting in full: when, what about, who comes. Whoever planned it invites more people here, and takes invitations back.

/** @import { Entry, Invitee, Whole } from '../../api-meetings.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { invite, meeting as fetchMeeting, uninvite } from '../../api-meetings.js';
import { t, tn } from '../../i18n.js';
import { addressesIn, tally } from '../../models/schedule.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { ConfirmDialog, Dialog, IconButton, html } from '../ui.js';
import { InviteGroup } from '../groups/invite.js';
import { Lines, whenOf } from './parts.js';

const ANSWERS = /** @type {const} */ (['accepted', 'tentative', 'declined', 'none']);

/** How many said what. @param {readonly Invitee[]} invitees */
const tallyWords = (invitees) => {
  const counts = tally(invitees);
  return ANSWERS.filter((answer) => counts[answer] > 0).map((answer) => tn(/** @type {'meet.count.none'} */ (`meet.count.${answer}`), counts[answer])).join(' · ');
};

/** @param {{ invitee: Invitee, onRemove?: () => void }} props */
function Person({ invitee, onRemove }) {
  const { name, email, answer } = invitee;
  const who = name ?? email ?? '';
  return html`
    <li class="invitee">
      <div class="invitee-words">
        <p>${who}</p>
        <p class="quiet-text">${name && email && html`<span>${email}</span>`}<span>${t(`meet.is.${answer}`)}</span></p>
      </div>
      ${onRemove && html`<${IconButton} icon="x" label=${t('meet.uninviteOf', { who })} class="quiet" onClick=${onRemove} />`}
    </li>`;
}

/** @param {{ id: string, onInvited: () => unknown }} props */
function InviteForm({ id, onInvited }) {
  const [typed, setTyped] = useState('');
  const { busy, problem, act } = useAct();
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    // One after the other: what the server refuses stays in the field, the others are invited.
    let left = addressesIn(typed);
    await act(async () => {
      for (const { email } of left) {
        await invite(id, email);
        left = left.slice(1);
      }
    });
    setTyped(left.map(({ email }) => email).join('\n'));
    void onInvited();
  };
  return html`
    <form class="schedule-form" onSubmit=${send}>
      <${Lines} label=${t('meet.invite')} value=${typed} onInput=${setTyped} hint=${t('meet.inviteHint')} />
      <${Problem} text=${problem} />
      <div class="actions"><button type="submit" class="button" disabled=${busy || !typed.trim()}>${t('meet.inviteDo')}</button></div>
    </form>`;
}

/** @param {{ whole: Whole, reload: () => unknown }} props */
function People({ whole, reload }) {
  const [leaving, setLeaving] = useState(/** @type {Invitee | null} */ (null));
  const { problem, act } = useAct();
  const remove = async (/** @type {Invitee} */ { id = '' }) => { if (await act(() => uninvite(whole.id, id))) void reload(); };
  // Until they answer, only whoever invited them knows who they are.
  const known = whole.invitees.filter(({ name, email }) => name || email);
  const others = whole.invitees.length - known.length;
  return html`
    <section aria-labelledby="meet-people">
      <h3 id="meet-people">${t('meet.people')}</h3>
      <p class="quiet-text" role="status">${whole.invitees.length ? tallyWords(whole.invitees) : t('meet.nobody')}</p>
      ${known.length > 0 && html`
        <ul class="invitees">${known.map((each, index) => html`
          <${Person} key=${each.id ?? index} invitee=${each} onRemove=${whole.mine ? () => setLeaving(each) : undefined} />`)}</ul>`}
      ${others > 0 && known.length > 0 && html`<p class="quiet-text">${tn('meet.others', others)}</p>`}
      <${Problem} text=${problem} />
      ${leaving && html`
        <${ConfirmDialog} title=${t('meet.uninviteTitle', { who: leaving.name ?? leaving.email ?? '' })} plan=${[t('meet.uninvitePlan')]}
          action=${t('meet.uninvite')} onConfirm=${() => void remove(leaving)} onClose=${() => setLeaving(null)} />`}
    </section>`;
}

/** @param {{ entry: Entry, onClose: () => void }} props */
export function DetailsDialog({ entry, onClose }) {
  const { value: whole, problem, reload } = useLoaded(() => fetchMeeting(entry.id));
  return html`
    <${Dialog} title=${entry.title} onClose=${onClose}>
      <div class="meeting-facts">
        <p>${whenOf(entry)}</p>
        <p class="quiet-text">${t('meet.by', { name: entry.organiser })} · <a href=${`/r/${encodeURIComponent(entry.room.slug)}`}>${entry.room.name}</a></p>
      </div>
      ${!whole && html`<${Waiting} problem=${problem} />`}
      ${whole?.agenda && html`<section><h3>${t('meet.agenda')}</h3><p class="agenda">${whole.agenda}</p></section>`}
      ${whole && html`<${People} whole=${whole} reload=${reload} />`}
      ${whole?.mine && html`<${InviteForm} id=${whole.id} onInvited=${reload} />
        <${InviteGroup} id=${whole.id} onInvited=${reload} />`}
    </${Dialog}>`;
}
