// The meetings that are going on. Names are shown only after a look that the audit log notes.

/** @import { LiveMeeting, LivePerson } from '../../api-server.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-server.js';
import { momentOf, t, timeOf, tn } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Icon, html } from '../ui.js';
import { Table } from './parts.js';

const LOOK_EVERY_MS = 15_000;

/** @param {{ meeting: LiveMeeting, onSee: () => void, onEnd: () => void }} props */
function Row({ meeting, onSee, onEnd }) {
  return html`
    <tr>
      <th scope="row"><span class="kept-title">${meeting.name}</span>
        <span class="quiet-text">${meeting.slug}${meeting.locked && ` · ${t('live.locked')}`}</span></th>
      <td data-label=${t('live.since')}>${momentOf(meeting.since)}</td>
      <td data-label=${t('live.people')}><span>${tn('live.here', meeting.people)}</span>${meeting.waiting > 0 && html`<span class="quiet-text">${tn('live.waiting', meeting.waiting)}</span>`}</td>
      <td data-label=${t('live.recording')}>${meeting.recording_since
        ? html`<span class="mark late"><${Icon} name="circle-dot" />${t('live.recordedSince', { time: timeOf(meeting.recording_since) })}</span>`
        : html`<span class="quiet-text">${t('live.notRecorded')}</span>`}</td>
      <td class="cell-actions">
        <button type="button" class="button small" aria-label=${t('live.seeOf', { name: meeting.name })} onClick=${onSee}>${t('live.see')}…</button>
        <button type="button" class="button small danger-quiet" aria-label=${t('live.endOf', { name: meeting.name })} onClick=${onEnd}>${t('live.end')}…</button></td>
    </tr>`;
}

/** @param {{ meeting: LiveMeeting, onDone: (words: string) => void, onClose: () => void }} props */
function End({ meeting, onDone, onClose }) {
  const { busy, problem, act } = useAct();
  const run = () => void act(async () => {
    await api.endMeeting(meeting.slug);
    onDone(t('live.ended', { name: meeting.name }));
  });
  return html`
    <${Dialog} title=${t('live.endTitle', { name: meeting.name })} onClose=${onClose}>
      <div class="dialog-form">
        <p>${tn('live.endPlan', meeting.people)}</p>
        ${meeting.recording_since && html`<p>${t('live.endRecording')}</p>`}
        <${Problem} text=${problem} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="button" class="button danger" disabled=${busy} onClick=${run}>${t('live.endDo')}</button>
        </div>
      </div>
    </${Dialog}>`;
}

/** @param {{ slug: string, person: LivePerson, onRemoved: () => void, onBack: () => void }} props */
function Remove({ slug, person, onRemoved, onBack }) {
  const [ban, setBan] = useState(false);
  const { busy, problem, act } = useAct();
  const run = () => void act(async () => {
    await api.removePerson(slug, person.id, ban);
    toast(t('live.removed', { name: person.name }));
    onRemoved();
  });
  return html`
    <div class="dialog-form">
      <p>${t('live.removeText', { name: person.name })}</p>
      <label class="check"><input type="checkbox" checked=${ban} onChange=${() => setBan(!ban)} />${t('live.ban')}</label>
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onBack}>${t('members.backTo')}</button>
        <button type="button" class="button danger" disabled=${busy} onClick=${run}>${t('live.remove')}</button>
      </div>
    </div>`;
}

/** @param {{ people: LivePerson[], onRemove: (person: LivePerson) => void }} props */
function List({ people, onRemove }) {
  if (people.length === 0) return html`<p class="quiet-text">${t('live.empty')}</p>`;
  return html`
    <ul class="timeline">
      ${people.map((person) => html`
        <li key=${person.id}>
          <div class="timeline-words"><strong>${person.name}</strong>
            <span class="quiet-text">${t(`live.role.${person.role}`)} · ${person.waits ? t('live.waits') : t('live.recordedSince', { time: timeOf(person.since) })}</span></div>
          ${!person.waits && html`<button type="button" class="button small danger-quiet" aria-label=${t('live.removeOf', { name: person.name })}
            onClick=${() => onRemove(person)}>${t('live.remove')}…</button>`}
        </li>`)}
    </ul>`;
}

/** @param {{ meeting: LiveMeeting, onClose: () => void }} props */
function See({ meeting, onClose }) {
  const [people, setPeople] = useState(/** @type {LivePerson[] | null} */ (null));
  const [removing, setRemoving] = useState(/** @type {LivePerson | null} */ (null));
  const { busy, problem, act } = useAct();
  const look = () => act(async () => setPeople((await api.livePeople(meeting.slug)).people));
  const removed = () => {
    setPeople((people ?? []).filter((each) => each !== removing));
    setRemoving(null);
  };
  const title = removing ? t('live.removeOf', { name: removing.name }) : t(people ? 'live.peopleTitle' : 'live.lookTitle', { name: meeting.name });
  return html`
    <${Dialog} key=${removing ? 'remove' : people ? 'people' : 'look'} title=${title} onClose=${onClose}>
      ${removing && html`<${Remove} slug=${meeting.slug} person=${removing} onRemoved=${removed} onBack=${() => setRemoving(null)} />`}
      ${!removing && people && html`<${List} people=${people} onRemove=${setRemoving} />`}
      ${!people && html`
        <div class="dialog-form">
          <p>${t('live.lookText')}</p>
          <${Problem} text=${problem} />
          <div class="actions">
            <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
            <button type="button" class="button primary" disabled=${busy} onClick=${() => void look()}>${t('live.lookDo')}</button>
          </div>
        </div>`}
    </${Dialog}>`;
}

export function Live() {
  const { value, problem, reload } = useLoaded(api.liveMeetings);
  const [open, setOpen] = useState(/** @type {{ what: 'see' | 'end', meeting: LiveMeeting } | null} */ (null));
  useEffect(() => {
    const again = () => { if (!document.hidden) void reload(); };
    const timer = setInterval(again, LOOK_EVERY_MS);
    document.addEventListener('visibilitychange', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, []);
  const close = () => { setOpen(null); void reload(); };
  const done = (/** @type {string} */ words) => { toast(words); close(); };
  const meetings = value?.meetings;
  return html`
    <section class="admin-part" aria-labelledby="live-title">
      <div class="part-head"><div><h1 id="live-title">${t('live.title')}</h1><p class="quiet-text">${t('live.lead')}</p></div></div>
      <${Problem} text=${meetings ? problem : ''} />
      ${!meetings && html`<${Waiting} problem=${problem} />`}
      <div role="status">${meetings?.length === 0 && html`<p class="empty">${t('live.none')}</p>`}</div>
      ${meetings && meetings.length > 0 && html`
        <${Table} class="two-actions" label=${t('live.title')} columns=${[t('live.room'), t('live.since'), t('live.people'), t('live.recording'), '']}>
          ${meetings.map((meeting) => html`<${Row} key=${meeting.slug} meeting=${meeting}
            onSee=${() => setOpen({ what: 'see', meeting })} onEnd=${() => setOpen({ what: 'end', meeting })} />`)}
        </${Table}>`}
      ${open?.what === 'see' && html`<${See} meeting=${open.meeting} onClose=${close} />`}
      ${open?.what === 'end' && html`<${End} meeting=${open.meeting} onDone=${done} onClose=${close} />`}
    </section>`;
}
