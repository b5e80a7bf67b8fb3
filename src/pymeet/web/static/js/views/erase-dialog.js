// Before an account is erased: what goes, when, and how to think better of it. To keep it is as easy as to go on.

/** @import { KeptClass } from '../api-privacy.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import { call } from '../api.js';
import { eraseMe } from '../api-privacy.js';
import { numberOf, t } from '../i18n.js';
import { Problem, useAct } from './act.js';
import { useConfirming } from './confirming.js';
import { Dialog, html } from './ui.js';

/** What the privacy notice says about Article 17 here, with the days there are to think better of it. */
async function eraseSentence() {
  const notice = await call('GET', '/privacy');
  const rights = /** @type {{ article: string, how: string }[]} */ (notice.rights);
  return rights.find(({ article }) => article.endsWith(' 17'))?.how ?? '';
}

/** @param {{ classes: KeptClass[] }} props */
export function ErasePlan({ classes }) {
  return html`
    <ul class="plan">
      ${classes.map((kept) => html`<li key=${kept.name}><span>${kept.title}</span><span>${numberOf(kept.count)}</span></li>`)}
    </ul>`;
}

/** @param {{ classes: KeptClass[], onErased: (ended: { status: string, erasedAfter: number }) => void, onClose: () => void }} props */
export function EraseDialog({ classes, onErased, onClose }) {
  const [how, setHow] = useState('');
  const { busy, problem, setProblem, act } = useAct();
  useEffect(() => { void act(async () => setHow(await eraseSentence())); }, []);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void act(async () => {
      const { status, erased_after: erasedAfter } = await eraseMe(who.password);
      onErased({ status, erasedAfter });
    });
  };
  const who = useConfirming({ label: t('erase.password'), onChange: () => setProblem('') });
  return html`
    <${Dialog} title=${t('erase.title')} onClose=${onClose}>
      <p>${how}</p>
      <div class="plan-part">
        <h3>${t('erase.what')}</h3>
        <${ErasePlan} classes=${classes} />
        <p class="quiet-text">${t('erase.stays')}</p>
      </div>
      <form class="erase-form" onSubmit=${submit}>
        <${Problem} text=${problem} />
        ${who.field}
        <div class="equal">
          <button type="button" class="button" onClick=${onClose}>${t('erase.keep')}</button>
          <button type="submit" class="button" disabled=${busy || !how || !who.ready}>${t('erase.do')}</button>
        </div>
      </form>
    </${Dialog}>`;
}
