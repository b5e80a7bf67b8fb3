// The HTTP API of docs/protocol.md, section 4.

/** @typedef {{ id: string, name: string, email: string, admin: boolean, dpo: boolean }} User */
/** @typedef {{ version: number, needs_acknowledgement: boolean }} NoticeState */
/** @typedef {{ user: User | null, guests_allowed: boolean, may_create_rooms: boolean, notice: NoticeState }} Me */
/** @typedef {{ slug: string, name: string, url: string, created_at: number, people: number }} OwnRoom */
/** @typedef {{ id: string, started_at: number, chat: boolean, keep_until: number | null }} RunningRecording */
/**
 * @typedef {object} RoomCard
 * @property {string} slug
 * @property {string} name
 * @property {number} people
 * @property {number} max_participants
 * @property {boolean} may_join
 * @property {string} role
 * @property {boolean} [recordings_allowed]
 * @property {RunningRecording | null} [recording] the one under way
 */
/** @typedef {{ purpose: 'first_admin' | 'set_password', name: string, email: string }} LinkInfo */

/** An answer that is no success; `code` is stable, `message` is for the person. */
export class ApiError extends Error {
  /** @param {string} code @param {string} message @param {number} status */
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/**
 * Asks the server; what it refuses is thrown as an ApiError.
 * @param {string} method @param {string} path @param {unknown} [body]
 * @returns {Promise<Response>}
 */
async function ask(method, path, body) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: method === 'GET' ? {} : { 'Content-Type': 'application/json' },
      body: method === 'GET' ? undefined : JSON.stringify(body ?? {}),
      cache: 'no-store',
    });
  } catch {
    throw new ApiError('unreachable', '', 0);
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new ApiError(answer.code ?? 'internal', answer.detail ?? '', response.status);
}

/** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
export async function call(method, path, body) {
  const response = await ask(method, path, body);
  return response.status === 204 ? null : response.json().catch(() => ({}));
}

/** A file that comes as the answer. @param {string} method @param {string} path @param {unknown} [body] */
export const fetchFile = async (method, path, body) => (await ask(method, path, body)).blob();

/** @returns {Promise<Me>} */
export const me = () => call('GET', '/me');
/** @param {string} email @param {string} password @returns {Promise<{ user: User }>} */
export const signIn = (email, password) => call('POST', '/sign-in', { email, password });
export const signOut = () => call('POST', '/sign-out');
/** @param {string} token @returns {Promise<LinkInfo>} */
export const inspectLink = (token) => call('POST', '/links/inspect', { token });
/** @param {{ token: string, name?: string, email?: string, password: string }} body @returns {Promise<{ user: User }>} */
export const redeemLink = (body) => call('POST', '/links/redeem', body);
/** @returns {Promise<{ rooms: OwnRoom[] }>} */
export const rooms = () => call('GET', '/rooms');
/** @param {string} name @returns {Promise<{ slug: string, name: string, url: string }>} */
export const createRoom = (name) => call('POST', '/rooms', { name });
/** @param {string} slug */
export const deleteRoom = (slug) => call('DELETE', `/rooms/${encodeURIComponent(slug)}`);
/** @param {string} slug @returns {Promise<RoomCard>} */
export const room = (slug) => call('GET', `/rooms/${encodeURIComponent(slug)}`);
