// One recording: the film, what is in it, who is in it, and what may be done with it.

/** @import { Recording, RecordedPerson } from '../../api-recordings.js' */
import { useMemo, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-recordings.js';
import { dateOf, t } from '../../i18n.js';
import { filmToCome, filmToPlay, lookAgainMs } from '../../models/recordings.js';
import { lengthOf } from '../../models/recording-time.js';
import { Problem, useAct } from '../act.js';
import { toast } from '../toast.js';
import { Dialog, Field, Icon, IconButton, Note, html, useFocus } from '../ui.js';
import { Contents, useItems } from './contents.js';
import { FilmUnderWay, FilmsCard } from './films.js';
import { Lanes } from './lanes.js';
import { PinDialog, WhenAndWhere, nameOf, untilWords, useLookAgain } from './parts.js';
import { PeopleCard } from './people.js';
import { makePlayback } from './playback.js';
import { EmptyScreen, Film, Player } from './player.js';
import { SharingCard, ViewsCard } from './sharing.js';

/** @typedef {{ recording: Recording, reload: () => Promise<unknown> }} Props */
/** @typedef {Props & { onOut: () => void }} ViewProps */

/** @param {Props & { onClose: () => void }} props */
function RenameDialog({ recording, reload, onClose }) {
  const [name, setName] = useState(nameOf(recording));
  const { busy, problem, act } = useAct();
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const done = await act(async () => {
      await api.changeRecording(recording.id, { name: name.trim() });
      await reload();
    });
    if (!done) return;
    toast(t('rec.renamed'));
    onClose();
  };
  return html`
    <${Dialog} title=${t('rec.renameTitle')} onClose=${onClose} class="confirm">
      <form class="dialog-form" onSubmit=${submit} novalidate>
        <${Field} label=${t('rec.name')} value=${name} onInput=${setName} error=${problem} input=${{ maxlength: 80, autocomplete: 'off' }} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy || !name.trim()}>${t('rec.save')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** @param {Props} props */
function Head({ recording, reload }) {
  const [open, setOpen] = useState(/** @type {'rename' | 'pin' | null} */ (null));
  const { busy, problem, act } = useAct();
  const { may, trashed_at: trashed } = recording;
  const remove = () => void act(async () => {
    await api.deleteRecording(recording.id);
    await reload();
  });
  const close = () => setOpen(null);
  const live = trashed === null;
  return html`
    <header class="rec-head">
      <a class="back" href="/recordings"><${Icon} name="arrow-left" />${t('rec.back')}</a>
      <div class="rec-title">
        <h1>${nameOf(recording)}</h1>
        ${live && may.includes('rename') && html`<${IconButton} icon="pencil" label=${t('rec.rename')} class="quiet" onClick=${() => setOpen('rename')} />`}
      </div>
      <p class="quiet-text facts-line"><${WhenAndWhere} row=${recording} /></p>
      <div class="rec-until">
        <p class="until">${recording.pinned_until !== null && live && html`<${Icon} name="pin" />`}${untilWords(recording)}</p>
        ${live && may.includes('pin') && html`<button type="button" class="button small" onClick=${() => setOpen('pin')}><${Icon} name="pin" />${t('rec.pin')}</button>`}
        ${live && may.includes('delete') && recording.state === 'ended' && html`
          <button type="button" class="button small danger-quiet" disabled=${busy} onClick=${remove}><${Icon} name="trash-2" />${t('rec.delete')}</button>`}
      </div>
      <${Problem} text=${problem} />
      ${open === 'rename' && html`<${RenameDialog} recording=${recording} reload=${reload} onClose=${close} />`}
      ${open === 'pin' && html`<${PinDialog} kept=${recording} onDone=${reload} onClose=${close} />`}
    </header>`;
}

/** @param {Props} props */
function Trashed({ recording, reload }) {
  const button = useFocus();
  const { busy, problem, act } = useAct();
  const restore = () => void act(async () => {
    await api.restoreRecording(recording.id);
    toast(t('rec.restored', { name: nameOf(recording) }));
    await reload();
  });
  return html`
    <${Note} tone="amber" icon="trash-2">
      <p>${t('rec.trashedNote', { date: dateOf(recording.delete_at ?? Date.now()) })}</p>
      ${recording.may.includes('restore') && html`<button type="button" class="button small" ref=${button} disabled=${busy} onClick=${restore}><${Icon} name="undo-2" />${t('rec.undo')}</button>`}
      <${Problem} text=${problem} />
    </${Note}>`;
}

/** What to look at while there is no film. @param {Props} props */
function NoFilm({ recording, reload }) {
  const coming = filmToCome(recording.films ?? []);
  if (coming) return html`<${EmptyScreen}><${FilmUnderWay} recording=${recording} film=${coming} reload=${reload} /></${EmptyScreen}>`;
  if (!recording.people.length) return html`<${EmptyScreen}><p>${t('rec.nothingRecorded')}</p></${EmptyScreen}>`;
  return html`<${EmptyScreen}><p>${t(recording.may.includes('compose') ? 'rec.noFilm' : 'rec.noFilmWait')}</p></${EmptyScreen}>`;
}

/** While it runs, all there is to see is that it runs. */
const Running = () => html`<${Note} icon="circle-dot"><p><strong>${t('rec.state.recording')}</strong></p><p>${t('rec.runningNote')}</p></${Note}>`;

/** Always the same, so that nothing is worked out anew for it. @type {import('../../api-recordings.js').RecordingEvent[]} */
const NOTHING = [];

/** The film with what is in it; only this is drawn anew while it plays. @param {Props & { alone: Set<string>, onAlone: (alone: Set<string>) => void }} props */
function Watch({ recording, reload, alone, onAlone }) {
  const playback = useMemo(makePlayback, [recording.id]);
  const { events = NOTHING, films = [], people } = recording;
  const items = useItems(events, people);
  const film = filmToPlay(films);
  const lengthMs = lengthOf(recording.duration_ms, events, people.flatMap(({ tracks = [] }) => tracks));
  const screen = film
    ? html`<${Film} address=${api.filmAddress(recording.id, film.id)} label=${t('rec.video', { name: nameOf(recording) })} playback=${playback} />`
    : html`<${NoFilm} recording=${recording} reload=${reload} />`;
  return html`
    <div class=${items.length ? 'watch' : 'watch alone-film'}>
      <div class="watch-main">
        <${Player} recordingId=${recording.id} film=${screen} people=${recording.may.includes('tracks') ? people : []}
          alone=${alone} onAlone=${onAlone} lengthMs=${lengthMs} playback=${playback} />
        <${Lanes} events=${events} people=${people} lengthMs=${lengthMs} playback=${playback} />
      </div>
      ${items.length > 0 && html`<${Contents} items=${items} playback=${playback} />`}
    </div>`;
}

/** @param {ViewProps} props `onOut`: the reader is no longer in it */
export function RecordingView({ recording, reload, onOut }) {
  const [alone, setAlone] = useState(/** @type {Set<string>} */ (new Set()));
  const { films = [], may, people, state } = recording;
  useLookAgain(lookAgainMs([recording, ...films.map((film) => ({ state, film }))]), reload);
  const removed = async (/** @type {RecordedPerson} */ person) => {
    setAlone((before) => new Set([...before].filter((id) => id !== person.id)));
    if (person.you) onOut();
    await reload();
  };
  const live = recording.trashed_at === null;
  return html`
    <div class="data recording">
      <${Head} recording=${recording} reload=${reload} />
      ${!live && html`<${Trashed} recording=${recording} reload=${reload} />`}
      ${live && state === 'recording' && html`<${Running} />`}
      ${may.includes('view') && html`<${Watch} recording=${recording} reload=${reload} alone=${alone} onAlone=${setAlone} />`}
      <div class="data-pair">
        ${people.length > 0 && html`<${PeopleCard} recording=${recording} onRemoved=${removed} />`}
        ${may.includes('view') && html`<${FilmsCard} recording=${recording} reload=${reload} above=${filmToPlay(films) ? null : filmToCome(films)} />`}
        ${may.includes('share') && html`<${SharingCard} recording=${recording} reload=${reload} />`}
        ${recording.views && html`<${ViewsCard} views=${recording.views} />`}
      </div>
    </div>`;
}
