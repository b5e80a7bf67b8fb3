// Imported for its effect: the words of the pages about recordings, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/recordings/en.js';

addWords(en, { de: () => import('./i18n/recordings/de.js') });
