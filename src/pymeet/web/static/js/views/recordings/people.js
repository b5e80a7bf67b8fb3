// The people in a recording: play what was recorded of one, take along one's own, and take somebody out.

/** @import { Recording, RecordedPerson } from '../../api-recordings.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-recordings.js';
import { sizeOf, t } from '../../i18n.js';
import { hasTracks } from '../../models/recording-time.js';
import { useAct, Problem } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Icon, html } from '../ui.js';
import { spanWords } from './parts.js';

/**
 * What goes, what stays, and what nobody can do about it; nothing happens before.
 * @param {object} props
 * @param {string} props.name
 * @param {boolean} props.you
 * @param {boolean} props.running whether the meeting is being recorded now
 * @param {() => Promise<unknown>} props.remove
 * @param {() => void} props.onClose
 */
export function RemoveDialog({ name, you, running, remove, onClose }) {
  const { busy, problem, act } = useAct();
  const confirm = async () => {
    if (!await act(remove)) return;
    onClose();
    toast(you ? t('rec.removedYou') : t('rec.removedThem', { name }));
  };
  return html`
    <${Dialog} title=${you ? t('rec.removeYouTitle') : t('rec.removeThemTitle', { name })} onClose=${onClose}>
      ${running && you && html`<p>${t('rec.removeRunning')}</p>`}
      <ul class="points">
        <li>${t(you ? 'rec.removeYouNow' : 'rec.removeThemNow')}</li>
        <li>${t('rec.removeFilm')}</li>
        <li>${t('rec.removeOutside')}</li>
        <li>${t('rec.removeFinal')}</li>
      </ul>
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="button" class="button danger" disabled=${busy} onClick=${() => void confirm()}>${you ? t('rec.removeYouDo') : t('rec.removeThemDo', { name })}</button>
      </div>
    </${Dialog}>`;
}

/** @param {{ recordingId: string, person: RecordedPerson }} props */
function OwnTracks({ recordingId, person }) {
  return html`
    <div class="own-tracks">
      <h4>${t('rec.saveTracks')}</h4>
      <ul>${(person.tracks ?? []).filter(({ duration_ms: length }) => length).map((track) => html`
        <li key=${track.id}>
          <a href=${api.trackAddress(recordingId, track.id, true)} download>
            <${Icon} name="download" />${t('rec.trackOf', { source: t(`rec.source.${track.source}`), length: spanWords(track.duration_ms ?? 0) })}</a>
          ${track.size ? html`<span class="quiet-text">${sizeOf(track.size)}</span>` : null}
        </li>`)}</ul>
    </div>`;
}

/** @param {{ recording: Recording, onRemoved: (person: RecordedPerson) => Promise<unknown> }} props */
export function PeopleCard({ recording, onRemoved }) {
  const [removing, setRemoving] = useState(/** @type {RecordedPerson | null} */ (null));
  const remove = async (/** @type {RecordedPerson} */ person) => {
    await api.removePerson(recording.id, person.id);
    await onRemoved(person);
  };
  return html`
    <section class="card" aria-labelledby="people-title">
      <h2 id="people-title">${t('rec.peopleTitle')}</h2>
      ${recording.people.length === 0 && html`<p class="quiet-text">${t('rec.nobody')}</p>`}
      <ul class="timeline rec-people">
        ${recording.people.map((person) => html`
          <li key=${person.id}>
            <div class="timeline-words">
              <h3>${person.you ? t('rec.you', { name: person.name }) : person.name}</h3>
              ${recording.films && !hasTracks(person) && html`<p class="quiet-text">${t('rec.noTracks')}</p>`}
            </div>
            ${(person.you || recording.may.includes('remove')) && html`
              <button type="button" class="button small danger-quiet" aria-label=${person.you ? undefined : t('rec.removeOf', { name: person.name })}
                onClick=${() => setRemoving(person)}><${Icon} name="user-minus" />${t(person.you ? 'rec.removeYou' : 'rec.removeThem')}</button>`}
            ${person.you && hasTracks(person) && html`<${OwnTracks} recordingId=${recording.id} person=${person} />`}
          </li>`)}
      </ul>
      ${removing && html`
        <${RemoveDialog} name=${removing.name} you=${removing.you} running=${recording.state === 'recording'}
          remove=${() => remove(removing)} onClose=${() => setRemoving(null)} />`}
    </section>`;
}
