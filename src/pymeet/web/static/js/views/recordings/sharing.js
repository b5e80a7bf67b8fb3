// With whom a recording is shared, besides those who are in it; and who looked.

/** @import { Recording, Share, View } from '../../api-recordings.js' */
import { useState } from '../../../vendor/preact-hooks.js';
import * as api from '../../api-recordings.js';
import { dateOf, momentOf, numberOf, t, tn } from '../../i18n.js';
import { DAYS } from '../../models/recordings.js';
import { Problem, useAct } from '../act.js';
import { Radios, Select } from '../admin/parts.js';
import { toast } from '../toast.js';
import { WhoIsIn, useOwnGroups, withCount } from '../groups/choice.js';
import { Dialog, Field, Icon, copy, html } from '../ui.js';

const SHOWN_VIEWS = 8;

/** @param {{ url: string, onClose: () => void }} props */
function TheLink({ url, onClose }) {
  const take = async () => toast(t(await copy(url) ? 'rec.linkCopied' : 'rec.linkCopyFailed'));
  return html`
    <div class="dialog-form">
      <${Field} label=${t('rec.linkTitle')} value=${url} onInput=${() => {}} hint=${t('rec.linkOnce')}
        input=${{ readonly: true, autofocus: true, onFocus: (/** @type {any} */ event) => event.target.select() }} />
      <div class="actions">
        <button type="button" class="button" onClick=${onClose}>${t('rec.linkDone')}</button>
        <button type="button" class="button primary" onClick=${() => void take()}><${Icon} name="copy" />${t('rec.linkCopy')}</button>
      </div>
    </div>`;
}

/** @param {{ recording: Recording, reload: () => Promise<unknown>, onClose: () => void }} props */
function ShareDialog({ recording, reload, onClose }) {
  const [way, setWay] = useState(/** @type {string} */ ('member'));
  const [email, setEmail] = useState('');
  const [group, setGroup] = useState('');
  const groups = useOwnGroups();
  const chosen = group || groups[0]?.id;
  const [days, setDays] = useState('7');
  const [password, setPassword] = useState('');
  const [url, setUrl] = useState('');
  const { busy, problem, setProblem, act } = useAct();
  const changed = (/** @type {(value: string) => void} */ set) => (/** @type {string} */ value) => { set(value); setProblem(''); };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    /** @type {string | undefined} */
    let made;
    const done = await act(async () => {
      /** @type {Parameters<typeof api.shareRecording>[1]} */
      let share = { days: Number(days), ...(password && { password }) };
      if (way === 'member') share = { email: email.trim() };
      if (way === 'group') share = { group: chosen };
      made = (await api.shareRecording(recording.id, share)).url;
      await reload();
    });
    if (!done) return;
    if (made) setUrl(made);
    else {
      toast(t(way === 'group' ? 'rec.sharedGroup' : 'rec.sharedDone'));
      onClose();
    }
  };
  return html`
    <${Dialog} title=${t('rec.shareDialog')} onClose=${onClose}>
      ${url ? html`<${TheLink} url=${url} onClose=${onClose} />` : html`
        <form class="dialog-form" onSubmit=${submit}>
          <${Radios} label=${t('rec.shareWay')} value=${way} onChange=${changed(setWay)}
            options=${[['member', t('rec.shareWay.member')], ...(groups.length ? [['group', t('rec.shareWay.group')]] : []), ['link', t('rec.shareWay.link')]]} />
          <${Problem} text=${problem} />
          ${way === 'member' && html`<${Field} label=${t('rec.shareEmail')} type="email" value=${email} onInput=${changed(setEmail)}
            input=${{ autocomplete: 'off', required: true }} />`}
          ${way === 'group' && html`
            <${Select} label=${t('groups.which')} value=${chosen} onChange=${changed(setGroup)} options=${groups.map((each) => [each.id, withCount(each)])} />
            <${WhoIsIn} id=${chosen} />
            <p class="field-hint">${t('groups.whichHint')}</p>`}
          ${way === 'link' && html`
            <${Select} label=${t('rec.shareDays')} value=${days} onChange=${setDays} options=${DAYS.map((each) => [String(each), tn('rec.days', each)])} />
            <${Field} label=${t('rec.sharePassword')} type="password" value=${password} onInput=${changed(setPassword)} hint=${t('rec.sharePasswordHint')}
              input=${{ autocomplete: 'new-password', minlength: 12 }} />`}
          <p class="quiet-text">${t('rec.shareText')}</p>
          <div class="actions">
            <button type="button" class="button" onClick=${onClose}>${t('app.cancel')}</button>
            <button type="submit" class="button primary" disabled=${busy || (way === 'member' && !email.trim())}>${t(way === 'link' ? 'rec.shareLinkDo' : 'rec.shareDo')}</button>
          </div>
        </form>`}
    </${Dialog}>`;
}

