// The client's half of docs/protocol.md, section 1: one WebSocket that joins, notices silence, reconnects and resumes.
// No DOM and no media: who builds a Connection may hand in another socket and other timers.

/** @import { EarlyAnswer, Ending, ServerMessage } from './types.js' */

/** The connection went away before the answer came; nothing is known about what the server did. */
export class ConnectionLost extends Error {}

/** The server answered by `error`. */
export class Refused extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 3000;
const BUSY_RETRY_MS = 10000;
// An attempt that hangs is given up so that the next one meets a network that came back meanwhile.
const FIRST_ATTEMPT_MS = 4000;
const LONGEST_ATTEMPT_MS = 10000;
// For so long a sign of life is waited for before another socket is opened beside, and then before the old one is given up.
const PROBE_MS = 150;
const BESIDE_MS = 850;
// Nothing at all comes for so long after something was asked, and the connection may be dead: the next ping is far away.
const ANSWER_MS = 2000;
// A browser may believe to be offline although this server is in reach, so that belief only slows attempts down.
const OFFLINE_ATTEMPTS = 5;

/**
 * Close codes after which coming back would only end the same way. 1000 is none of them: who leaves does not wait for
 * it, and Firefox reports it when the page is reloaded, which is no reason to give up the seat.
 * @type {Record<number, string>}
 */
const FINAL_CLOSES = { 4400: 'protocol_error', 4403: 'not_allowed', 4404: 'not_found', 4409: 'taken_over', 4410: 'ended' };

/** Refusals of `join` that are not worth another attempt. */
const FINAL_REFUSALS = new Set(['protocol_error', 'invalid_input', 'not_allowed', 'not_signed_in', 'not_found', 'room_full', 'wrong_password', 'locked', 'refused']);
// The server wants to hear nothing else of somebody who waits, but whether they are still there.
const WAITING_HEARTBEAT_S = 10;

/** @typedef {'connecting' | 'waiting' | 'joined' | 'reconnecting' | 'closed'} LinkState */
/** @typedef {{ setTimeout: (run: () => void, ms: number) => any, clearTimeout: (timer: any) => void }} Timers */
/**
 * @typedef {object} ConnectionOptions
 * @property {string} url
 * @property {string} name
 * @property {string | null} [token] resume token of an earlier page
 * @property {string | null} [password] of the room
 * @property {EarlyAnswer | null} [recording] what was answered before joining about the recording that runs
 * @property {() => boolean} keepsMedia whether the peer connections of this seat still exist
 * @property {(message: ServerMessage) => void} onMessage
 * @property {(state: LinkState) => void} onState
 * @property {(ending: Ending) => void} onEnd
 * @property {() => boolean} [online] what the browser believes
 * @property {(url: string) => WebSocket} [openSocket]
 * @property {Timers} [timers]
 */

export class Connection {
  #options;
  #timers;
  /** @type {WebSocket | null} */
  #socket = null;
  /** Opened while nothing is heard on the other. @type {WebSocket | null} */
  #beside = null;
  /** @type {LinkState} */
  #state = 'connecting';
  /** @type {string | null} */
  #token;
  /** @type {EarlyAnswer | null} */
  #answer;
  #attempt = 0;
  #skipped = 0;
  #nextId = 1;
  /** @type {Map<string, { resolve: (message: any) => void, reject: (error: Error) => void }>} */
  #pending = new Map();
  /** @type {any} */
  #retryTimer = null;
  /** @type {any} */
  #attemptTimer = null;
  /** @type {any} */
  #beatTimer = null;
  /** @type {any} */
  #probeTimer = null;
  /** @type {any} */
  #answerTimer = null;
  #missedPongs = 0;
  /** How many messages have come, on whichever socket. */
  heard = 0;
  /** @type {number | null} */
  #askedDelayMs = null;
  /** @type {Ending | null} */
  #announced = null;

