// What is kept about somebody and what they decided, in tables: for members and guests alike.

/** @import { Consent, KeptClass, OwnRequest } from '../api-privacy.js' */
import { useId, useState } from '../../vendor/preact-hooks.js';
import { dateOf, momentOf, sentence, t, tn } from '../i18n.js';
import { Problem, useAct } from './act.js';
import { toast } from './toast.js';
import { ConfirmDialog, html } from './ui.js';

/** @param {{ kept: KeptClass }} props */
function KeptRow({ kept }) {
  const { period, begins, gone_by: goneBy } = kept.keep;
  return html`
    <tr>
      <th scope="row">
        <span class="kept-title">${kept.title}</span> <span class="kept-count">${tn('data.entries', kept.count)}</span>
        <span class="kept-why">${kept.purpose}</span>
        <span class="quiet-text">${sentence(kept.basis)}</span>
      </th>
      <td data-label=${t('data.who')}>${sentence(kept.recipients.join(', '))}</td>
      <td data-label=${t('data.until')}>
        <span>${sentence(`${period} ${begins}`.trim())}</span>
        ${goneBy !== null && html`<span class="quiet-text">${t('data.goneBy', { date: dateOf(goneBy) })}</span>`}
      </td>
    </tr>`;
}

/** @param {{ classes: KeptClass[] }} props */
export function KeptTable({ classes }) {
  return html`
    <table class="kept">
      <thead><tr><th scope="col">${t('data.what')}</th><th scope="col">${t('data.who')}</th><th scope="col">${t('data.until')}</th></tr></thead>
      <tbody>${classes.map((kept) => html`<${KeptRow} key=${kept.name} kept=${kept} />`)}</tbody>
    </table>`;
}

/** One right: what it does, and the control for it. @param {{ title: string, text: string, children: any }} props */
export function Right({ title, text, children }) {
  return html`<section class="right"><h3>${title}</h3><p>${text}</p>${children}</section>`;
}

/** A switch that says its state in words too. @param {{ label: string, on: boolean, busy: boolean, onChange: (on: boolean) => void }} props */
export function Switch({ label, on, busy, onChange }) {
  const id = useId();
  return html`
    <div class="switch-row">
      <span id=${id}>${label}</span>
      <button type="button" class="switch" role="switch" aria-checked=${String(on)} aria-labelledby=${id} disabled=${busy} onClick=${() => onChange(!on)}>
        <span class="switch-track" aria-hidden="true"><span class="switch-knob"></span></span>
        <span class="switch-word">${t(on ? 'data.on' : 'data.off')}</span>
      </button>
    </div>`;
}

/** A consent can be taken back while nothing later was decided about the same, which may be one of many recordings.
 * @param {Consent} consent @param {readonly Consent[]} all */
export function mayWithdraw(consent, all) {
  const same = (/** @type {Consent} */ other) => other.purpose === consent.purpose && other.recording === consent.recording;
  return consent.decision === 'given' && !all.some((other) => same(other) && other.at > consent.at);
}

/**
 * @param {object} props
 * @param {Consent[]} props.consents
 * @param {boolean} props.busy
 * @param {(consent: Consent) => void} props.onWithdraw
 * @param {(id: string) => string} [props.receiptOf] the address of a receipt
 */
function Consents({ consents, busy, onWithdraw, receiptOf }) {
  if (!consents.length) return html`<p class="quiet-text">${t('consent.none')}</p>`;
  return html`
    <ol class="timeline">
      ${[...consents].sort((a, b) => b.at - a.at).map((each) => html`
        <li key=${each.id}>
          <div class="timeline-words">
            <p><strong>${t(`purpose.${each.purpose}`)}</strong> · ${t(`choice.${each.decision}`)}</p>
            <p class="quiet-text">${momentOf(each.at)} · ${t('consent.text', { version: each.notice_version, language: each.language })}</p>
          </div>
          <div class="actions">
            ${receiptOf && html`<a class="button small" href=${receiptOf(each.id)} download>${t('consent.receipt')}</a>`}
            ${mayWithdraw(each, consents) && html`
              <button type="button" class="button small" disabled=${busy} onClick=${() => onWithdraw(each)}>${t('consent.withdraw')}</button>`}
          </div>
        </li>`)}
    </ol>`;
}

/**
 * What somebody decided, and how they take a consent back.
 * @param {object} props
 * @param {Consent[]} props.consents
 * @param {(id: string) => Promise<unknown>} props.withdraw
 * @param {() => Promise<void>} props.reload
 * @param {(id: string) => string} [props.receiptOf] the address of a receipt
 */
export function ConsentCard({ consents, withdraw, reload, receiptOf }) {
  const [asking, setAsking] = useState(/** @type {Consent | null} */ (null));
  const { busy, problem, act } = useAct();
  const id = useId();
  const takeBack = (/** @type {Consent} */ consent) => void act(async () => {
    try {
      await withdraw(consent.id);
      toast(t('consent.withdrawn'));
    } finally {
      // The consent has ended also where a legal hold keeps what was recorded.
      await reload();
    }
  });
  const plan = asking && [t(`purpose.${asking.purpose}`), t('consent.ask'), ...(asking.purpose === 'recording' ? [t('consent.askRecording')] : [])];
  return html`
    <section class="card" aria-labelledby=${id}>
      <h2 id=${id}>${t('consent.title')}</h2>
      <${Problem} text=${problem} />
      <${Consents} consents=${consents} busy=${busy} onWithdraw=${setAsking} receiptOf=${receiptOf} />
      ${asking && html`
        <${ConfirmDialog} title=${t('consent.askTitle')} plan=${plan} action=${t('consent.withdraw')}
          onConfirm=${() => takeBack(asking)} onClose=${() => setAsking(null)} />`}
    </section>`;
}

/** @param {{ requests: OwnRequest[] }} props */
export function OwnRequests({ requests }) {
  if (!requests.length) return html`<p class="quiet-text">${t('request.none')}</p>`;
  return html`
    <ol class="timeline">
      ${requests.map((each) => html`
        <li key=${each.id}>
          <div class="timeline-words">
            <p><strong>${t(`rightName.${each.right}`)}</strong> · ${t(each.decision ? `decision.${each.decision}` : `state.${each.state}`)}</p>
            <p class="quiet-text">${t('request.received', { date: dateOf(each.received_at) })} · ${each.closed_at
              ? t('request.answered', { date: dateOf(each.closed_at) })
              : t('request.due', { date: dateOf(each.due_at) })}</p>
          </div>
        </li>`)}
    </ol>`;
}
