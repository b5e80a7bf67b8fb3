// The sheet of keyboard shortcuts.

import { t } from '../i18n.js';
import { shortcutsWanted } from '../models/choices.js';
import { SHORTCUTS } from '../models/shortcuts.js';
import { Dialog, Note, html } from './ui.js';

/** @param {{ onClose: () => void }} props */
export function Keys({ onClose }) {
  return html`
    <${Dialog} title=${t('keys.title')} onClose=${onClose} class="keys">
      ${!shortcutsWanted() && html`<${Note}>${t('keys.off')}</${Note}>`}
      <dl class="key-list">
        ${Object.entries(SHORTCUTS).map(([key, action]) => html`
          <div><dt>${t(`keys.${action}`)}</dt><dd><kbd>${key.toUpperCase()}</kbd></dd></div>`)}
        <div><dt>${t('keys.escape')}</dt><dd><kbd>${t('keys.escapeKey')}</kbd></dd></div>
      </dl>
    </${Dialog}>`;
}
