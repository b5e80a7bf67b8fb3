// Imported for its effect: the words of what owners see of their rooms, which other pages need not load.

import { addWords } from './i18n.js';
import en from './i18n/rooms/en.js';

addWords(en, { de: () => import('./i18n/rooms/de.js') });
