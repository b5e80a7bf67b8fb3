// On the pages about one's own data: the recordings somebody is in, and the way out of them.

/** @import { GuestRecording, RecordingRow } from '../../api-recordings.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import { ApiError } from '../../api.js';
import * as api from '../../api-recordings.js';
import { momentOf, t } from '../../i18n.js';
import { inOrder } from '../../models/recordings.js';
import { html } from '../ui.js';
import { nameOf, pageOf, untilWords } from './parts.js';
import { RemoveDialog } from './people.js';

/** @typedef {{ id: string, name: string, room: string | null, started_at: number, ended_at: number | null, delete_at: number | null, open: boolean }} Mine */

/** @param {{ mine: Mine[], none: string, remove: (id: string) => Promise<unknown> }} props */
function MineCard({ mine, none, remove }) {
  const [asking, setAsking] = useState(/** @type {Mine | null} */ (null));
  return html`
    <section class="card" aria-labelledby="mine-title">
      <h2 id="mine-title">${t('rec.mine')}</h2>
      ${mine.length === 0 && html`<p class="quiet-text">${none}</p>`}
      ${mine.length > 0 && html`
        <ul class="timeline">${mine.map((each) => html`
          <li key=${each.id}>
            <div class="timeline-words">
              <p>${each.open ? html`<a href=${pageOf(each.id)}>${nameOf(each)}</a>` : html`<strong>${nameOf(each)}</strong>`}</p>
              <p class="quiet-text">${[momentOf(each.started_at), ...(each.room ? [t('rec.in', { room: each.room })] : [])].join(' · ')}</p>
              <p class="quiet-text">${each.ended_at === null ? t('rec.state.recording') : untilWords({ ...each, pinned_until: null, trashed_at: null })}</p>
            </div>
            <button type="button" class="button small danger-quiet" aria-label=${t('rec.removeYouOf', { name: nameOf(each) })} onClick=${() => setAsking(each)}>${t('rec.removeYou')}</button>
          </li>`)}</ul>`}
      ${asking && html`
        <${RemoveDialog} name=${nameOf(asking)} you running=${asking.ended_at === null} remove=${() => remove(asking.id)} onClose=${() => setAsking(null)} />`}
    </section>`;
}

/** @param {{ onRemoved: () => Promise<unknown> }} props */
export function MyRecordings({ onRemoved }) {
  const [rows, setRows] = useState(/** @type {RecordingRow[] | null} */ (null));
  const load = async () => {
    try {
      const { recordings } = await api.recordings('all');
      setRows(inOrder(recordings.filter(({ people }) => people.some(({ you }) => you))));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  };
  useEffect(() => { void load(); }, []);
  if (!rows) return null;
  const mine = rows.map((row) => ({ ...row, room: row.room.name, open: true }));
  const remove = async (/** @type {string} */ id) => {
    const you = rows.find((row) => row.id === id)?.people.find((person) => person.you);
    try {
      if (you?.id) await api.removePerson(id, you.id);
    } finally {
      await Promise.all([load(), onRemoved()]);
    }
  };
  return html`<${MineCard} mine=${mine} none=${t('rec.mineNone')} remove=${remove} />`;
}

/** @param {{ receipt: string, recordings: GuestRecording[], onRemoved: () => Promise<unknown> }} props */
export function GuestRecordings({ receipt, recordings, onRemoved }) {
  const remove = async (/** @type {string} */ id) => {
    try {
      await api.removeGuest(receipt, id);
    } finally {
      await onRemoved();
    }
  };
  return html`<${MineCard} mine=${recordings.map((each) => ({ ...each, open: false }))} none=${t('rec.mineGuestNone')} remove=${remove} />`;
}
