// Imported for its effect: the words of groups, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/groups/en.js';

addWords(en, { de: () => import('./i18n/groups/de.js') });
