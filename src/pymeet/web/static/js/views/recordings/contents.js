// What one can jump to: who spoke, markers, shared screens, and the chat where it was kept.

/** @import { RecordingEvent } from '../../api-recordings.js' */
/** @import { Item } from '../../models/recording-time.js' */
/** @import { Playback } from './playback.js' */
import { computed } from '../../../vendor/signals-core.js';
import { useMemo, useState } from '../../../vendor/preact-hooks.js';
import { t } from '../../i18n.js';
import { clockOf, currentOf, itemsOf, startOf } from '../../models/recording-time.js';
import { Select } from '../admin/parts.js';
import { Icon, html } from '../ui.js';

const KINDS = /** @type {const} */ (['spoke', 'marker', 'message', 'shared']);
const ICONS = { spoke: 'mic', marker: 'bookmark', message: 'message-square', shared: 'monitor-up', present: 'users' };

/** @param {Item} item */
function wordsOf({ kind, name, text }) {
  if (kind === 'marker') return html`<strong>${text || t('rec.item.marker')}</strong>`;
  if (kind === 'message') return html`<span><span class="item-who">${t('rec.item.message', { name })}</span> ${text}</span>`;
  return html`<span>${kind === 'shared' ? t('rec.item.shared', { name }) : name}</span>`;
}

/** What there is to jump to; where there is nothing, the film has the room for itself.
 * @param {RecordingEvent[]} events @param {{ id?: string, name: string }[]} people */
export const useItems = (events, people) => useMemo(() => itemsOf(events, people), [events, people]);

/** @param {{ items: Item[], playback: Playback }} props */
export function Contents({ items, playback }) {
  const [only, setOnly] = useState('all');
  const kinds = KINDS.filter((kind) => items.some((item) => item.kind === kind));
  const shown = useMemo(() => items.filter(({ kind }) => only === 'all' || kind === only), [items, only]);
  // A long list is drawn anew when another item begins, not whenever the film goes on.
  const current = useMemo(() => computed(() => currentOf(shown, playback.at.value)), [shown, playback]).value;
  const options = [['all', t('rec.only.all')], ...kinds.map((kind) => [kind, t(`rec.only.${kind}`)])];
  return html`
    <section class="card contents" aria-labelledby="contents-title">
      <div class="contents-head">
        <h2 id="contents-title">${t('rec.contents')}</h2>
        ${kinds.length > 1 && html`<${Select} label=${t('rec.only')} value=${only} options=${options} onChange=${setOnly} />`}
      </div>
      <ol class="items">
        ${shown.map((item, index) => html`
          <li><button type="button" class="item" aria-current=${index === current ? 'true' : undefined} onClick=${() => playback.seek(startOf(item))}>
            <span class="item-time">${clockOf(item.begins_at)}</span><${Icon} name=${ICONS[item.kind]} />${wordsOf(item)}</button></li>`)}
      </ol>
    </section>`;
}
