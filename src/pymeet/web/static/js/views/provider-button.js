// The way to the organisation's own sign-in page. It is a page of its own, elsewhere; one comes back to /oidc/callback.

import { beginSignIn } from '../api-oidc.js';
import { t } from '../i18n.js';
import { Problem, useAct } from './act.js';
import { Icon, html } from './ui.js';

/** @param {{ name: string, next: string, primary?: boolean }} props */
export function ProviderButton({ name, next, primary = false }) {
  const { busy, problem, act } = useAct();
  const go = () => void act(async () => location.assign((await beginSignIn(next)).url));
  return html`
    <${Problem} text=${problem} />
    <button type="button" class=${`button wide${primary ? ' primary' : ''}`} disabled=${busy} onClick=${go}>
      <${Icon} name="key-round" />${t('provider.signIn', { name })}</button>`;
}
