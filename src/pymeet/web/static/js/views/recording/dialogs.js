// Starting a recording, what one can do about it while it runs, and marking a moment in it.

/** @import { Room } from '../../models/room.js' */
/** @import { RecordingControls } from './attempts.js' */
import { useId, useState } from '../../../vendor/preact-hooks.js';
import { t, timeOf } from '../../i18n.js';
import { Dialog, Field, Icon, Note, html } from '../ui.js';
import { Facts } from './facts.js';

/** @typedef {{ room: Room, controls: RecordingControls }} Props */

const LONGEST_MARKER = 80;

/** @param {{ onStart: (chat: boolean) => void, onClose: () => void }} props */
export function StartRecording({ onStart, onClose }) {
  const [chat, setChat] = useState(false);
  const id = useId();
  const start = () => { onClose(); onStart(chat); };
  return html`
    <${Dialog} title=${t('recording.startTitle')} onClose=${onClose} class="confirm">
      <p>${t('recording.startAsked')}</p>
      <p>${t('recording.startSign')}</p>
      <p>${t('recording.startWho')}</p>
      <div>
        <label class="check"><input type="checkbox" checked=${chat} aria-describedby=${id} onChange=${() => setChat(!chat)} />${t('recording.withChat')}</label>
        <p id=${id} class="quiet-text">${t('recording.withChatHint')}</p>
      </div>
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="button" class="button danger" onClick=${start}><${Icon} name="circle-dot" />${t('recording.startDo')}</button>
      </div>
    </${Dialog}>`;
}

/** One's own part in it, and how to change it. @param {Props} props */
function OwnPart({ room, controls }) {
  const [busy, setBusy] = useState(false);
  const recorded = room.isRecorded.value;
  const id = room.recording.value?.id ?? '';
  const change = async () => {
    setBusy(true);
    const done = await controls.answer(recorded ? 'no' : 'yes');
    setBusy(false);
    if (recorded && done) controls.left.value = id;
  };
  return html`
    <section class="own-part">
      <div class="own-part-row">
        <p role="status"><strong>${t(recorded ? 'recording.youAre' : 'recording.youAreNot')}</strong></p>
        <button type="button" class="button" disabled=${busy} onClick=${() => void change()}>${t(recorded ? 'recording.stopMe' : 'recording.yes')}</button>
      </div>
      ${controls.left.value === id && !recorded && html`
        <${Note} icon="circle-slash">
          <p>${t('recording.withdrawn')}</p>
          <button type="button" class="button small danger-quiet" onClick=${() => { controls.open.value = 'destroy'; }}>${t('recording.destroy')}</button>
        </${Note}>`}
    </section>`;
}

/** @param {Props & { onClose: () => void }} props */
export function AboutRecording({ room, controls, onClose }) {
  const recording = room.recording.value;
  if (!recording) return null;
  return html`
    <${Dialog} title=${t('recording.begun')} onClose=${onClose}>
      <p class="quiet-text">${t('recording.since', { time: timeOf(room.recordingSince.value) })}</p>
      <${OwnPart} room=${room} controls=${controls} />
      <${Facts} chat=${recording.chat} keepUntil=${recording.keep_until} guest=${room.receipt.value !== ''} />
      ${room.role.value === 'host' && html`
        <div class="actions">
          <button type="button" class="button danger-quiet" onClick=${() => { controls.open.value = 'stop'; }}><${Icon} name="circle-stop" />${t('recording.stop')}</button>
        </div>`}
    </${Dialog}>`;
}

/** @param {{ onAdd: (text: string) => void, onClose: () => void }} props */
export function AddMarker({ onAdd, onClose }) {
  const [text, setText] = useState('');
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
    onAdd(text.trim().replace(/\s+/gu, ' '));
  };
  return html`
    <${Dialog} title=${t('marker.title')} onClose=${onClose} class="confirm">
      <form class="marker-form" onSubmit=${add} novalidate>
        <${Field} label=${t('marker.name')} value=${text} onInput=${setText} hint=${t('marker.hint')} input=${{ maxlength: LONGEST_MARKER }} />
        <div class="actions">
          <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
          <button type="submit" class="button primary">${t('marker.add')}</button>
        </div>
      </form>
    </${Dialog}>`;
}
