// Where one writes: to everybody or to one person, with names suggested behind an `@`.

/** @import { Room } from '../models/room.js' */
import { useEffect, useId, useRef, useState } from '../../vendor/preact-hooks.js';
import { t } from '../i18n.js';
import { namesLike, typedMention } from '../models/mentions.js';
import { IconButton, html } from './ui.js';

/** The names that go on as was typed. @param {Room} room @param {string} text @param {number} caret */
function suggestionsFor(room, text, caret) {
  const mention = typedMention(text, caret);
  const others = room.others.value.filter(({ kind }) => kind === 'browser').map(({ name }) => name);
  return mention ? { from: mention.from, names: namesLike(others, mention.typed) } : { from: 0, names: [] };
}

/** @param {{ room: Room }} props */
function Recipient({ room }) {
  const id = useId();
  const to = room.chatTo.value;
  const people = room.others.value.filter(({ kind }) => kind === 'browser');
  if (people.length === 0) return null;
  return html`
    <div class=${to ? 'recipient private' : 'recipient'}>
      <label for=${id}>${t('chat.to')}</label>
      <select id=${id} value=${to} onChange=${(/** @type {any} */ event) => { room.chatTo.value = event.target.value; }}>
        <option value="">${t('chat.everybody')}</option>
        ${people.map((person) => html`<option key=${person.id} value=${person.id}>${t('chat.only', { name: person.name })}</option>`)}
      </select>
    </div>`;
}

/** @param {{ id: string, names: string[], chosen: number, onChoose: (name: string) => void }} props */
function Suggestions({ id, names, chosen, onChoose }) {
  return html`
    <ul id=${id} class="suggestions" role="listbox" aria-label=${t('chat.names')}>
      ${names.map((name, index) => html`
        <li key=${name} id=${`${id}-${index}`} role="option" aria-selected=${index === chosen}
          onMouseDown=${(/** @type {Event} */ event) => { event.preventDefault(); onChoose(name); }}>${name}</li>`)}
    </ul>`;
}

/** @param {{ room: Room, onSend: (text: string, to: string) => Promise<unknown> }} props */
export function Composer({ room, onSend }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const listId = useId();
  const [text, setText] = useState('');
  const [failed, setFailed] = useState(false);
  const [suggested, setSuggested] = useState({ from: 0, names: /** @type {string[]} */ ([]) });
  const [chosen, setChosen] = useState(0);
  const open = suggested.names.length > 0;
  const to = room.chatTo.value;
  useEffect(() => field.current?.focus(), [to]);
  useEffect(() => {
    const element = /** @type {HTMLTextAreaElement} */ (field.current);
    element.style.setProperty('height', 'auto');
    element.style.setProperty('height', `${element.scrollHeight + 2}px`);
  }, [text]);
  const close = () => setSuggested({ from: 0, names: [] });
  const send = async () => {
    const said = text.trim();
    if (!said) return;
    setText('');
    setFailed(false);
    close();
    try {
      await onSend(said, to);
    } catch {
      setText((typed) => typed || said);
      setFailed(true);
    }
  };
  const typed = (/** @type {any} */ event) => {
    setText(event.target.value);
    setSuggested(suggestionsFor(room, event.target.value, event.target.selectionStart));
    setChosen(0);
  };
  const choose = (/** @type {string} */ name) => {
    const element = /** @type {HTMLTextAreaElement} */ (field.current);
    const put = `${text.slice(0, suggested.from)}@${name} `;
    setText(put + text.slice(element.selectionStart));
    close();
    // After the value is there: the browser puts the caret behind everything otherwise.
    requestAnimationFrame(() => element.setSelectionRange(put.length, put.length));
  };
  const move = (/** @type {number} */ step) => setChosen((chosen + step + suggested.names.length) % suggested.names.length);
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    const enter = event.key === 'Enter' && !event.shiftKey;
    if (open && event.key === 'Escape') { event.stopPropagation(); close(); }
    else if (open && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) { event.preventDefault(); move(event.key === 'ArrowDown' ? 1 : -1); }
    else if (open && (enter || event.key === 'Tab')) { event.preventDefault(); choose(suggested.names[chosen]); }
    else if (enter) { event.preventDefault(); void send(); }
  };
  const label = to ? t('chat.fieldTo', { name: room.nameOf(to) }) : t('chat.field');
  return html`
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); void send(); }}>
      ${failed && html`<p class="field-error" role="alert">${t('chat.failed')}</p>`}
      <${Recipient} room=${room} />
      ${open && html`<${Suggestions} id=${listId} names=${suggested.names} chosen=${chosen} onChoose=${choose} />`}
      <div class="composer-row">
        <textarea ref=${field} rows="1" maxlength="4000" aria-label=${label} placeholder=${t('chat.field')} value=${text} aria-autocomplete="list"
          aria-controls=${open ? listId : undefined} aria-activedescendant=${open ? `${listId}-${chosen}` : undefined}
          onInput=${typed} onBlur=${close} onKeyDown=${key}></textarea>
        <${IconButton} icon="send" label=${t('chat.send')} class="accent" onClick=${() => void send()} />
      </div>
    </form>`;
}
