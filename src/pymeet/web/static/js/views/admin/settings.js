// Settings that need no restart: what holds, what the configuration file says, and the way back to it.

/** @import { Setting, SettingValue } from '../../api-server.js' */
/** @import { Key } from '../../i18n.js' */
import { useEffect, useRef, useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-server.js';
import { dateOf, t } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { Switch } from '../data.js';
import { toast } from '../toast.js';
import { Field, html } from '../ui.js';
import { Select } from './parts.js';

const titleOf = (/** @type {Setting} */ setting) => t(/** @type {Key} */ (`setting.${setting.name}`));

/** @param {SettingValue} value @param {readonly string[]} choices */
function wordsOf(value, choices) {
  if (typeof value === 'boolean') return t(value ? 'setting.on' : 'setting.off');
  if (value === null) return t('setting.empty');
  return choices.includes(value) ? t(/** @type {Key} */ (`settingValue.${value}`)) : `“${value}”`;
}

/** @param {{ setting: Setting, busy: boolean, onChange: (value: SettingValue) => void }} props */
function Line({ setting, busy, onChange }) {
  const now = typeof setting.value === 'string' ? setting.value : '';
  const [typed, setTyped] = useState(now);
  useEffect(() => setTyped(now), [now]);
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    onChange(typed.trim() || null);
  };
  return html`
    <form class="field-row" onSubmit=${save} novalidate>
      <${Field} label=${titleOf(setting)} value=${typed} onInput=${setTyped} input=${{ maxlength: 300, autocomplete: 'off' }} />
      <button type="submit" class="button" disabled=${busy || typed.trim() === now}>${t('app.save')}</button>
    </form>`;
}

/** @param {{ setting: Setting, busy: boolean, onChange: (value: SettingValue) => void }} props */
function Control({ setting, busy, onChange }) {
  const { value, choices } = setting;
  if (typeof value === 'boolean') return html`<${Switch} label=${titleOf(setting)} on=${value} busy=${busy} onChange=${onChange} />`;
  if (!choices.length) return html`<${Line} setting=${setting} busy=${busy} onChange=${onChange} />`;
  const options = choices.map((each) => [each, wordsOf(each, choices)]);
  return html`<${Select} label=${titleOf(setting)} value=${value ?? ''} onChange=${onChange} options=${options} />`;
}

/** @param {{ setting: Setting, onChanged: (setting: Setting) => void }} props */
function Row({ setting, onChanged }) {
  const { busy, problem, act } = useAct();
  const [tried, setTried] = useState(0);
  const row = useRef(/** @type {HTMLElement | null} */ (null));
  const name = titleOf(setting);
  const change = async (/** @type {SettingValue} */ value) => {
    const done = await act(async () => {
      onChanged(await api.changeSetting(setting.name, value));
      toast(t('setting.saved', { name }));
    });
    // What was refused is not shown as if it held; a line that was typed can be mended.
    if (!done && setting.choices.length) setTried(tried + 1);
  };
  const giveBack = () => void act(async () => {
    onChanged(await api.giveBackSetting(setting.name));
    toast(t('setting.given', { name }));
    // The button is gone.
    row.current?.focus();
  });
  return html`
    <li class="setting" ref=${row} tabindex="-1">
      <${Control} key=${tried} setting=${setting} busy=${busy} onChange=${(/** @type {SettingValue} */ value) => void change(value)} />
      <p class="quiet-text">${t(/** @type {Key} */ (`settingHint.${setting.name}`))}</p>
      <${Problem} text=${problem} />
      <div class="setting-from">
        ${setting.set_here && setting.changed_at
          ? html`<p class="quiet-text"><strong>${t('setting.setHere', { date: dateOf(setting.changed_at) })}</strong> · ${t('setting.fileSays', { value: wordsOf(setting.configured, setting.choices) })}</p>
            <button type="button" class="button small" disabled=${busy} aria-label=${t('setting.backOf', { name })} onClick=${giveBack}>${t('setting.back')}</button>`
          : html`<p class="quiet-text">${t('setting.fromFile')}</p>`}
      </div>
    </li>`;
}

export function ServerSettings() {
  const { value, problem } = useLoaded(api.settings);
  const [changed, setChanged] = useState(/** @type {Record<string, Setting>} */ ({}));
  return html`
    <section class="admin-part" aria-labelledby="settings-title">
      <div class="part-head"><div><h1 id="settings-title">${t('setting.title')}</h1><p class="quiet-text">${t('setting.lead')}</p></div></div>
      ${!value && html`<${Waiting} problem=${problem} />`}
      ${value && html`
        <ul class="settings">
          ${value.settings.map((setting) => html`<${Row} key=${setting.name} setting=${changed[setting.name] ?? setting}
            onChanged=${(/** @type {Setting} */ now) => setChanged((before) => ({ ...before, [now.name]: now }))} />`)}
        </ul>`}
    </section>`;
}
