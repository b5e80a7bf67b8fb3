// After a sign-in: the browser takes on what the account prefers, and goes on to where the person wanted to be.

/** @import { User } from '../api.js' */
import { rememberLanguage, rememberTheme } from '../models/choices.js';
import { showTheme } from './ui.js';

/** @param {Pick<User, 'language' | 'theme'>} user */
export function adopt({ language, theme }) {
  if (language !== undefined) rememberLanguage(language);
  if (!theme) return;
  rememberTheme(theme);
  showTheme(theme);
}

/** @param {User} user @param {string} next */
export function goOn(user, next) {
  adopt(user);
  location.assign(next);
}
