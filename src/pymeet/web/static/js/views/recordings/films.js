// The films of a recording: how far one is, take one along, make another.

/** @import { Film, FilmOptions, Recording } from '../../api-recordings.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-recordings.js';
import { sizeOf, t } from '../../i18n.js';
import { HEIGHTS } from '../../models/recordings.js';
import { Problem, useAct } from '../act.js';
import { Radios, Select } from '../admin/parts.js';
import { toast } from '../toast.js';
import { ConfirmDialog, Dialog, Icon, IconButton, html } from '../ui.js';
import { Progress, percentOf, spanWords } from './parts.js';

/** @typedef {{ recording: Recording, reload: () => Promise<unknown> }} Props */

/** @param {Recording} recording */
const filmsOf = ({ films = [] }) => films;

/** @param {Film} film */
function wordsOf({ format, height, layout, names }) {
  const words = t('rec.film', { format: format === 'mp4' ? 'MP4' : 'WebM', height, layout: t(`rec.layout.${layout}`) });
  return names ? words : `${words}, ${t('rec.withoutNames')}`;
}

/** A film that waits, is being made, or could not be made. @param {Props & { film: Film }} props */
export function FilmUnderWay({ recording, film, reload }) {
  const { busy, problem, act } = useAct();
  const mayMake = recording.may.includes('compose');
  const cancel = () => void act(async () => {
    await api.cancelFilm(recording.id, film.id);
    toast(t('rec.cancelled'));
    await reload();
  });
  const retry = () => void act(async () => {
    await api.retryFilm(recording.id, film.id);
    await reload();
  });
  if (film.restricted) return html`<p>${t('rec.restricted')}</p>`;
  if (film.state === 'failed' || film.state === 'cancelled') {
    return html`
      <p><strong>${t(film.state === 'failed' ? 'rec.failedWhy' : 'rec.state.cancelled')}</strong></p>
      ${mayMake && html`<button type="button" class="button" disabled=${busy} onClick=${retry}>${t('rec.retry')}</button>`}
      <${Problem} text=${problem} />`;
  }
  return html`
    <p><strong>${t(`rec.state.${film.state}`)}</strong>${film.progress !== null && film.state === 'making' && html` <span>${t('rec.done', { percent: percentOf(film.progress) })}</span>`}</p>
    <${Progress} value=${film.state === 'making' ? film.progress : null} label=${t('rec.progress')} />
    <p class="quiet-text">${t('rec.leave')}</p>
    ${mayMake && html`<button type="button" class="button small" disabled=${busy} onClick=${cancel}>${t('rec.cancel')}</button>`}
    <${Problem} text=${problem} />`;
}

/** @param {Props & { onClose: () => void }} props */
function MakeDialog({ recording, reload, onClose }) {
  const before = filmsOf(recording)[0];
  const [layout, setLayout] = useState(/** @type {string} */ (before?.layout ?? 'grid'));
  const [format, setFormat] = useState(/** @type {string} */ (before?.format ?? 'mp4'));
  const [height, setHeight] = useState(String(before?.height ?? 720));
  const [names, setNames] = useState(before?.names ?? true);
  const { busy, problem, act } = useAct();
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const options = /** @type {FilmOptions} */ ({ layout, format, height: Number(height), names });
    const done = await act(async () => {
      await api.makeFilm(recording.id, options);
      await reload();
    });
    if (!done) return;
    toast(t('rec.makeBegun'));
    onClose();
  };
  return html`
    <${Dialog} title=${t('rec.makeTitle')} onClose=${onClose}>
      <form class="dialog-form" onSubmit=${submit}>
        <p>${t('rec.makeText')}</p>
        <${Problem} text=${problem} />
        <${Radios} label=${t('rec.layoutField')} value=${layout} onChange=${setLayout}
          options=${[['grid', t('rec.layoutChoice.grid')], ['speaker', t('rec.layoutChoice.speaker')]]} />
        <${Radios} label=${t('rec.formatField')} value=${format} onChange=${setFormat}
          options=${[['mp4', t('rec.format.mp4')], ['webm', t('rec.format.webm')]]} />
        <${Select} label=${t('rec.heightField')} value=${height} onChange=${setHeight}
          options=${HEIGHTS.map((each) => [String(each), t('rec.height', { height: each })])} />
        <label class="check"><input type="checkbox" checked=${names} onChange=${() => setNames(!names)} />${t('rec.namesField')}</label>
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary" disabled=${busy}>${t('rec.makeDo')}</button>
        </div>
      </form>
    </${Dialog}>`;
}

/** @param {Props & { film: Film, above: boolean, onDelete: () => void }} props */
function FilmRow({ recording, film, above, reload, onDelete }) {
  const { may } = recording;
  const what = wordsOf(film);
  const size = film.size ? sizeOf(film.size) : '';
  return html`
    <li>
      <div class="timeline-words">
        <h3>${what}</h3>
        ${film.state === 'ready' && html`<p class="quiet-text">${film.duration_ms ? t('rec.filmSize', { length: spanWords(film.duration_ms), size }) : size}</p>`}
        ${above && html`<p class="quiet-text">${t(`rec.state.${film.state}`)}</p>`}
        ${!above && (film.state !== 'ready' || film.restricted) && html`<div class="under-way"><${FilmUnderWay} recording=${recording} film=${film} reload=${reload} /></div>`}
      </div>
      <div class="room-actions">
        ${film.state === 'ready' && !film.restricted && may.includes('download') && html`
          <a class="button small" href=${api.filmAddress(recording.id, film.id, true)} download aria-label=${t('rec.downloadOf', { what })}><${Icon} name="download" />${t('rec.download')}</a>`}
        ${may.includes('compose') && film.state !== 'queued' && film.state !== 'making' && html`
          <${IconButton} icon="trash-2" label=${t('rec.filmDelete')} class="quiet" onClick=${onDelete} />`}
      </div>
    </li>`;
}

/** @param {Props & { above: Film | null }} props `above`: the one that is spoken of in the film's place */
export function FilmsCard({ recording, reload, above }) {
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState(/** @type {Film | null} */ (null));
  const { problem, act } = useAct();
  const remove = (/** @type {Film} */ film) => void act(async () => {
    await api.deleteFilm(recording.id, film.id);
    toast(t('rec.filmDeleted'));
    await reload();
  });
  const films = filmsOf(recording);
  const mayMake = recording.may.includes('compose') && recording.people.length > 0;
  return html`
    <section class="card" aria-labelledby="films-title">
      <h2 id="films-title">${t('rec.films')}</h2>
      <${Problem} text=${problem} />
      ${films.length === 0 && html`<p class="quiet-text">${t('rec.state.none')}</p>`}
      ${films.length > 0 && html`
        <ul class="timeline">${films.map((film) => html`
          <${FilmRow} key=${film.id} recording=${recording} film=${film} above=${film.id === above?.id} reload=${reload} onDelete=${() => setDeleting(film)} />`)}</ul>`}
      ${mayMake && html`<div class="actions"><button type="button" class="button" onClick=${() => setMaking(true)}><${Icon} name="clapperboard" />${t('rec.make')}</button></div>`}
      ${making && html`<${MakeDialog} recording=${recording} reload=${reload} onClose=${() => setMaking(false)} />`}
      ${deleting && html`
        <${ConfirmDialog} title=${t('rec.filmDeleteTitle')} plan=${[wordsOf(deleting), t('rec.filmDeletePlan')]} action=${t('rec.filmDelete')}
          onConfirm=${() => remove(deleting)} onClose=${() => setDeleting(null)} />`}
    </section>`;
}
