// The calendar feed: making its address, which is shown once, making another one, and ending it.

import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-notifications.js';
import { dateOf, t } from '../../i18n.js';
import { Problem, Waiting, useAct, useLoaded } from '../act.js';
import { toast } from '../toast.js';
import { ConfirmDialog, Icon, html, copy, useFocus } from '../ui.js';

/** @param {{ url: string }} props */
function Made({ url }) {
  const how = useFocus();
  const take = async () => toast(t(await copy(url) ? 'feed.copied' : 'feed.notCopied'));
  return html`
    <div class="link-box">
      <p ref=${how} tabindex="-1">${t('feed.how')}</p>
      <code class="link-text">${url}</code>
      <p class="quiet-text">${t('feed.once')}</p>
      <div class="actions"><button type="button" class="button primary" onClick=${() => void take()}><${Icon} name="copy" />${t('feed.copy')}</button></div>
    </div>`;
}

export function CalendarFeed() {
  const { value, problem, reload } = useLoaded(api.feed);
  const [url, setUrl] = useState('');
  const [asking, setAsking] = useState(/** @type {'renew' | 'end' | null} */ (null));
  const { busy, problem: failed, act } = useAct();
  const make = () => void act(async () => {
    setUrl((await api.makeFeed()).url);
    await reload();
  });
  const end = () => void act(async () => {
    await api.endFeed();
    setUrl('');
    toast(t('feed.ended'));
    await reload();
  });
  return html`
    <section class="card" id="calendar-feed" aria-labelledby="feed-title">
      <div class="card-words">
        <h2 id="feed-title">${t('feed.title')}</h2>
        <p class="quiet-text">${t('feed.text')}</p>
        ${value?.made_at && html`<p>${t('feed.made', { date: dateOf(value.made_at) })}</p>`}
      </div>
      ${!value && html`<${Waiting} problem=${problem} />`}
      ${url && html`<${Made} key=${url} url=${url} />`}
      <${Problem} text=${failed} />
      ${value && html`
        <div class="actions">
          ${value.enabled
            ? html`
              <button type="button" class="button" disabled=${busy} onClick=${() => setAsking('renew')}>${t('feed.renew')}…</button>
              <button type="button" class="button danger-quiet" disabled=${busy} onClick=${() => setAsking('end')}>${t('feed.end')}…</button>`
            : html`<button type="button" class="button" disabled=${busy} onClick=${make}>${t('feed.make')}</button>`}
        </div>`}
      ${asking === 'renew' && html`
        <${ConfirmDialog} title=${t('feed.renew')} plan=${[t('feed.renewPlan')]} action=${t('feed.renew')} onConfirm=${make} onClose=${() => setAsking(null)} />`}
      ${asking === 'end' && html`
        <${ConfirmDialog} title=${t('feed.endTitle')} plan=${[t('feed.endPlan')]} action=${t('feed.end')} onConfirm=${end} onClose=${() => setAsking(null)} />`}
    </section>`;
}
