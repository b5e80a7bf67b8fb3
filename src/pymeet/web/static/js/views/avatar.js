// A person in small: their picture, or initials on a tint made from the name.

import { useEffect, useRef, useState } from '../../vendor/preact-hooks.js';
import { avatarAddress } from '../api-accounts.js';
import { hueOf, initials } from '../models/names.js';
import { html } from './ui.js';

/**
 * @param {object} props
 * @param {{ id: string, name: string, avatar?: boolean }} props.user
 * @param {boolean} [props.large]
 * @param {number} [props.version] changes when the picture does, so that it is fetched again
 */
export function Avatar({ user, large = false, version = 0 }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [broken, setBroken] = useState(false);
  useEffect(() => element.current?.style.setProperty('--hue', String(hueOf(user.name))), [user.name]);
  useEffect(() => setBroken(false), [version, user.id]);
  const address = avatarAddress(user.id) + (version ? `?v=${version}` : '');
  return html`
    <span class=${large ? 'avatar large' : 'avatar'} ref=${element} aria-hidden="true">
      ${user.avatar && !broken ? html`<img src=${address} alt="" onError=${() => setBroken(true)} />` : initials(user.name)}
    </span>`;
}
