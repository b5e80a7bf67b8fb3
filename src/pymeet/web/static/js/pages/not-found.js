// What every unknown address shows.

import { t } from '../i18n.js';
import { Statement, html, start } from '../views/ui.js';

void start('notFound.title', () => html`
  <${Statement} title=${t('notFound.title')} text=${t('notFound.text')}><a class="button primary" href="/">${t('app.back')}</a></${Statement}>`);
