// The chat panel. What people write is only ever text; addresses become links that tell nobody where they were clicked.

/** @import { ChatMessage } from '../types.js' */
/** @import { Room } from '../models/room.js' */
import { useEffect, useRef, useState } from '../../vendor/preact-hooks.js';
import { t, timeOf } from '../i18n.js';
import { partsOf } from '../models/links.js';
import { Panel } from './panel.js';
import { IconButton, html } from './ui.js';

const TOGETHER_MS = 5 * 60_000;
const NEAR_END_PX = 80;

/** @param {{ message: ChatMessage, own: boolean, follows: boolean }} props */
function Message({ message, own, follows }) {
  return html`
    <li class=${follows ? 'message follows' : 'message'}>
      ${!follows && html`<p class="message-head"><strong>${own ? t('chat.you') : message.name}</strong><time>${timeOf(message.at)}</time></p>`}
      <p class="message-text">${partsOf(message.text).map(({ text, href }) =>
        href ? html`<a href=${href} target="_blank" rel="noreferrer noopener">${text}</a>` : text)}</p>
    </li>`;
}

/** @param {{ room: Room, onSend: (text: string) => Promise<unknown> }} props */
export function Chat({ room, onSend }) {
  const messages = room.messages.value;
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const atEnd = useRef(true);
  useEffect(() => {
    const element = list.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [messages]);
  const scrolled = () => {
    const element = /** @type {HTMLElement} */ (list.current);
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
  };
  return html`
    <${Panel} room=${room} title=${t('chat.title')}>
      <div class="messages" ref=${list} role="log" aria-label=${t('chat.title')} tabindex="0" onScroll=${scrolled}>
        ${messages.length === 0 && html`<p class="quiet-text">${t('chat.empty')}</p>`}
        <ol>
          ${messages.map((message, index) => {
            const before = messages[index - 1];
            const follows = before?.participant === message.participant && message.at - before.at < TOGETHER_MS;
            return html`<${Message} key=${message.id} message=${message} own=${message.participant === room.you.value} follows=${follows} />`;
          })}
        </ol>
      </div>
      <${Composer} onSend=${onSend} />
    </${Panel}>`;
}

/** @param {{ onSend: (text: string) => Promise<unknown> }} props */
function Composer({ onSend }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [text, setText] = useState('');
  const [failed, setFailed] = useState(false);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    const element = /** @type {HTMLTextAreaElement} */ (field.current);
    element.style.setProperty('height', 'auto');
    element.style.setProperty('height', `${element.scrollHeight + 2}px`);
  }, [text]);
  const send = async () => {
    const said = text.trim();
    if (!said) return;
    setText('');
    setFailed(false);
    try {
      await onSend(said);
    } catch {
      setText((typed) => typed || said);
      setFailed(true);
    }
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  };
  return html`
    <form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); void send(); }}>
      ${failed && html`<p class="field-error" role="alert">${t('chat.failed')}</p>`}
      <div class="composer-row">
        <textarea ref=${field} rows="1" maxlength="4000" aria-label=${t('chat.field')} placeholder=${t('chat.field')} value=${text}
          onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${key}></textarea>
        <${IconButton} icon="send" label=${t('chat.send')} class="accent" onClick=${() => void send()} />
      </div>
    </form>`;
}
