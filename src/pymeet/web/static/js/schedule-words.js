// Imported for its effect: the words of scheduled meetings, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/schedule/en.js';

addWords(en, { de: () => import('./i18n/schedule/de.js') });
