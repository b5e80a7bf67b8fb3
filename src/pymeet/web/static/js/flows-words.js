// Imported for its effect: the words about a connection, which are fetched once somebody is in a meeting.

import { addWords } from './i18n.js';
import en from './i18n/flows/en.js';

addWords(en, { de: () => import('./i18n/flows/de.js') });
