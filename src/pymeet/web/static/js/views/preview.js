// Before the meeting: how the others will see and hear me, and under which name.

/** @import { RoomCard } from '../api.js' */
/** @import { Answer } from '../types.js' */
/** @import { Devices } from '../models/devices.js' */
import { useLayoutEffect, useRef, useState } from '../../vendor/preact-hooks.js';
import { t, tn } from '../i18n.js';
import { DeviceMenus, DeviceProblems } from './device-menus.js';
import { ConnectionCheckDialog } from './later.js';
import { MediaButtons } from './media-buttons.js';
import { Facts } from './recording/facts.js';
import { Field, Icon, Note, Page, html } from './ui.js';
import { Video } from './video.js';

/** @param {{ devices: Devices }} props */
export function Picture({ devices }) {
  const camera = devices.camera.value;
  return html`
    <div class="preview-picture" role="group" aria-label=${t('preview.picture')}>
      ${camera
        ? html`<${Video} key=${camera.id} source=${camera} mirrored />`
        : html`<p class="preview-off"><${Icon} name="video-off" />${t('camera.isOff')}</p>`}
      <div class="preview-buttons"><${MediaButtons} devices=${devices} /></div>
    </div>`;
}

/** The question comes before the meeting when it is being recorded. @param {{ card: RoomCard, title: { current: HTMLElement | null } }} props */
function Recorded({ card, title }) {
  return card.recording && html`
    <section class="preview-recorded" aria-labelledby="recorded" aria-describedby="facts">
      <h2 id="recorded" ref=${title} tabindex="-1"><span class="recording-dot" aria-hidden="true"></span>${t('recording.begun')}</h2>
      <p>${t('preview.recorded')}</p>
    </section>`;
}

/** What stands between this person and the meeting, said before they press Join. @param {{ card: RoomCard }} props */
function Before({ card }) {
  if (card.locked) return html`<${Note} tone="amber" icon="lock"><p>${t('preview.locked')}</p></${Note}>`;
  return card.waiting_room && html`<${Note} icon="clock"><p>${t('preview.waits')}</p></${Note}>`;
}

/**
 * @param {object} props
 * @param {RoomCard} props.card
 * @param {Devices} props.devices
 * @param {string} props.initialName
 * @param {boolean} props.busy
 * @param {boolean} [props.trouble]
 * @param {'wrong_password' | 'too_many' | null} [props.refusal] why the password did not open the room
 * @param {(name: string, answer: Answer | null, password: string) => void} props.onJoin
 */
export function Preview({ card, devices, initialName, busy, trouble = false, refusal = null, onJoin }) {
  const [name, setName] = useState(initialName);
  const [missing, setMissing] = useState(/** @type {'name' | 'password' | null} */ (null));
  const [password, setPassword] = useState('');
  const [touched, setTouched] = useState(false);
  const [checking, setChecking] = useState(false);
  const asksPassword = Boolean(card.has_password) || refusal !== null;
  const question = useRef(/** @type {HTMLElement | null} */ (null));
  const recording = card.recording?.id;
  const first = useRef(recording);
  // A recording that began while somebody stood here is news to them.
  useLayoutEffect(() => { if (recording && recording !== first.current) question.current?.focus(); }, [recording]);
  const join = (/** @type {Answer | null} */ answer) => {
    const given = name.trim().replace(/\s+/gu, ' ');
    setTouched(false);
    const lacks = !given ? 'name' : asksPassword && !password ? 'password' : null;
    if (!lacks) return onJoin(given, answer, password);
    setMissing(lacks);
    /** @type {HTMLElement | null} */ (document.querySelector(`.preview-form input[name=${lacks}]`))?.focus();
    return undefined;
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    // No key pressed by habit answers the question.
    if (recording) question.current?.focus();
    else join(null);
  };
  const change = (/** @type {string} */ value) => { setName(value); setMissing(null); };
  const changePassword = (/** @type {string} */ value) => { setPassword(value); setMissing(null); setTouched(true); };
  const passwordError = missing === 'password' ? t('preview.passwordMissing') : refusal && !touched ? t(`preview.${refusal}`) : '';
  return html`
    <${Page}>
      <div class="preview">
        <div class="preview-left">
          <${Picture} devices=${devices} />
          ${devices.asking.value && html`<${Note}><p>${t('preview.asking')}</p></${Note}>`}
          <${DeviceProblems} devices=${devices} />
          <${DeviceMenus} devices=${devices} />
          ${card.recording && html`
            <div class="preview-facts" id="facts">
              <${Facts} chat=${card.recording.chat} keepUntil=${card.recording.keep_until} guest=${card.role === 'guest'} />
            </div>`}
        </div>
        <form class="preview-form" onSubmit=${submit} novalidate>
          <div class="preview-room">
            <h1>${card.name}</h1>
            <p class="quiet-text">${card.people ? tn('preview.here', card.people) : t('preview.nobody')}</p>
          </div>
          <${Field} label=${t('preview.name')} value=${name} onInput=${change} hint=${t('preview.nameHint')}
            error=${missing === 'name' ? t('preview.nameMissing') : ''} input=${{ name: 'name', maxlength: 60, autocomplete: 'name', autofocus: !refusal }} />
          ${asksPassword && html`
            <${Field} label=${t('preview.password')} type="password" value=${password} onInput=${changePassword} error=${passwordError}
              hint=${t('preview.passwordHint')} input=${{ name: 'password', maxlength: 1024, autocomplete: 'off', autofocus: refusal !== null }} />`}
          <${Before} card=${card} />
          <${Recorded} card=${card} title=${question} />
          <div class="preview-join">
            ${trouble && html`<${Note} tone="amber" icon="wifi-off"><p>${t('preview.trouble')}</p></${Note}>`}
            ${recording && !busy ? html`
              <div class="choices" role="group" aria-labelledby="recorded" aria-describedby="facts">
                <button type="button" class="button" onClick=${() => join('yes')}>${t('preview.joinYes')}</button>
                <button type="button" class="button" onClick=${() => join('no')}>${t('preview.joinNo')}</button>
                <a class="button" href="/">${t('preview.joinNot')}</a>
              </div>` : html`
              <button type="submit" class="button primary wide" disabled=${busy}>${t(busy ? 'preview.joining' : card.waiting_room ? 'preview.ask' : 'preview.join')}</button>`}
          </div>
          <p class="quiet-text">${t('preview.attendance')}</p>
          <div class="preview-check">
            <button type="button" class="button small" onClick=${() => setChecking(true)}>${t('preview.check')}</button>
            ${checking && html`<${ConnectionCheckDialog} slug=${card.slug} devices=${devices} onClose=${() => setChecking(false)} />`}
          </div>
        </form>
      </div>
    </${Page}>`;
}
