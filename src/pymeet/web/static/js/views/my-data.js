// What the server holds about a signed-in member, with each right beside it.

/** @import { NoticeState } from '../api.js' */
/** @import { Archive, MemberShown, OwnData } from '../api-privacy.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import * as api from '../api-privacy.js';
import { chosenLanguage, momentOf, sizeOf, t, tn } from '../i18n.js';
import { LOOK_AGAIN_MS, archiveState, newestArchive } from '../models/archives.js';
import { Problem, useAct } from './act.js';
import { ConsentCard, KeptTable, OwnRequests, Right, Switch } from './data.js';
import { EraseDialog } from './erase-dialog.js';
import { NoticeNote } from './notice.js';
import { MyRecordings } from './recordings/mine.js';
import { Toast, toast } from './toast.js';
import { Field, Icon, Note, html } from './ui.js';

/** @typedef {{ data: OwnData<MemberShown>, reload: () => Promise<void> }} Props */

/** @param {{ archive: Archive, onTaken: () => void }} props */
function ReadyArchive({ archive, onTaken }) {
  return html`
    <a class="button primary" href=${api.archiveAddress(archive.id)} download onClick=${onTaken}>
      ${t('archive.save', { size: sizeOf(archive.size ?? 0) })}</a>
    <p class="quiet-text">${t('archive.until', { moment: momentOf(archive.link_until ?? 0) })} ${tn('archive.left', archive.downloads_left)}</p>`;
}

/** @param {Props} props */
function Download({ data, reload }) {
  const { busy, problem, act } = useAct();
  const archive = newestArchive(data.exports);
  const state = archive && archiveState(archive, Date.now());
  useEffect(() => {
    if (state !== 'building') return undefined;
    const timer = setInterval(() => void reload(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [state]);
  const make = () => act(async () => {
    await api.makeArchive(chosenLanguage());
    await reload();
  });
  // The server counts a download when it begins.
  const taken = () => { setTimeout(() => void reload(), LOOK_AGAIN_MS); };
  const waits = busy || state === 'building';
  return html`
    <${Right} title=${t('right.download')} text=${t('right.downloadText')}>
      ${state !== 'ready' && !waits && html`<button type="button" class="button" onClick=${make}>${t('archive.make')}</button>`}
      <div class="right-state" role="status">
        ${waits && html`<p class="waiting"><${Icon} name="loader-circle" class="turning" />${t('archive.building')}</p>`}
        ${archive && state === 'ready' && html`<${ReadyArchive} archive=${archive} onTaken=${taken} />`}
        ${!waits && state && state !== 'ready' && html`<p class="quiet-text">${t(`archive.${state}`)}</p>`}
      </div>
      <${Problem} text=${problem} />
    </${Right}>`;
}

/** @param {Props} props */
function Correct({ data, reload }) {
  const [name, setName] = useState(data.person.name);
  const { busy, problem, setProblem, act } = useAct();
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const done = await act(async () => {
      await api.correctName(name.trim());
      await reload();
    });
    if (done) toast(t('right.corrected'));
  };
  const change = (/** @type {string} */ value) => { setName(value); setProblem(''); };
  return html`
    <${Right} title=${t('right.correct')} text=${t('right.correctText', { email: data.person.email })}>
      <form class="field-row" onSubmit=${submit} novalidate>
        <${Field} label=${t('right.name')} value=${name} onInput=${change} error=${problem} input=${{ maxlength: 60, autocomplete: 'name' }} />
        <button type="submit" class="button" disabled=${busy || !name.trim() || name.trim() === data.person.name}>${t('right.save')}</button>
      </form>
      <a href="/profile">${t('right.profile')}</a>
    </${Right}>`;
}

/** @param {Props & { limit: 'restriction' | 'objection' }} props */
function Limit({ data, reload, limit }) {
  const { busy, problem, act } = useAct();
  const on = limit === 'restriction' ? data.limits.restricted : data.limits.objecting;
  const change = (/** @type {boolean} */ wanted) => void act(async () => {
    await api.setLimit(limit, wanted);
    await reload();
  });
  return html`
    <${Right} title=${t(`right.${limit}`)} text=${t(`right.${limit}Text`)}>
      <${Switch} label=${t(`right.${limit}Label`)} on=${on} busy=${busy} onChange=${change} />
      <${Problem} text=${problem} />
    </${Right}>`;
}

/** @param {Props & { onErased: (ended: { status: string, erasedAfter: number }) => void }} props */
function Rights({ data, reload, onErased }) {
  const [erasing, setErasing] = useState(false);
  return html`
    <section id="rights" class="card rights" aria-labelledby="rights-title">
      <h2 id="rights-title">${t('data.rights')}</h2>
      <${Download} data=${data} reload=${reload} />
      <${Correct} data=${data} reload=${reload} />
      <${Limit} data=${data} reload=${reload} limit="restriction" />
      <${Limit} data=${data} reload=${reload} limit="objection" />
      <${Right} title=${t('right.erase')} text=${t('right.eraseText')}>
        <button type="button" class="button danger-quiet" onClick=${() => setErasing(true)}>${t('right.eraseDo')}</button>
      </${Right}>
      ${erasing && html`<${EraseDialog} classes=${data.classes} onErased=${onErased} onClose=${() => setErasing(false)} />`}
    </section>`;
}

// A consent that is withdrawn takes somebody out of a recording, so each decision has the recordings asked for again.
/** @param {Props & { notice: NoticeState, onErased: (ended: { status: string, erasedAfter: number }) => void }} props */
export function MyDataView({ data, reload, notice, onErased }) {
  const { erasure } = data;
  return html`
    <div class="data">
      <header class="data-head">
        <h1>${t('data.title')}</h1>
        <p class="lead">${t('data.lead')}</p>
        <a class="jump" href="#rights">${t('data.rights')}</a>
      </header>
      <${NoticeNote} notice=${notice} onRead=${reload} />
      ${erasure && html`<${Note} tone="amber" icon="circle-alert"><p>${erasure.erased_after
        ? t('erasure.pendingUntil', { moment: momentOf(erasure.erased_after) }) : t('erasure.pending')}</p></${Note}>`}
      <div class="data-columns">
        <section class="card" aria-labelledby="kept-title">
          <h2 id="kept-title">${t('data.kept')}</h2>
          <${KeptTable} classes=${data.classes} />
        </section>
        <${Rights} data=${data} reload=${reload} onErased=${onErased} />
      </div>
      <${MyRecordings} key=${data.consents.length} onRemoved=${reload} />
      <div class="data-pair">
        <${ConsentCard} consents=${data.consents} withdraw=${api.withdrawConsent} reload=${reload} receiptOf=${api.consentReceiptAddress} />
        <section class="card" aria-labelledby="requests-title">
          <h2 id="requests-title">${t('request.title')}</h2>
          <${OwnRequests} requests=${data.requests} />
        </section>
      </div>
      <${Toast} />
    </div>`;
}
