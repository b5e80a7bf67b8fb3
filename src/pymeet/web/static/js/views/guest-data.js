// What the server holds about a guest of one meeting, opened with the receipt from joining.

/** @import { GuestShown, OwnData } from '../api-privacy.js' */
/** @import { KeptReceipt } from '../models/receipts.js' */
import { useState } from '../../vendor/preact-hooks.js';
import * as api from '../api-privacy.js';
import { chosenLanguage, momentOf, t } from '../i18n.js';
import { receiptIn } from '../models/receipts.js';
import { Problem, useAct } from './act.js';
import { ConsentCard, KeptTable, OwnRequests, Right, Switch } from './data.js';
import { ErasePlan } from './erase-dialog.js';
import { SaveReceipt } from './receipt.js';
import { GuestRecordings } from './recordings/mine.js';
import { Dialog, Field, Icon, html, saveFile } from './ui.js';

/** @typedef {{ receipt: string, data: OwnData<GuestShown>, reload: () => Promise<void>, onErased: (status: string) => void }} Props */

/** @param {{ kept: KeptReceipt[], problem: string, onReceipt: (receipt: string) => void }} props */
export function AskForReceipt({ kept, problem, onReceipt }) {
  const [typed, setTyped] = useState('');
  const [error, setError] = useState('');
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const receipt = receiptIn(typed);
    if (receipt) onReceipt(receipt);
    else setError(t('guest.bad'));
  };
  const change = (/** @type {string} */ value) => { setTyped(value); setError(''); };
  return html`
    <div class="data">
      <header class="data-head"><h1>${t('guest.title')}</h1><p>${t('guest.lead')}</p></header>
      <${Problem} text=${problem} />
      ${kept.length > 0 && html`
        <section class="card" aria-labelledby="kept-receipts">
          <h2 id="kept-receipts">${t('guest.kept')}</h2>
          <ul class="choices">${kept.map((each) => html`
            <li key=${each.receipt}><button type="button" class="button wide" onClick=${() => onReceipt(each.receipt)}>
              <span>${each.room || t('guest.aMeeting')}</span><span class="quiet-text">${momentOf(each.at)}</span></button></li>`)}</ul>
        </section>`}
      <form class="card" onSubmit=${submit} novalidate>
        <${Field} label=${t('guest.field')} value=${typed} onInput=${change} error=${error} hint=${t('guest.hint')}
          input=${{ autocomplete: 'off', autocapitalize: 'none', spellcheck: false, autofocus: kept.length === 0 }} />
        <button type="submit" class=${kept.length ? 'button' : 'button primary'}>${t('guest.show')}</button>
      </form>
    </div>`;
}

/** @param {Props} props */
function Download({ receipt }) {
  const { busy, problem, act } = useAct();
  const take = () => void act(async () => saveFile('pymeet-my-data.zip', await api.guestArchive(receipt, chosenLanguage())));
  return html`
    <${Right} title=${t('right.download')} text=${t('right.downloadText')}>
      <button type="button" class="button" disabled=${busy} onClick=${take}>${t('archive.make')}</button>
      <div class="right-state" role="status">
        ${busy && html`<p class="waiting"><${Icon} name="loader-circle" class="turning" />${t('archive.waiting')}</p>`}
      </div>
      <${Problem} text=${problem} />
    </${Right}>`;
}

/** @param {Props} props */
function Restrict({ receipt, data, reload }) {
  const { busy, problem, act } = useAct();
  const change = (/** @type {boolean} */ on) => void act(async () => {
    await api.restrictGuest(receipt, on);
    await reload();
  });
  return html`
    <${Right} title=${t('right.restriction')} text=${t('right.restrictionText')}>
      <${Switch} label=${t('right.restrictionLabel')} on=${data.limits.restricted} busy=${busy} onChange=${change} />
      <${Problem} text=${problem} />
    </${Right}>`;
}

/** @param {Props & { onClose: () => void }} props */
function EraseGuest({ receipt, data, onErased, onClose }) {
  const { busy, problem, act } = useAct();
  const erase = () => void act(async () => onErased((await api.eraseGuest(receipt)).status));
  return html`
    <${Dialog} title=${t('guest.eraseTitle')} onClose=${onClose}>
      <p>${t('guest.erasePlan')}</p>
      <div class="plan-part">
        <h3>${t('erase.what')}</h3>
        <${ErasePlan} classes=${data.classes} />
        <p class="quiet-text">${t('guest.stays')}</p>
      </div>
      <${Problem} text=${problem} />
      <div class="equal">
        <button type="button" class="button" onClick=${onClose}>${t('guest.keep')}</button>
        <button type="button" class="button" disabled=${busy} onClick=${erase}>${t('guest.eraseDo')}</button>
      </div>
    </${Dialog}>`;
}

/** @param {Props} props */
export function GuestDataView(props) {
  const [erasing, setErasing] = useState(false);
  const { data, receipt } = props;
  const { name, room, at } = data.person;
  return html`
    <div class="data">
      <header class="data-head">
        <h1>${t('guest.title')}</h1>
        <p class="lead">${name && room ? t('guest.seat', { name, room, moment: momentOf(at) }) : t('guest.seatOnly', { moment: momentOf(at) })}</p>
        <a class="jump" href="#rights">${t('data.rights')}</a>
      </header>
      <div class="data-columns">
        <section class="card" aria-labelledby="kept-title">
          <h2 id="kept-title">${t('data.kept')}</h2>
          <${KeptTable} classes=${data.classes} />
        </section>
        <section id="rights" class="card rights" aria-labelledby="rights-title">
          <h2 id="rights-title">${t('data.rights')}</h2>
          <${Download} ...${props} />
          <${Restrict} ...${props} />
          <${Right} title=${t('right.erase')} text=${t('guest.eraseText')}>
            <button type="button" class="button danger-quiet" onClick=${() => setErasing(true)}>${t('guest.eraseAsk')}</button>
          </${Right}>
          <${Right} title=${t('receipt.title')} text=${t('receipt.keep')}><${SaveReceipt} receipt=${receipt} /></${Right}>
        </section>
      </div>
      ${data.recordings && html`<${GuestRecordings} receipt=${receipt} recordings=${data.recordings} onRemoved=${props.reload} />`}
      ${(data.consents.length > 0 || data.requests.length > 0) && html`
        <div class="data-pair">
          <${ConsentCard} consents=${data.consents} reload=${props.reload}
            withdraw=${(/** @type {string} */ id) => api.withdrawGuestConsent(receipt, id)} />
          <section class="card"><h2>${t('request.title')}</h2><${OwnRequests} requests=${data.requests} /></section>
        </div>`}
      ${erasing && html`<${EraseGuest} ...${props} onClose=${() => setErasing(false)} />`}
    </div>`;
}
