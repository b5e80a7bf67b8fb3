// Where one is signed in, and which browsers skip the second step.

/** @import { KnownDevice, Security, SessionShown } from '../../api-accounts.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-accounts.js';
import { dateOf, momentOf, t } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { toast } from '../toast.js';
import { ConfirmDialog, Icon, html } from '../ui.js';
import { Line } from './parts.js';

/** @typedef {{ security: Security, reload: () => Promise<unknown> }} Props */

/** The present one first, then by when they were used. @param {readonly SessionShown[]} sessions */
const inOrder = (sessions) => [...sessions].sort((a, b) => Number(b.current) - Number(a.current) || b.last_seen_at - a.last_seen_at);

const Here = () => html`<span class="mark good"><${Icon} name="check" />${t('security.here')}</span>`;

/** @param {Props} props */
export function Sessions({ security, reload }) {
  const [asking, setAsking] = useState(false);
  const { busy, problem, act } = useAct();
  const others = security.sessions.length > 1;
  const end = (/** @type {() => Promise<unknown>} */ work, /** @type {string} */ words) => void act(async () => {
    await work();
    toast(words);
    await reload();
  });
  const nameOf = (/** @type {SessionShown} */ { device }) => device || t('security.unknownDevice');
  return html`
    <section class="card" aria-labelledby="sessions-title">
      <div class="card-head">
        <div class="card-words"><h2 id="sessions-title">${t('security.sessions')}</h2><p class="quiet-text">${t('security.sessionsText')}</p></div>
        ${others && html`<button type="button" class="button" disabled=${busy} onClick=${() => setAsking(true)}>${t('security.endOthers')}…</button>`}
      </div>
      <${Problem} text=${problem} />
      <ul class="timeline">
        ${inOrder(security.sessions).map((session) => html`
          <${Line} key=${session.id} title=${nameOf(session)} mark=${session.current && html`<${Here} />`}
            below=${`${t('security.signedIn', { moment: momentOf(session.created_at) })} · ${t('security.until', { date: dateOf(session.expires_at) })}`}>
            ${!session.current && html`
              <button type="button" class="button small" disabled=${busy} aria-label=${t('security.endOf', { device: nameOf(session) })}
                onClick=${() => end(() => api.endSession(session.id), t('security.ended'))}>${t('start.signOut')}</button>`}
          </${Line}>`)}
      </ul>
      ${asking && html`
        <${ConfirmDialog} title=${t('security.endOthersTitle')} plan=${[t('security.endOthersPlan')]} action=${t('security.endOthers')}
          onConfirm=${() => end(api.endOtherSessions, t('security.othersEnded'))} onClose=${() => setAsking(false)} />`}
    </section>`;
}

/** @param {Props} props */
export function KnownDevices({ security, reload }) {
  const { busy, problem, act } = useAct();
  if (!security.devices.length) return null;
  const forget = (/** @type {KnownDevice} */ device) => void act(async () => {
    await api.forgetDevice(device.id);
    toast(t('security.forgotten'));
    await reload();
  });
  const nameOf = (/** @type {KnownDevice} */ { name }) => name || t('security.unknownDevice');
  const below = (/** @type {KnownDevice} */ { created_at: since, trusted_until: until }) =>
    [t('security.since', { date: dateOf(since) }), ...(until ? [t('security.trusted', { date: dateOf(until) })] : [])].join(' · ');
  return html`
    <section class="card" aria-labelledby="devices-title">
      <div class="card-words"><h2 id="devices-title">${t('security.devices')}</h2><p class="quiet-text">${t('security.devicesText')}</p></div>
      <${Problem} text=${problem} />
      <ul class="timeline">
        ${security.devices.map((device) => html`
          <${Line} key=${device.id} title=${nameOf(device)} below=${below(device)} mark=${device.current && html`<${Here} />`}>
            <button type="button" class="button small" disabled=${busy} aria-label=${t('security.forgetOf', { device: nameOf(device) })}
              onClick=${() => forget(device)}>${t('security.forget')}</button>
          </${Line}>`)}
      </ul>
    </section>`;
}
