// Imported for its effect: the words of the connection check, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/check/en.js';

addWords(en, { de: () => import('./i18n/check/de.js') });
