// Imported for its effect: the words of the pages about personal data, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/privacy/en.js';

addWords(en, { de: () => import('./i18n/privacy/de.js') });
