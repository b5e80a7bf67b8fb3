// The newest recordings on the start page, with the date on which each will be deleted.

/** @import { RecordingRow } from '../../api-recordings.js' */
import { useEffect, useState } from '../../../vendor/preact-hooks.js';
import { ApiError } from '../../api.js';
import { recordings } from '../../api-recordings.js';
import { momentOf, t } from '../../i18n.js';
import { inOrder } from '../../models/recordings.js';
import { html } from '../ui.js';
import { nameOf, pageOf, untilWords } from './parts.js';

const SHOWN = 3;

/** Nothing where there is nothing to show. */
export function LatestRecordings() {
  const [rows, setRows] = useState(/** @type {RecordingRow[]} */ ([]));
  useEffect(() => {
    recordings('all')
      .then((answer) => setRows(inOrder(answer.recordings)))
      // The rest of the page says when the server does not answer.
      .catch((error) => { if (!(error instanceof ApiError)) throw error; });
  }, []);
  return html`
    <section class="card rooms" aria-labelledby="recordings-title">
      <h2 id="recordings-title">${t('rec.title')}</h2>
      ${rows.length === 0 && html`<p class="quiet-text">${t('rec.none')}</p>`}
      ${rows.length > 0 && html`
        <ul class="room-list">
          ${rows.slice(0, SHOWN).map((row) => html`
            <li key=${row.id} class="room-row"><div class="room-words">
              <h3><a href=${pageOf(row.id)}>${nameOf(row)}</a></h3>
              <p class="quiet-text"><span>${momentOf(row.started_at)}</span><span>${untilWords(row)}</span></p>
            </div></li>`)}
        </ul>`}
      <p><a href="/recordings">${t('rec.all')}</a></p>
    </section>`;
}
