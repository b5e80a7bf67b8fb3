// Imported for its effect: the words of hosting, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/hosting/en.js';

addWords(en, { de: () => import('./i18n/hosting/de.js') });