/** @param {Share} share */
function whatOf({ kind, name }) {
  if (kind === 'link') return t('rec.shareLink');
  return kind === 'group' ? t('rec.shareGroup', { name: name ?? '' }) : name || t('rec.shareMember');
}

/** @param {Share} share */
function factsOf(share) {
  const facts = [t('rec.shareSince', { date: dateOf(share.made_at) })];
  if (share.expires_at) facts.push(t(share.expires_at > Date.now() ? 'rec.shareUntil' : 'rec.shareOver', { moment: momentOf(share.expires_at) }));
  if (share.has_password) facts.push(t('rec.shareLocked'));
  return facts.join(' · ');
}

/** @param {{ recording: Recording, reload: () => Promise<unknown> }} props */
export function SharingCard({ recording, reload }) {
  const [sharing, setSharing] = useState(false);
  const { busy, problem, act } = useAct();
  const shares = recording.shares ?? [];
  const revoke = (/** @type {Share} */ share) => void act(async () => {
    await api.revokeShare(recording.id, share.id);
    toast(t('rec.revoked'));
    await reload();
  });
  return html`
    <section class="card" aria-labelledby="sharing-title">
      <h2 id="sharing-title">${t('rec.shareTitle')}</h2>
      <p class="quiet-text">${t('rec.watchers')}</p>
      <${Problem} text=${problem} />
      ${shares.length === 0 && html`<p>${t('rec.shareNone')}</p>`}
      ${shares.length > 0 && html`
        <ul class="timeline">${shares.map((share) => html`
          <li key=${share.id}>
            <div class="timeline-words"><h3>${whatOf(share)}</h3><p class="quiet-text">${factsOf(share)}</p></div>
            <button type="button" class="button small" disabled=${busy} aria-label=${t('rec.revokeOf', { what: whatOf(share) })} onClick=${() => revoke(share)}>${t('rec.revoke')}</button>
          </li>`)}</ul>`}
      <div class="actions"><button type="button" class="button" onClick=${() => setSharing(true)}><${Icon} name="share-2" />${t('rec.share')}</button></div>
      ${sharing && html`<${ShareDialog} recording=${recording} reload=${reload} onClose=${() => setSharing(false)} />`}
    </section>`;
}

/** @param {View} view */
const viewerOf = ({ by, who }) => who || (by === 'link' ? t('rec.viewer.link') : t('rec.viewer.unknown'));

/** @param {{ views: View[] }} props */
export function ViewsCard({ views }) {
  const [all, setAll] = useState(false);
  const newest = [...views].sort((a, b) => b.at - a.at);
  const shown = all ? newest : newest.slice(0, SHOWN_VIEWS);
  return html`
    <section class="card" aria-labelledby="views-title">
      <h2 id="views-title">${t('rec.views')}</h2>
      <p class="quiet-text">${t('rec.viewsHint')}</p>
      ${views.length === 0 && html`<p>${t('rec.viewsNone')}</p>`}
      ${views.length > 0 && html`
        <ul class="timeline views">${shown.map((view) => html`
          <li><span><strong>${viewerOf(view)}</strong> ${t(`rec.view.${view.kind}`)}</span><span class="quiet-text">${momentOf(view.at)}</span></li>`)}</ul>`}
      ${shown.length < views.length && html`<div class="actions"><button type="button" class="button small" onClick=${() => setAll(true)}>${t('rec.viewsMore', { count: numberOf(views.length) })}</button></div>`}
    </section>`;
}
