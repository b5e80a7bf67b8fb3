// Imported for its effect: the words of notifications, which are fetched when somebody looks at them.

import { addWords } from './i18n.js';
import en from './i18n/notifications/en.js';

addWords(en, { de: () => import('./i18n/notifications/de.js') });
