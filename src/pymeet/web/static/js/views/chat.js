// The chat panel. What people write is only ever text; addresses become links that tell nobody where they were clicked.

/** @import { Meeting } from '../meeting.js' */
/** @import { ChatMessage } from '../types.js' */
/** @import { Room } from '../models/room.js' */
/** @import { Attempt } from './hosting.js' */
import { useEffect, useRef, useState } from '../../vendor/preact-hooks.js';
import { t, timeOf } from '../i18n.js';
import { partsOf } from '../models/links.js';
import { withMentions } from '../models/mentions.js';
import { Composer } from './composer.js';
import { Menu } from './menu.js';
import { Panel } from './panel.js';
import { ConfirmDialog, html } from './ui.js';

const TOGETHER_MS = 5 * 60_000;
const NEAR_END_PX = 80;
/** The server takes corrections for as long. */
const EDITABLE_MS = 15 * 60_000;

/** @param {{ room: Room, text: string }} props */
function Words({ room, text }) {
  const people = room.participants.value.map(({ name }) => name);
  const parts = withMentions(partsOf(text), people, room.nameOf(room.you.value));
  return parts.map((part) => {
    if (part.href) return html`<a href=${part.href} target="_blank" rel="noreferrer noopener">${part.text}</a>`;
    return part.mention ? html`<strong class=${part.own ? 'mention own' : 'mention'}>${part.text}</strong>` : part.text;
  });
}

/** Who else sees it, when not everybody does. @param {Room} room @param {ChatMessage} message */
function privately(room, message) {
  if (!message.to) return '';
  if (message.to === room.you.value) return t('chat.toYou');
  const name = room.nameOf(message.to);
  return name ? t('chat.toOnly', { name }) : t('chat.private');
}

/** @param {{ message: ChatMessage, onSave: (text: string) => Promise<boolean>, onClose: () => void }} props */
function Editing({ message, onSave, onClose }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [text, setText] = useState(message.text);
  useEffect(() => {
    const element = /** @type {HTMLTextAreaElement} */ (field.current);
    element.focus();
    element.setSelectionRange(text.length, text.length);
  }, []);
  const save = async () => {
    const said = text.trim();
    if (said && (said === message.text || await onSave(said))) onClose();
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') { event.stopPropagation(); onClose(); }
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void save();
  };
  return html`
    <form class="message-edit" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); void save(); }}>
      <textarea ref=${field} rows="3" maxlength="4000" aria-label=${t('chat.editField')} value=${text} onKeyDown=${key}
        onInput=${(/** @type {any} */ event) => setText(event.target.value)}></textarea>
      <div class="actions">
        <button type="button" class="button small" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="submit" class="button small primary" disabled=${!text.trim()}>${t('chat.save')}</button>
      </div>
    </form>`;
}

/**
 * @param {object} props
 * @param {Room} props.room
 * @param {ChatMessage} props.message
 * @param {boolean} props.follows
 * @param {(message: ChatMessage, text: string) => Promise<boolean>} props.onReword
 * @param {(message: ChatMessage) => void} props.onDelete
 */
function Message({ room, message, follows, onReword, onDelete }) {
  const [editing, setEditing] = useState(false);
  const own = message.participant === room.you.value;
  const aside = privately(room, message);
  const items = message.deleted ? [] : [
    own && Date.now() - message.at < EDITABLE_MS && { icon: 'pencil', label: t('chat.edit'), onClick: () => setEditing(true) },
    (own || room.hosting.value) && { icon: 'trash-2', label: t('chat.delete'), class: 'danger', onClick: () => onDelete(message) },
  ].filter(Boolean);
  return html`
    <li class=${`message ${follows ? 'follows' : ''} ${aside ? 'private' : ''}`}>
      ${!follows && html`
        <p class="message-head"><strong>${own ? t('chat.you') : message.name}</strong><time>${timeOf(message.at)}</time>
          ${aside && html`<span class="message-to">${aside}</span>`}</p>`}
      ${editing ? html`<${Editing} message=${message} onSave=${(/** @type {string} */ text) => onReword(message, text)} onClose=${() => setEditing(false)} />` : html`
        <div class="message-body">
          ${message.deleted ? html`<p class="message-text quiet-text">${t('chat.deleted')}</p>` : html`
            <p class="message-text"><${Words} room=${room} text=${message.text} />${message.edited_at && html` <span class="quiet-text">${t('chat.edited')}</span>`}</p>`}
          ${items.length > 0 && html`<${Menu} icon="ellipsis" label=${t('chat.actions')} class="quiet message-menu" items=${items} />`}
        </div>`}
    </li>`;
}

/** @param {{ room: Room, meeting: Meeting, attempt: Attempt }} props */
export function Chat({ room, meeting, attempt }) {
  const messages = room.messages.value;
  const [deleting, setDeleting] = useState(/** @type {ChatMessage | null} */ (null));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const atEnd = useRef(true);
  useEffect(() => {
    const element = list.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [messages]);
  const scrolled = (/** @type {Event} */ event) => {
    const element = /** @type {HTMLElement} */ (event.currentTarget); // the list may be gone when the browser gets round to this
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
  };
  const reword = async (/** @type {ChatMessage} */ message, /** @type {string} */ text) => {
    const request = meeting.reword(message.id, text);
    attempt(request);
    return request.then(() => true, () => false);
  };
  return html`
    <${Panel} room=${room} title=${t('chat.title')}>
      <div class="messages" ref=${list} role="log" aria-label=${t('chat.title')} tabindex="0" onScroll=${scrolled}>
        ${messages.length === 0 && html`<p class="quiet-text">${t('chat.empty')}</p>`}
        <ol>
          ${messages.map((message, index) => {
            const before = messages[index - 1];
            const follows = before?.participant === message.participant && before.to === message.to && message.at - before.at < TOGETHER_MS;
            return html`<${Message} key=${message.id} room=${room} message=${message} follows=${follows} onReword=${reword} onDelete=${setDeleting} />`;
          })}
        </ol>
      </div>
      <${Composer} room=${room} onSend=${(/** @type {string} */ text, /** @type {string} */ to) => meeting.say(text, to)} />
      ${deleting && html`
        <${ConfirmDialog} title=${t('chat.deleteTitle')} plan=${[t('chat.deletePlan')]} action=${t('chat.delete')}
          onConfirm=${() => attempt(meeting.takeBack(deleting.id))} onClose=${() => setDeleting(null)} />`}
    </${Panel}>`;
}
