// Where media is to be sent, and what to try it with (docs/protocol.md, section 4.7).

import { call } from './api.js';

/** @typedef {{ host: string, port: number }} MediaAddress */
/**
 * @typedef {object} Ways
 * @property {string} ufrag
 * @property {string} password
 * @property {MediaAddress[]} udp
 * @property {MediaAddress[]} tcp
 * @property {{ urls: string[], username: string, credential: string }[]} ice_servers
 */

/** @param {string} room its slug @returns {Promise<Ways>} */
export const connectionCheck = (room) => call('POST', '/connection-check', { room });
