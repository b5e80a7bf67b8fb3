// Recovery codes, shown once. They take the whole page, so that no stray press closes them before they are kept.

import { useState } from '../../../vendor/preact-hooks.js';
import { t, tn } from '../../i18n.js';
import { recoveryFile } from '../../models/second-factor.js';
import { toast } from '../toast.js';
import { Icon, Note, copy, html, saveFile, useFocus } from '../ui.js';

/** @param {{ codes: string[], onKept: () => void }} props */
export function RecoveryCodes({ codes, onKept }) {
  const [kept, setKept] = useState(false);
  const title = useFocus();
  const download = () => {
    const text = recoveryFile(t('codes.fileTitle', { host: location.host }), t('codes.each'), codes);
    saveFile('pymeet-recovery-codes.txt', new Blob([text], { type: 'text/plain' }));
  };
  const copyAll = async () => toast(t(await copy(codes.join('\n')) ? 'codes.copied' : 'codes.notCopied'));
  return html`
    <section class="card codes-card" aria-labelledby="codes-title">
      <h1 id="codes-title" ref=${title} tabindex="-1">${t('codes.title')}</h1>
      <p>${t('codes.text')}</p>
      <p class="print-only">${t('codes.fileTitle', { host: location.host })}</p>
      <ol class="codes">${codes.map((code) => html`<li key=${code}><code>${code}</code></li>`)}</ol>
      <p class="quiet-text">${t('codes.each')}</p>
      <div class="actions no-print">
        <button type="button" class="button" onClick=${download}><${Icon} name="download" />${t('codes.download')}</button>
        <button type="button" class="button" onClick=${() => window.print()}><${Icon} name="printer" />${t('codes.print')}</button>
        <button type="button" class="button" onClick=${() => void copyAll()}><${Icon} name="copy" />${t('codes.copy')}</button>
      </div>
      <div class="no-print codes-end">
        <${Note} tone="amber" icon="circle-alert"><p>${t('codes.once')}</p></${Note}>
        <label class="check"><input type="checkbox" checked=${kept} onChange=${() => setKept(!kept)} />${t('codes.kept')}</label>
        <button type="button" class="button primary" disabled=${!kept} onClick=${onKept}>${t('codes.done')}</button>
      </div>
    </section>`;
}

/** How many are left, in words. @param {number} left */
export const codesLeft = (left) => (left ? tn('codes.left', left) : t('codes.none'));
