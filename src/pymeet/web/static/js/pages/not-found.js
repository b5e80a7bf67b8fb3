// What every unknown address shows.

import { t } from '../i18n.js';
import { Statement, html, start } from '../views/ui.js';

// An address of a room that does not exist (any more) ends here too.
const room = location.pathname.startsWith('/r/');
const title = room ? 'room.missingTitle' : 'notFound.title';

void start(title, () => html`
  <${Statement} title=${t(title)} text=${t(room ? 'room.missing' : 'notFound.text')}><a class="button primary" href="/">${t('app.back')}</a></${Statement}>`);
