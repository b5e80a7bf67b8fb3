// Signing in to an account that waits to be erased: to have it back, or to leave it so, is equally easy.

/** @import { SignedIn } from '../api.js' */
import { useState } from '../../vendor/preact-hooks.js';
import { dateOf, t } from '../i18n.js';
import { dayIn } from '../models/periods.js';
import { Problem, useAct } from './act.js';
import { Page, Statement, html, useFocus } from './ui.js';

/** @param {{ detail: string, keep: () => Promise<SignedIn>, onKept: (answer: SignedIn) => void }} props */
export function PendingErasure({ detail, keep, onKept }) {
  const [left, setLeft] = useState(false);
  const { busy, problem, act } = useAct();
  const title = useFocus();
  const dayMs = dayIn(detail);
  const home = html`<a class="button" href="/">${t('app.back')}</a>`;
  if (left) return html`<${Statement} title=${t('signIn.leftTitle')} text=${t('signIn.left')}>${home}</${Statement}>`;
  if (dayMs === null) return html`<${Statement} title=${t('signIn.pendingTitle')} text=${t('signIn.pendingNow')}>${home}</${Statement}>`;
  const haveBack = () => void act(async () => onKept(await keep()));
  return html`
    <${Page} narrow>
      <section class="card account" aria-labelledby="pending">
        <h1 id="pending" ref=${title} tabindex="-1">${t('signIn.pendingTitle')}</h1>
        <p>${t('signIn.pending', { date: dateOf(dayMs) })}</p>
        <${Problem} text=${problem} />
        <div class="equal">
          <button type="button" class="button" disabled=${busy} onClick=${haveBack}>${t('signIn.keep')}</button>
          <button type="button" class="button" onClick=${() => setLeft(true)}>${t('signIn.leave')}</button>
        </div>
      </section>
    </${Page}>`;
}
