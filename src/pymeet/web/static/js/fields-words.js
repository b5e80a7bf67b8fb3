// Imported for its effect: the words of fields that administrators add to the profile, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/fields/en.js';

addWords(en, { de: () => import('./i18n/fields/de.js') });
