// /rsvp#<token>: an invitation, and the answer to it. The token leaves the address at once and travels in bodies only;
// this tab's history keeps it, so that a reload works.

/** @import { Answer, Invitation } from '../api-meetings.js' */
import '../schedule-words.js';
import { signal } from '../../vendor/signals-core.js';
import { ApiError } from '../api.js';
import { answerInvitation, inspectInvitation } from '../api-meetings.js';
import { dateOf, momentOf, t } from '../i18n.js';
import { Problem, useAct } from '../views/act.js';
import { AnswerButtons } from '../views/schedule/answer.js';
import { Note, Page, Statement, html, start } from '../views/ui.js';

const found = signal(/** @type {Invitation | null} */ (null));
const missing = signal(/** @type {'no_link' | 'gone' | 'unreachable' | null} */ (null));
let token = '';

async function open() {
  try {
    found.value = await inspectInvitation(token);
    missing.value = null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    missing.value = error.status === 404 || error.status === 400 ? 'gone' : 'unreachable';
  }
}

function take() {
  const inAddress = location.hash.slice(1);
  token = inAddress || history.state?.token || '';
  if (inAddress) history.replaceState({ token }, '', location.pathname);
  found.value = null;
  missing.value = token ? null : 'no_link';
  if (token) void open();
}

/** @param {{ invitation: Invitation }} props */
function Shown({ invitation }) {
  const { busy, problem, act } = useAct();
  const { title, organiser, occurrence, all_day: allDay, agenda, answer, room } = invitation;
  const say = (/** @type {Answer} */ word) => void act(async () => { found.value = await answerInvitation(token, word); });
  return html`
    <section class="card">
      <h1>${title}</h1>
      <p>${t('meet.by', { name: organiser })}</p>
      <p>${occurrence ? (allDay ? dateOf : momentOf)(occurrence.starts_at) : t('rsvp.none')}</p>
      ${agenda && html`<p>${agenda}</p>`}
      <h2>${t('rsvp.question')}</h2>
      <${AnswerButtons} label=${t('rsvp.question')} answer=${answer} busy=${busy} onAnswer=${say} />
      ${answer !== 'none' && html`<${Note}><p>${t('rsvp.said')}</p></${Note}>`}
      <${Problem} text=${problem} />
      <p><a href=${`/r/${encodeURIComponent(room.slug)}`}>${t('meet.join')}</a></p>
    </section>`;
}

function Rsvp() {
  const back = html`<a class="button" href="/">${t('app.back')}</a>`;
  if (missing.value === 'no_link') return html`<${Statement} title=${t('rsvp.title')} text=${t('rsvp.noLink')}>${back}</${Statement}>`;
  if (missing.value === 'gone') return html`<${Statement} title=${t('rsvp.title')} text=${t('rsvp.gone')}>${back}</${Statement}>`;
  if (missing.value === 'unreachable') {
    return html`
      <${Statement} title=${t('rsvp.title')} text=${t('start.unreachable')}>
        <button type="button" class="button primary" onClick=${() => void open()}>${t('app.again')}</button></${Statement}>`;
  }
  if (!found.value) return html`<${Page} narrow><p class="quiet-text" role="status">${t('app.loading')}</p></${Page}>`;
  return html`<${Page} narrow><${Shown} invitation=${found.value} /></${Page}>`;
}

// Another link opened in this tab differs in its fragment only, for which the browser loads nothing.
window.addEventListener('hashchange', () => { if (location.hash) take(); });
take();
void start('rsvp.title', () => html`<${Rsvp} />`);
