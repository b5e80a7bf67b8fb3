// Imported for its effect: the words of the administration, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/server/en.js';

addWords(en, { de: () => import('./i18n/server/de.js') });
