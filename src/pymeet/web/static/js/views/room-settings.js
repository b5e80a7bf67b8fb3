// What an owner decides about a room: who comes in, who may share and record, what of the chat is kept.

/** @import { RoomSettings as Settings, SettingsChange } from '../api-rooms.js' */
import { useId, useState } from '../../vendor/preact-hooks.js';
import { changeRoomSettings, roomSettings } from '../api-rooms.js';
import { t } from '../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from './act.js';
import { Dialog, Field, html } from './ui.js';

/** @param {{ label: string, value: string, options: [string, string][], hint?: string, onChange: (value: string) => void }} props */
function Choice({ label, value, options, hint, onChange }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} value=${value} aria-describedby=${hint ? `${id}-note` : undefined} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
        ${options.map(([name, words]) => html`<option key=${name} value=${name}>${words}</option>`)}
      </select>
      ${hint && html`<p id=${`${id}-note`} class="field-hint">${hint}</p>`}
    </div>`;
}

/** @param {string} text @returns {number | null} */
const numberFrom = (text) => (text.trim() === '' ? null : Number(text));

/** What differs from what the server said. @param {Settings} before @param {Settings} after @returns {SettingsChange} */
function changes(before, after) {
  const keys = /** @type {const} */ (['guests', 'waiting_room', 'capacity', 'may_share', 'may_record', 'chat_history', 'chat_limit']);
  return Object.fromEntries(keys.filter((key) => before[key] !== after[key]).map((key) => [key, after[key]]));
}

/** @param {{ has: boolean, value: string | null | undefined, onChange: (value: string | null | undefined) => void }} props undefined: as it is; null: none */
function Password({ has, value, onChange }) {
  const set = typeof value === 'string';
  const now = value === undefined ? has : set;
  const toggle = () => onChange(now ? (has ? null : undefined) : (has ? undefined : ''));
  return html`
    <div class="room-password">
      <label class="check"><input type="checkbox" checked=${now} onChange=${toggle} />${t('roomSettings.password')}</label>
      ${now && (set ? html`
        <${Field} label=${t('roomSettings.newPassword')} type="password" value=${value} onInput=${onChange} hint=${t('roomSettings.passwordHint')}
          input=${{ autocomplete: 'new-password', maxlength: 200, required: true }} />` : html`
        <button type="button" class="button small" onClick=${() => onChange('')}>${t('roomSettings.changePassword')}</button>`)}
    </div>`;
}

/** @param {{ slug: string, settings: Settings, onSaved: () => void, onClose: () => void }} props */
function Form({ slug, settings, onSaved, onClose }) {
  const [now, setNow] = useState(settings);
  const [password, setPassword] = useState(/** @type {string | null | undefined} */ (undefined));
  const { busy, problem, act } = useAct();
  const set = (/** @type {Partial<Settings>} */ change) => setNow({ ...now, ...change });
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    const change = { ...changes(settings, now), ...(password === undefined || password === '' ? {} : { password }) };
    void act(async () => {
      if (Object.keys(change).length > 0) await changeRoomSettings(slug, change);
      onSaved();
      onClose();
    });
  };
  return html`
    <form class="room-settings" onSubmit=${save}>
      <fieldset>
        <legend>${t('roomSettings.entering')}</legend>
        <${Choice} label=${t('roomSettings.guests')} value=${now.guests === false ? 'no' : 'server'} onChange=${(/** @type {string} */ value) => set({ guests: value === 'no' ? false : null })}
          options=${[['server', t(`roomSettings.guests.server.${now.server.guests ? 'yes' : 'no'}`)], ['no', t('roomSettings.guests.no')]]} />
        <${Choice} label=${t('roomSettings.waiting')} value=${now.waiting_room} hint=${t('roomSettings.waitingHint')} onChange=${(/** @type {any} */ value) => set({ waiting_room: value })}
          options=${[['off', t('roomSettings.waiting.off')], ['guests', t('roomSettings.waiting.guests')], ['everybody', t('roomSettings.waiting.everybody')]]} />
        <${Password} has=${settings.has_password} value=${password} onChange=${setPassword} />
        <${Field} label=${t('roomSettings.capacity')} type="number" value=${now.capacity ?? ''} hint=${t('roomSettings.capacityHint', { count: now.server.capacity })}
          onInput=${(/** @type {string} */ value) => set({ capacity: numberFrom(value) })} input=${{ min: 2, max: 10_000, inputmode: 'numeric' }} />
      </fieldset>
      <fieldset>
        <legend>${t('roomSettings.inside')}</legend>
        <${Choice} label=${t('roomSettings.share')} value=${now.may_share} onChange=${(/** @type {any} */ value) => set({ may_share: value })}
          options=${[['everybody', t('roomSettings.share.everybody')], ['members', t('roomSettings.share.members')], ['hosts', t('roomSettings.share.hosts')]]} />
        <${Choice} label=${t('roomSettings.record')} value=${now.may_record} onChange=${(/** @type {any} */ value) => set({ may_record: value })}
          options=${[['hosts', t('roomSettings.record.hosts')], ['nobody', t('roomSettings.record.nobody')]]} />
      </fieldset>
      <fieldset>
        <legend>${t('chat.title')}</legend>
        <label class="check"><input type="checkbox" checked=${now.chat_history} onChange=${() => set({ chat_history: !now.chat_history })} />${t('roomSettings.history')}</label>
        <${Field} label=${t('roomSettings.limit')} type="number" value=${now.chat_limit ?? ''} hint=${t('roomSettings.limitHint')}
          onInput=${(/** @type {string} */ value) => set({ chat_limit: numberFrom(value) })} input=${{ min: 1, max: 1_000_000, inputmode: 'numeric' }} />
      </fieldset>
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="submit" class="button primary" disabled=${busy}>${t('chat.save')}</button>
      </div>
    </form>`;
}

/** @param {{ slug: string, name: string, onSaved: () => void, onClose: () => void }} props */
export function RoomSettings({ slug, name, onSaved, onClose }) {
  const { value, problem } = useLoaded(() => roomSettings(slug));
  return html`
    <${Dialog} title=${t('roomSettings.title', { name })} onClose=${onClose}>
      ${value ? html`<${Form} slug=${slug} settings=${value} onSaved=${onSaved} onClose=${onClose} />` : html`<${Waiting} problem=${problem} />`}
    </${Dialog}>`;
}
