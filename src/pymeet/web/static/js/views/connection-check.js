// The connection check as a dialog: hop by hop, in plain words.

/** @import { Hop, Outcome } from '../models/connection-check.js' */
/** @import { Devices } from '../models/devices.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import { connectionCheck } from '../api-check.js';
import { t } from '../i18n.js';
import { opens, reaches } from '../media/ways.js';
import { ConnectionCheck, verdictOf } from '../models/connection-check.js';
import { Dialog, Icon, Note, html } from './ui.js';

const HOPS = /** @type {const} */ (['page', 'messages', 'udp', 'tcp', 'relay']);
const ICONS = { runs: 'loader-circle', ok: 'check', fail: 'circle-alert', off: 'circle-slash' };
const ALL_WELL = /** @type {const} */ ({ tone: 'plain', icon: ICONS.ok });
const BLOCKED = /** @type {const} */ ({ tone: 'amber', icon: ICONS.fail });

/** @param {{ slug: string, devices: Devices, onClose: () => void }} props */
export function ConnectionCheckDialog({ slug, devices, onClose }) {
  const [check] = useState(() => new ConnectionCheck({
    ask: () => connectionCheck(slug),
    opens: () => opens(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/${encodeURIComponent(slug)}`),
    reaches,
  }));
  useEffect(() => {
    void check.start();
    return () => check.stop();
  }, [check]);
  const outcomes = check.outcomes.value;
  const place = { port: check.port.value, host: location.hostname };
  const verdict = verdictOf(outcomes);
  const text = (/** @type {Hop} */ hop, /** @type {Outcome} */ outcome) => (outcome === 'runs' ? t('check.runs') : t(`check.${hop}.${outcome}`, place));
  return html`
    <${Dialog} title=${t('check.title')} onClose=${onClose}>
      <p>${t('check.text')}</p>
      <ul class="check-hops">
        ${HOPS.map((hop) => outcomes[hop] && html`<${Row} key=${hop} name=${t(`check.${hop}`)} state=${outcomes[hop]} text=${text(hop, outcomes[hop])} />`)}
        <${Device} devices=${devices} kind="microphone" />
        <${Device} devices=${devices} kind="camera" />
      </ul>
      <div class="check-verdict" aria-live="polite">
        ${verdict && html`<${Note} ...${verdict === 'good' ? ALL_WELL : BLOCKED}><p>${t(`check.verdict.${verdict}`, place)}</p></${Note}>`}
      </div>
      <div class="actions">
        <button type="button" class="button" disabled=${verdict === null} onClick=${() => void check.start()}>${t('check.again')}</button>
      </div>
    </${Dialog}>`;
}

/** @param {{ name: string, state: Outcome | 'off', text: string }} props */
function Row({ name, state, text }) {
  return html`
    <li class=${`check-hop ${state}`}>
      <${Icon} name=${ICONS[state]} class=${state === 'runs' ? 'turning' : ''} />
      <div><strong>${name}</strong><p>${text}</p></div>
    </li>`;
}

/** What is known of a device without asking for it. @param {{ devices: Devices, kind: 'microphone' | 'camera' }} props */
function Device({ devices, kind }) {
  const problem = devices.problems[kind].value;
  const works = devices[kind].value !== null;
  const text = problem ? t(`problem.${kind}.${problem}`) : t(works ? `check.${kind}.ok` : 'check.off');
  return html`<${Row} name=${t(`check.${kind}`)} state=${problem ? 'fail' : works ? 'ok' : 'off'} text=${text} />`;
}
