// Calling a meeting off: of a series this one, or all of them.

/** @import { Entry } from '../../api-meetings.js' */
/** @import { Scope } from './parts.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import { cancelMeeting, cancelOccurrence } from '../../api-meetings.js';
import { t } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { Dialog, html } from '../ui.js';
import { ScopeChoice, whenOf } from './parts.js';

/** @param {{ entry: Entry, onDone: () => void, onClose: () => void }} props */
export function CancelDialog({ entry, onDone, onClose }) {
  const [scope, setScope] = useState(/** @type {Scope} */ (entry.rrule ? 'one' : 'series'));
  const { busy, problem, act } = useAct();
  const cancel = async () => {
    const done = await act(() => (scope === 'one' ? cancelOccurrence(entry.id, entry.occurrence.recurrence_id) : cancelMeeting(entry.id)));
    if (done) onDone();
  };
  return html`
    <${Dialog} title=${t('meet.cancelTitle', { title: entry.title })} onClose=${onClose} class="confirm">
      ${entry.rrule && html`<${ScopeChoice} legend=${t('meet.cancelWhat')} entry=${entry} scope=${scope} onScope=${setScope} />`}
      <p>${t(entry.rrule && scope === 'series' ? 'meet.cancelSeries' : 'meet.cancelOne', { when: whenOf(entry) })}</p>
      <p>${t('meet.cancelTold')}</p>
      <${Problem} text=${problem} />
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('meet.keep')}</button>
        <button type="button" class="button danger" disabled=${busy} onClick=${() => void cancel()}>${t('meet.cancel')}</button>
      </div>
    </${Dialog}>`;
}
