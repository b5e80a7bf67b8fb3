// What a line about an API token says: what it may do, and until when.

/** @import { ApiToken } from '../../api-accounts.js' */
import { dateOf, t } from '../../i18n.js';
import { areasOf } from '../../models/tokens.js';

/** @param {string} area */
export const nameOf = (area) => t(/** @type {any} */ (`scope.${area}`));

/** @param {ApiToken} token */
export function factsOf(token) {
  const may = areasOf(token.scopes).map(({ area, read, write }) =>
    `${nameOf(area)} (${[...(read ? [t('token.sees')] : []), ...(write ? [t('token.changes')] : [])].join(', ')})`);
  const used = token.last_used_at ? t('passkey.used', { date: dateOf(token.last_used_at) }) : t('passkey.unused');
  return [may.join(', '), [t('token.ends', { date: dateOf(token.expires_at) }), used].join(' · ')];
}
