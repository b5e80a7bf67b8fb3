// What somebody sees who was sent a link to a film.

/** @import { SharedRecording } from '../../api-recordings.js' */
import { useMemo, useState } from '../../../vendor/preact-hooks.js';
import { filmAddress } from '../../api-recordings.js';
import { momentOf, t } from '../../i18n.js';
import { lengthOf } from '../../models/recording-time.js';
import { Problem } from '../act.js';
import { Field, html, useFocus } from '../ui.js';
import { Contents, useItems } from './contents.js';
import { Lanes } from './lanes.js';
import { nameOf, peopleWords, spanWords } from './parts.js';
import { makePlayback } from './playback.js';
import { EmptyScreen, Film, Speed } from './player.js';

/** Always the same, so that nothing is worked out anew for it. @type {import('../../api-recordings.js').RecordingEvent[]} */
const NOTHING = [];

/** @param {{ problem: string, onPassword: (password: string) => Promise<void> }} props */
export function Unlock({ problem, onPassword }) {
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const title = useFocus();
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    await onPassword(password);
    setBusy(false);
  };
  return html`
    <form class="card account" onSubmit=${submit}>
      <h1 ref=${title} tabindex="-1">${t('rec.watchLocked')}</h1>
      <p>${t('rec.watchLockedText')}</p>
      <${Problem} text=${problem} />
      <${Field} label=${t('rec.watchPassword')} type="password" value=${password} onInput=${setPassword} input=${{ autocomplete: 'off', required: true }} />
      <button type="submit" class="button primary wide" disabled=${busy || !password}>${t('rec.watchOpen')}</button>
    </form>`;
}

/** @param {{ recording: SharedRecording }} props */
export function SharedView({ recording }) {
  const playback = useMemo(makePlayback, [recording.id]);
  const { film, events = NOTHING } = recording;
  // To others, people are their names only.
  const people = useMemo(() => recording.people.map(({ name }) => ({ id: name, name })), [recording]);
  const items = useItems(events, people);
  const lengthMs = lengthOf(film?.duration_ms || recording.duration_ms, events);
  return html`
    <div class="data recording">
      <header class="rec-head">
        <h1>${nameOf(recording)}</h1>
        <p class="quiet-text facts-line"><span>${momentOf(recording.started_at)}</span>
          ${recording.duration_ms ? html`<span>${spanWords(recording.duration_ms)}</span>` : null}<span>${peopleWords(people)}</span></p>
      </header>
      <div class=${items.length ? 'watch' : 'watch alone-film'}>
        <div class="watch-main">
          ${film?.state === 'ready'
            ? html`<${Film} address=${filmAddress(recording.id, film.id)} label=${t('rec.video', { name: nameOf(recording) })} playback=${playback} />`
            : html`<${EmptyScreen}><p>${t('rec.watchNoFilm')}</p></${EmptyScreen}>`}
          <div class="player-tools"><${Speed} playback=${playback} /></div>
          <${Lanes} events=${events} people=${people} lengthMs=${lengthMs} playback=${playback} />
        </div>
        ${items.length > 0 && html`<${Contents} items=${items} playback=${playback} />`}
      </div>
      <p class="quiet-text">${t('rec.watchNoted')} ${recording.may_until ? t('rec.watchUntil', { moment: momentOf(recording.may_until) }) : ''}</p>
    </div>`;
}
