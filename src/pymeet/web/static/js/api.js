// The HTTP API of docs/protocol.md, section 4.

/**
 * @typedef {object} User
 * @property {string} id
 * @property {string} name
 * @property {string} email
 * @property {boolean} admin
 * @property {boolean} dpo
 * @property {string | null} [language]
 * @property {string | null} [time_zone]
 * @property {import('./models/choices.js').Theme | null} [theme]
 * @property {boolean} [second_factor] whether one is set up
 * @property {boolean} [avatar] whether there is a picture
 */
/** @typedef {{ version: number, needs_acknowledgement: boolean }} NoticeState */
/**
 * @typedef {object} Me
 * @property {User | null} user
 * @property {boolean} guests_allowed
 * @property {boolean} may_create_rooms
 * @property {NoticeState} notice
 * @property {'invitation' | 'open' | 'closed'} [registration]
 * @property {boolean} [mail] whether this server can send mail
 * @property {string | null} [announcement] a line for everybody who opens the start page
 * @property {number} [minimum_password] in characters
 * @property {{ name: string, only: boolean } | null} [oidc] the organisation's provider, and whether members must sign in there
 * @property {'password' | 'provider' | 'fresh' | null} [confirm] how to show once more who one is
 */
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
 * @property {boolean} [has_password] whether this person has to know it
 * @property {boolean} [waiting_room] whether this person will have to wait
 * @property {boolean} [locked]
 */
/** @typedef {'first_admin' | 'set_password' | 'invitation' | 'register' | 'reset_password' | 'sign_in' | 'change_email'} LinkPurpose */
/** @typedef {{ purpose: LinkPurpose, name: string | null, email: string | null }} LinkInfo */
/**
 * Asked for before a session opens; `remember_days` is 0 where devices are not remembered.
 * @typedef {{ ticket: string, methods: ('totp' | 'recovery' | 'passkey')[], passkey?: any, remember_days?: number }} SecondFactor
 */
/** @typedef {{ user?: User, second_factor?: SecondFactor }} SignedIn */

/** An answer that is no success; `code` is stable, `message` is for the person. */
export class ApiError extends Error {
  /** @param {string} code @param {string} message @param {number} status @param {number} [waitS] how long to wait before asking again */
  constructor(code, message, status, waitS = 0) {
    super(message);
    this.code = code;
    this.status = status;
    this.waitS = waitS;
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
  // A file travels as it is, everything else as JSON.
  const file = body instanceof Blob;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: method === 'GET' ? {} : { 'Content-Type': file ? body.type : 'application/json' },
      body: method === 'GET' ? undefined : file ? body : JSON.stringify(body ?? {}),
      cache: 'no-store',
    });
  } catch {
    throw new ApiError('unreachable', '', 0);
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new ApiError(answer.code ?? 'internal', answer.detail ?? '', response.status, Number(response.headers.get('Retry-After')) || 0);
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
/** @param {string} email @param {string} password @returns {Promise<SignedIn>} */
export const signIn = (email, password) => call('POST', '/sign-in', { email, password });
/** @returns {Promise<{ url: string } | null>} where to go to be signed out at the provider too */
export const signOut = () => call('POST', '/sign-out');
/** @param {string} token @returns {Promise<LinkInfo>} */
export const inspectLink = (token) => call('POST', '/links/inspect', { token });
/** @param {{ token: string, name?: string, email?: string, password?: string }} body @returns {Promise<SignedIn>} */
export const redeemLink = (body) => call('POST', '/links/redeem', body);
/** @returns {Promise<{ rooms: OwnRoom[] }>} */
export const rooms = () => call('GET', '/rooms');
/** @param {string} name @returns {Promise<{ slug: string, name: string, url: string }>} */
export const createRoom = (name) => call('POST', '/rooms', { name });
/** @param {string} slug */
export const deleteRoom = (slug) => call('DELETE', `/rooms/${encodeURIComponent(slug)}`);
/** @param {string} slug @returns {Promise<RoomCard>} */
export const room = (slug) => call('GET', `/rooms/${encodeURIComponent(slug)}`);
