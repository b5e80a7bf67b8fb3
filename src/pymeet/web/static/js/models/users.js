// What an administrator may do with an account, by its state.

/** @import { Member } from '../api-users.js' */

/** @typedef {'fields' | 'access' | 'role' | 'invite_again' | 'reset' | 'remove_second_factor' | 'disable' | 'enable' | 'erase'} UserAction */

/**
 * Nobody locks themselves out, or takes their own role away: of oneself only fields, password and factors are a matter here.
 * @param {Member} member @param {string} self the id of who looks @returns {UserAction[]}
 */
export function actionsFor(member, self) {
  if (member.state === 'being_erased') return [];
  /** @type {UserAction[]} */
  const actions = [];
  const other = member.id !== self;
  if (other) actions.push('role');
  actions.push('fields');
  if (member.state === 'invited') actions.push('invite_again');
  if (member.state === 'active') actions.push('reset');
  if (other) actions.push('access');
  if (member.second_factor && other) actions.push('remove_second_factor');
  if (member.state === 'active' && other) actions.push('disable');
  if (member.state === 'disabled') actions.push('enable');
  if (other) actions.push('erase');
  return actions;
}