  /** @param {ConnectionOptions} options */
  constructor(options) {
    this.#options = options;
    this.#token = options.token ?? null;
    this.#answer = options.recording ?? null;
    this.#timers = options.timers ?? {
      setTimeout: (run, ms) => setTimeout(run, ms),
      clearTimeout: (timer) => clearTimeout(timer),
    };
  }

  get state() {
    return this.#state;
  }

  /** Whether the server knows us: in the meeting, or before its door. */
  get #inside() {
    return this.#state === 'joined' || this.#state === 'waiting';
  }

  open() {
    this.#use(this.#newSocket());
  }

  #newSocket() {
    return (this.#options.openSocket ?? ((url) => new WebSocket(url)))(this.#options.url);
  }

  /** @param {WebSocket} socket may be open already */
  #use(socket) {
    this.#socket = socket;
    const patienceMs = Math.min(FIRST_ATTEMPT_MS + 1000 * this.#attempt, LONGEST_ATTEMPT_MS);
    this.#attemptTimer = this.#timers.setTimeout(() => this.#drop(), patienceMs);
    socket.onopen = () => this.#join(socket);
    socket.onmessage = (event) => {
      if (this.#socket === socket) this.#receive(JSON.parse(String(event.data)));
    };
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#closed(event.code);
    };
    if (socket.readyState === 1) this.#join(socket);
  }

  /**
   * Sends a message and waits for the answer that carries its id.
   * @param {string} type
   * @param {Record<string, unknown>} [fields]
   * @returns {Promise<any>}
   */
  request(type, fields = {}) {
    if (this.#state !== 'joined') return Promise.reject(new ConnectionLost());
    const id = String(this.#nextId++);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#send({ type, id, ...fields });
      this.#expectAnswer();
    });
  }

  #expectAnswer() {
    if (this.#answerTimer !== null) return;
    const { heard } = this;
    this.#answerTimer = this.#timers.setTimeout(() => {
      this.#answerTimer = null;
      if (this.heard === heard) this.check();
    }, ANSWER_MS);
  }

  /** Something suggests that the network changed: come back at once, or make sure that we are still here. */
  wake() {
    if (this.#inside) return this.check();
    if (this.#retryTimer === null) return undefined;
    this.#stop('retry');
    this.#attempt = 0;
    this.#skipped = 0;
    return this.open();
  }

  /** Asks a connection that looks alive for a sign of life, and gives it up if none comes soon. */
  check() {
    if (!this.#inside || this.#probeTimer !== null) return;
    this.#probeTimer = this.#timers.setTimeout(() => this.#doubt(), PROBE_MS);
    this.#ping();
  }

  /** Where only the way is gone, the server answers another socket at once; where it is busy, it answers neither. */
  #doubt() {
    const beside = this.#newSocket();
    this.#beside = beside;
    const change = () => {
      if (this.#beside !== beside) return undefined;
      this.#beside = null;
      if (beside.readyState > 1) return this.#drop();
      this.#forget();
      this.#setState('reconnecting');
      return this.#use(beside);
    };
    beside.onopen = change;
    this.#probeTimer = this.#timers.setTimeout(change, BESIDE_MS);
  }

  /** Gives the socket up and takes the seat again, as after a broken connection. */
  rejoin() {
    if (this.#state !== 'closed') this.#drop();
  }

  leave() {
    if (this.#state === 'closed') return;
    if (this.#inside) this.#send({ type: 'leave' });
    this.#end({ code: 'left', message: '' });
  }

  /** @param {WebSocket} socket */
  #join(socket) {
    if (this.#socket !== socket) return;
    /** @type {Record<string, unknown>} */
    const join = { type: 'join', v: 1, name: this.#options.name };
    if (this.#token) {
      // All the newest messages are wanted, not only those since the last: older ones may have been changed or deleted.
      join.resume = { token: this.#token, media: this.#options.keepsMedia() ? 'keep' : 'new' };
    }
    if (this.#options.password) join.password = this.#options.password;
    if (this.#answer) join.recording = this.#answer;
    this.#send(join);
  }

  /** @param {ServerMessage} message */
  #receive(message) {
    if (this.#state === 'closed') return;
    this.#missedPongs = 0;
    this.heard += 1;
    this.#stop('probe');
    if (message.type === 'joined') return this.#joined(message);
    if (message.type === 'waiting') return this.#waits(message);
    if (message.type === 'error' && message.code === 'signed_out') return this.#end({ code: 'signed_out', message: '' });
    if (message.type === 'error' && this.#state !== 'joined') return this.#refused(message);
    if (message.type === 'closing') this.#askedDelayMs = message.retry_s * 1000;
    if (message.type === 'removed' || message.type === 'ended') this.#announced = { code: message.type, message: message.reason };
    if ('re' in message && message.re) {
      const waiting = this.#pending.get(message.re);
      this.#pending.delete(message.re);
      if (message.type === 'error') waiting?.reject(new Refused(message.code, message.message));
      else waiting?.resolve(message);
      return;
    }
    this.#options.onMessage(message);
  }

  /** @param {Extract<ServerMessage, { type: 'joined' }>} message */
  #joined(message) {
    this.#stop('attempt');
    this.#attempt = 0;
    this.#askedDelayMs = null;
    this.#token = message.resume;
    // It counted once: who changed their mind since must not be taken at an older word when the seat is lost.
    this.#answer = null;
    this.#beat(message.heartbeat_s * 1000);
    this.#setState('joined');
    this.#options.onMessage(message);
  }

  /** Somebody has to let us in. @param {ServerMessage} message */
  #waits(message) {
    this.#stop('attempt');
    this.#attempt = 0;
    this.#askedDelayMs = null;
    this.#beat(WAITING_HEARTBEAT_S * 1000);
    this.#setState('waiting');
    this.#options.onMessage(message);
  }

  /** @param {{ code: string, message: string }} error */
  #refused({ code, message }) {
    // More of the same password would be more of what there was too much of.
    const guessed = code === 'too_many' && Boolean(this.#options.password);
    // Who was inside comes back when the server can take them again; who was not is told, and decides.
    const busy = code === 'busy';
    if (busy) this.#askedDelayMs = BUSY_RETRY_MS;
    if (guessed || (busy && !this.#token) || FINAL_REFUSALS.has(code)) this.#end({ code, message });
  }

  /** @param {number} intervalMs */
  #beat(intervalMs) {
    this.#stop('beat');
    this.#missedPongs = 0;
    const tick = () => {
      if (this.#missedPongs >= 2) return this.#drop();
      this.#missedPongs += 1;
      this.#ping();
      this.#beatTimer = this.#timers.setTimeout(tick, intervalMs);
    };
    this.#beatTimer = this.#timers.setTimeout(tick, intervalMs);
  }

  #ping() {
    // Any message proves that the other side is there, so nobody waits for this particular pong.
    this.#send({ type: 'ping', id: `p${this.#nextId++}` });
  }

  /** @param {number} code */
  #closed(code) {
    if (this.#announced) return this.#end(this.#announced);
    const final = FINAL_CLOSES[code];
    if (final) return this.#end({ code: final, message: '' });
    this.#drop();
  }

  /** Forgets the socket without waiting for its close, which a dead network may delay for minutes. */
  #drop() {
    this.#forget();
    if (this.#state === 'closed') return;
    const backoffMs = Math.min(FIRST_RETRY_MS * 2 ** this.#attempt, LONGEST_RETRY_MS);
    const delayMs = this.#askedDelayMs ?? backoffMs;
    this.#askedDelayMs = null;
    this.#attempt += 1;
    this.#retryAfter(delayMs);
    this.#setState('reconnecting');
  }

  /** @param {number} delayMs */
  #retryAfter(delayMs) {
    this.#retryTimer = this.#timers.setTimeout(() => {
      this.#retryTimer = null;
      const online = this.#options.online?.() ?? true;
      if (!online && this.#skipped < OFFLINE_ATTEMPTS) {
        this.#skipped += 1;
        return this.#retryAfter(LONGEST_RETRY_MS);
      }
      this.#skipped = 0;
      return this.open();
    }, delayMs);
  }

  /** @param {Ending} ending */
  #end(ending) {
    if (this.#state === 'closed') return;
    this.#setState('closed');
    this.#forget();
    this.#options.onEnd(ending);
  }

  #forget() {
    for (const timer of /** @type {const} */ (['retry', 'attempt', 'beat', 'probe', 'answer'])) this.#stop(timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState <= 1) socket.close(1000);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(new ConnectionLost());
  }

  /** @param {'retry' | 'attempt' | 'beat' | 'probe' | 'answer'} which */
  #stop(which) {
    if (which === 'retry') { this.#timers.clearTimeout(this.#retryTimer); this.#retryTimer = null; }
    if (which === 'attempt') { this.#timers.clearTimeout(this.#attemptTimer); this.#attemptTimer = null; }
    if (which === 'answer') { this.#timers.clearTimeout(this.#answerTimer); this.#answerTimer = null; }
    if (which === 'beat') { this.#timers.clearTimeout(this.#beatTimer); this.#beatTimer = null; }
    if (which === 'probe') {
      this.#timers.clearTimeout(this.#probeTimer);
      this.#probeTimer = null;
      this.#dismissBeside();
    }
  }

  /** Browsers complain of a socket that is closed before it is open. */
  #dismissBeside() {
    const beside = this.#beside;
    this.#beside = null;
    if (beside) beside.onopen = () => beside.close(1000);
  }

  /** @param {Record<string, unknown>} message */
  #send(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  /** @param {LinkState} state */
  #setState(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}
