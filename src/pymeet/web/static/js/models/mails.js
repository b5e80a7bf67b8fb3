// What the mail queue holds, counted.

/** @import { MailKind, MailState } from '../api-server.js' */

/** How many mails are in a state, whatever their kind. @param {readonly MailKind[]} kinds @param {MailState} state */
export const countOf = (kinds, state) => kinds.reduce((sum, each) => sum + (each.state === state ? each.count : 0), 0);

/** The kinds that there are in a state. @param {readonly MailKind[]} kinds @param {MailState} state @returns {string[]} */
export const kindsIn = (kinds, state) => kinds.filter((each) => each.state === state).map((each) => each.kind);
