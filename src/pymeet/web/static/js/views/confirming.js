// Asking once more who somebody is, before something that matters: for the password, or at the organisation's provider,
// where those sign in who have no password here. Who has just done that is not asked.

/** @import { Me } from '../api.js' */
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import * as api from '../api.js';
import { beginConfirming } from '../api-oidc.js';
import { t } from '../i18n.js';
import { Problem, useAct } from './act.js';
import { Field, html } from './ui.js';

/**
 * `password` is what goes to the server; `ready` whether one may go on; `field` is what to show, and `elsewhere` whether
 * it leads away from this page.
 * @param {{ label: string, onChange: () => void }} props
 */
export function useConfirming({ label, onChange }) {
  const [typed, setTyped] = useState('');
  const [me, setMe] = useState(/** @type {Me | null} */ (null));
  const { busy, problem, act } = useAct();
  // Until it is known, and on servers without a provider, it is the password.
  useEffect(() => { void api.me().then(setMe, () => {}); }, []);
  const way = me?.confirm ?? 'password';
  const go = () => void act(async () => location.assign((await beginConfirming(location.pathname)).url));
  const change = (/** @type {string} */ value) => { setTyped(value); onChange(); };
  const fields = {
    fresh: null,
    password: html`<${Field} label=${label} type="password" value=${typed} onInput=${change} input=${{ autocomplete: 'current-password', required: true }} />`,
    provider: html`
      <p>${t('confirm.text', { name: me?.oidc?.name ?? '' })}</p>
      <${Problem} text=${problem} />
      <button type="button" class="button primary wide" disabled=${busy} onClick=${go}>${t('confirm.do', { name: me?.oidc?.name ?? '' })}</button>`,
  };
  return {
    password: way === 'password' ? typed : undefined,
    ready: way === 'fresh' || (way === 'password' && typed !== ''),
    elsewhere: way === 'provider',
    field: fields[way],
  };
}
