// Imported for its effect: the words of the pages about accounts, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/accounts/en.js';

addWords(en, { de: () => import('./i18n/accounts/de.js') });
