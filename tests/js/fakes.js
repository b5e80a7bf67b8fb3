// A clock that only moves when told, and a WebSocket whose other end is the test.

export class FakeTimers {
  nowMs = 0;
  #next = 1;
  /** @type {Map<number, { at: number, run: () => void }>} */
  #due = new Map();

  /** @param {() => void} run @param {number} ms */
  setTimeout = (run, ms) => {
    this.#due.set(this.#next, { at: this.nowMs + ms, run });
    return this.#next++;
  };

  /** @param {number} timer */
  clearTimeout = (timer) => void this.#due.delete(timer);

  get waiting() {
    return this.#due.size;
  }

  /** @param {number} ms */
  pass(ms) {
    const until = this.nowMs + ms;
    for (;;) {
      const next = [...this.#due].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!next) break;
      this.#due.delete(next[0]);
      this.nowMs = next[1].at;
      next[1].run();
    }
    this.nowMs = until;
  }
}

export class FakeSocket {
  readyState = 0;
  /** @type {any[]} */
  sent = [];
  onopen = () => {};
  /** @type {(event: { data: string }) => void} */
  onmessage = () => {};
  /** @type {(event: { code: number }) => void} */
  onclose = () => {};

  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  accept() {
    this.readyState = 1;
    this.onopen();
  }

  /** @param {object} message */
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  /** @param {number} code */
  end(code) {
    this.readyState = 3;
    this.onclose({ code });
  }
}

/** @param {object} [over] */
export const joined = (over = {}) => ({
  type: 'joined', v: 1, you: 'p1', resumed: false, resume: 'token-1', room: { slug: 'garden', name: 'Garden' }, role: 'guest',
  state: { locked: false, spotlight: null, hands: [], may_share: 'everybody', may_record: 'hosts' }, participants: [], messages: [], heartbeat_s: 10, seat_s: 60, ...over,
});
