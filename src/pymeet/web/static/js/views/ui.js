// The small parts that every page is made of: icons, buttons, fields, dialogs, notes.

import htm from '../../vendor/htm.js';
import { h, render } from '../../vendor/preact.js';
import { useId, useLayoutEffect, useRef, useState } from '../../vendor/preact-hooks.js';
// Imported for its effect: components re-render when a signal they read changes.
import '../../vendor/signals.js';
import { loadWords, t } from '../i18n.js';

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);

/** Shows one view in the page's #app, once its words and icons are there.
 * @param {import('../i18n.js').Key} title @param {() => any} view */
export async function start(title, view) {
  await Promise.all([loadWords(), loadIcons()]);
  if (!document.title) document.title = t(title);
  watchTips();
  render(view(), /** @type {Element} */ (document.getElementById('app')));
}

/** Tooltips show for who points at a button or comes to it by Tab, not where the focus only returned to; Escape hides them. */
function watchTips() {
  const { dataset } = document.documentElement;
  const pointing = () => { delete dataset.tips; };
  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Tab') dataset.tips = 'focus';
    else if (key === 'Escape') dataset.tips = 'none';
    else if (dataset.tips === 'focus') pointing();
  }, true);
  document.addEventListener('pointermove', pointing);
  document.addEventListener('pointerdown', pointing);
}

/** The sprite becomes part of the page, because browsers disagree on which CSP rule an outside <use> falls under. */
async function loadIcons() {
  const response = await fetch('/static/vendor/icons.svg');
  const sprite = new DOMParser().parseFromString(await response.text(), 'image/svg+xml').documentElement;
  sprite.setAttribute('class', 'sprite');
  sprite.setAttribute('aria-hidden', 'true');
  document.body.prepend(document.importNode(sprite, true));
}

/** @param {{ name: string, class?: string }} props */
export function Icon({ name, class: extra = '' }) {
  return html`<svg class=${`icon ${extra}`} aria-hidden="true" focusable="false"><use href=${`#icon-${name}`} /></svg>`;
}

/**
 * A button that shows an icon; its tooltip says its name and key.
 * @param {object} props
 * @param {string} props.icon
 * @param {string} props.label
 * @param {(event: MouseEvent) => void} props.onClick
 * @param {string} [props.shortcut]
 * @param {string} [props.class]
 * @param {boolean} [props.expanded] whether the panel that this button opens is open
 * @param {string} [props.note] further words for those who do not see the badge
 * @param {string} [props.tip] a shorter name for those who see which of several it is
 * @param {any} [props.children]
 */
export function IconButton({ icon, label, onClick, shortcut, class: extra = '', expanded, note, tip = label, children }) {
  const noteId = useId();
  return html`
    <button type="button" class=${`icon-button ${extra}`} aria-label=${label} aria-expanded=${expanded}
      aria-keyshortcuts=${shortcut} aria-describedby=${note ? noteId : undefined}
      data-tip=${shortcut ? `${tip} (${shortcut})` : tip} onClick=${onClick}>
      <span class="icon-place"><${Icon} name=${icon} />${children}</span>
      ${note && html`<span id=${noteId} class="visually-hidden">${note}</span>`}
    </button>`;
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.value
 * @param {(value: string) => void} props.onInput
 * @param {string} [props.error]
 * @param {string} [props.hint]
 * @param {string} [props.type]
 * @param {any} [props.input] further attributes of the input
 */
export function Field({ label, value, onInput, error, hint, type = 'text', input = {} }) {
  const id = useId();
  const note = error || hint;
  const [shown, setShown] = useState(false);
  const secret = type === 'password';
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <input id=${id} type=${secret && shown ? 'text' : type} value=${value} aria-invalid=${error ? 'true' : undefined}
        aria-describedby=${note ? `${id}-note` : undefined} onInput=${(/** @type {any} */ event) => onInput(event.target.value)} ...${input} />
      ${note && html`<p id=${`${id}-note`} class=${error ? 'field-error' : 'field-hint'} aria-live=${error ? 'polite' : undefined}>${note}</p>`}
      ${secret && html`
        <label class="check"><input type="checkbox" checked=${shown} onChange=${() => setShown(!shown)} />${t('password.show')}</label>`}
    </div>`;
}

/**
 * A modal dialog. The browser keeps the focus inside; it begins at the title, so that no key pressed by habit does
 * anything, and goes back to where it was.
 * @param {{ title: string, onClose: () => void, class?: string, children: any }} props
 */
export function Dialog({ title, onClose, class: extra = '', children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    element?.showModal();
    return () => {
      element?.close();
      before?.focus();
    };
  }, []);
  const cancel = (/** @type {Event} */ event) => { event.preventDefault(); onClose(); };
  const click = (/** @type {MouseEvent} */ event) => { if (event.target === dialog.current) onClose(); };
  return html`
    <dialog ref=${dialog} class=${`dialog ${extra}`} aria-labelledby=${id} onCancel=${cancel} onClick=${click}>
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id=${id} tabindex="-1" autofocus>${title}</h2>
          <${IconButton} icon="x" label=${t('app.close')} class="quiet" onClick=${onClose} />
        </header>
        ${children}
      </div>
    </dialog>`;
}

/**
 * Says what will happen before it can be done.
 * @param {{ title: string, plan: string[], action: string, onConfirm: () => void, onClose: () => void }} props
 */
export function ConfirmDialog({ title, plan, action, onConfirm, onClose }) {
  const confirm = () => { onClose(); onConfirm(); };
  return html`
    <${Dialog} title=${title} onClose=${onClose} class="confirm">
      ${plan.map((sentence) => html`<p>${sentence}</p>`)}
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
        <button type="button" class="button danger" onClick=${confirm}>${action}</button>
      </div>
    </${Dialog}>`;
}

/** @param {{ tone?: 'plain' | 'amber' | 'danger', icon?: string, children: any }} props */
export function Note({ tone = 'plain', icon, children }) {
  return html`<div class=${`note ${tone}`} role=${tone === 'danger' ? 'alert' : 'status'}>${icon && html`<${Icon} name=${icon} />`}<div>${children}</div></div>`;
}

/** The frame of every page that is not a meeting. @param {{ end?: any, narrow?: boolean, children: any }} props */
export function Page({ end, narrow = false, children }) {
  return html`
    <div class="page">
      <header class="page-head">
        <a class="brand" href="/"><img src="/static/icon.svg" alt="" width="28" height="28" />${t('app.name')}</a>
        <div class="page-end">${end}</div>
      </header>
      <main class=${narrow ? 'page-main narrow' : 'page-main'}>${children}</main>
      <footer class="page-foot"><a href="/privacy">${t('app.privacy')}</a></footer>
    </div>`;
}

/** A page that says one thing. @param {{ title: string, text: string, children?: any, after?: any }} props */
export function Statement({ title, text, children, after }) {
  return html`
    <${Page} narrow>
      <section class="statement">
        <h1>${title}</h1>
        <p>${text}</p>
        <div class="actions">${children}</div>
        ${after}
      </section>
    </${Page}>`;
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** For the title of what has just taken the place of something else: the focus goes there, once. */
export function useFocus() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => element.current?.focus(), []);
  return element;
}

/** Colours the page at once; the next page finds the theme where it is remembered. @param {string} theme */
export function showTheme(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Hands the person a file. @param {string} name @param {Blob} content */
export function saveFile(name, content) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
