// Says that the privacy notice changed, until the person has read it or puts it off. Nothing is agreed to by it.

/** @import { NoticeState } from '../api.js' */
import { useState } from '../../vendor/preact-hooks.js';
import { noticeRead } from '../api-privacy.js';
import { chosenLanguage, t } from '../i18n.js';
import { Problem, useAct } from './act.js';
import { Note, html } from './ui.js';

/** @param {{ notice: NoticeState, onRead: () => unknown }} props */
export function NoticeNote({ notice, onRead }) {
  const [later, setLater] = useState(false);
  const { busy, problem, act } = useAct();
  if (!notice.needs_acknowledgement || later) return null;
  const read = () => act(async () => {
    await noticeRead(notice.version, chosenLanguage());
    await onRead();
  });
  return html`
    <${Note} tone="amber" icon="circle-alert">
      <p>${t(notice.version > 1 ? 'notice.changed' : 'notice.first')} <a href="/privacy">${t('notice.open')}</a></p>
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button small" disabled=${busy} onClick=${read}>${t('notice.read')}</button>
        <button type="button" class="button small" onClick=${() => setLater(true)}>${t('notice.later')}</button>
      </div>
    </${Note}>`;
}
