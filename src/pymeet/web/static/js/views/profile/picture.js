// The picture beside one's name. It is made small and square here already, so that a photograph of any size will do and
// nothing that a camera wrote into the file leaves this device.

/** @import { User } from '../../api.js' */
import { useRef, useState } from '../../../vendor/preact-hooks.js';
import { ApiError } from '../../api.js';
import { removeAvatar, setAvatar } from '../../api-accounts.js';
import { t } from '../../i18n.js';
import { Problem, useAct } from '../act.js';
import { Avatar } from '../avatar.js';
import { toast } from '../toast.js';
import { ConfirmDialog, html } from '../ui.js';

const SIDE_PX = 512;

/** The middle of a picture, as a square. @param {File} file @returns {Promise<Blob>} */
async function squareOf(file) {
  const picture = await createImageBitmap(file).catch(() => { throw new ApiError('bad_picture', t('picture.bad'), 0); });
  const side = Math.min(picture.width, picture.height);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = Math.min(side, SIDE_PX);
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
  canvas.getContext('2d')?.drawImage(picture, left, top, side, side, 0, 0, canvas.width, canvas.height);
  picture.close();
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new ApiError('bad_picture', t('picture.bad'), 0))), 'image/png');
  });
}

/** @param {{ user: User, version: number, onChanged: () => Promise<unknown> }} props */
export function Picture({ user, version, onChanged }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [asking, setAsking] = useState(false);
  const { busy, problem, act } = useAct();
  const choose = async (/** @type {Event} */ event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    const file = field.files?.[0];
    field.value = '';
    if (file && await act(async () => { await setAvatar(await squareOf(file)); await onChanged(); })) toast(t('picture.saved'));
  };
  const remove = () => void act(async () => {
    await removeAvatar();
    await onChanged();
    toast(t('picture.removed'));
  });
  return html`
    <section class="card" aria-labelledby="picture-title">
      <h2 id="picture-title">${t('picture.title')}</h2>
      <div class="picture-row">
        <${Avatar} user=${user} large version=${version} />
        <div class="card-words">
          <p class="quiet-text">${t('picture.text')}</p>
          <div class="actions">
            <input ref=${input} class="visually-hidden" type="file" accept="image/png,image/jpeg,image/webp" tabindex="-1" aria-label=${t('picture.choose')} onChange=${choose} />
            <button type="button" class="button" disabled=${busy} onClick=${() => input.current?.click()}>${t(user.avatar ? 'picture.change' : 'picture.choose')}…</button>
            ${user.avatar && html`<button type="button" class="button danger-quiet" disabled=${busy} onClick=${() => setAsking(true)}>${t('picture.remove')}…</button>`}
          </div>
        </div>
      </div>
      <${Problem} text=${problem} />
      ${asking && html`<${ConfirmDialog} title=${t('picture.removeTitle')} plan=${[t('picture.removePlan')]} action=${t('picture.remove')}
        onConfirm=${remove} onClose=${() => setAsking(false)} />`}
    </section>`;
}
