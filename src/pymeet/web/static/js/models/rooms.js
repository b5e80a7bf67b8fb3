// The order of a member's rooms: where people are comes first, then what is newest.

/** @import { OwnRoom } from '../api.js' */

/** @param {readonly OwnRoom[]} rooms */
export function inOrder(rooms) {
  return [...rooms].sort((a, b) => Number(b.people > 0) - Number(a.people > 0) || b.created_at - a.created_at);
}
