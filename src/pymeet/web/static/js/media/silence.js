// Notices that a path is dead sooner than the browser does, which waits for six seconds: what is sent brings reports back
// many times a second. And that the browser clings to a dead path although another has answered. No DOM.

const DOUBT_MS = 200;
const PATIENCE_MS = 600;
// So many packets are not lost one after the other on a path that is any good. A silent microphone sends two or three a second.
const UNANSWERED = 3;
// For the browser to take the path that has answered; Chromium may need three seconds more. Beside a round trip.
const CHANGE_MS = 250;
const LONGEST_TRIP_MS = 1000;

/** `sent` in packets of sound and pictures, each of which is soon reported on; `received` in bytes of any kind.
 * @typedef {{ sent: number, received: number, roundTripMs: number, answers: Map<string, number> }} Carried */
/** @typedef {'' | 'doubt' | 'restart' | 'rebuild'} Verdict */

export class Silence {
  /** As it was when something came in last, or was not due yet. @type {Carried & { atMs: number } | null} */
  #noted = null;
  /** As it was when a restart was due. @type {Carried | null} */
  #dead = null;
  #answeredAtMs = 0;
  #said = '';

  /**
   * What to think of the path: nothing special, or `doubt`; and what to do where nothing else is known: `restart` ICE, and
   * `rebuild` the connection where that does not help although another path has answered. These are said once each, until
   * something comes in again.
   * @param {Carried} now counted since the connection exists
   * @param {number} nowMs
   * @returns {Verdict}
   */
  judge(now, nowMs) {
    const noted = this.#noted;
    if (!noted || now.received !== noted.received) {
      this.#noted = { ...now, atMs: nowMs };
      this.#dead = null;
      this.#said = '';
      return '';
    }
    if (now.sent === noted.sent) noted.atMs = nowMs;
    if (now.sent - noted.sent < UNANSWERED) return '';
    const tripMs = Math.min(now.roundTripMs, LONGEST_TRIP_MS);
    const silentMs = nowMs - noted.atMs;
    if (silentMs < DOUBT_MS + tripMs) return '';
    if (silentMs < PATIENCE_MS + tripMs) return 'doubt';
    if (!this.#dead) {
      this.#dead = now;
      this.#answeredAtMs = Infinity;
      return this.#say('restart');
    }
    const { answers } = this.#dead;
    if ([...now.answers].some(([pair, count]) => count > (answers.get(pair) ?? 0))) {
      this.#answeredAtMs = Math.min(this.#answeredAtMs, nowMs);
    }
    return nowMs - this.#answeredAtMs >= CHANGE_MS + tripMs ? this.#say('rebuild') : 'doubt';
  }

  /** @param {'restart' | 'rebuild'} what @returns {Verdict} */
  #say(what) {
    if (this.#said === what) return 'doubt';
    this.#said = what;
    return what;
  }
}

/** What a connection has sent, what the pair of addresses in use has received, and how often each pair has answered. @param {RTCStatsReport} stats @returns {Carried} */
export function carried(stats) {
  const found = { sent: 0, received: 0, roundTripMs: 0, answers: new Map() };
  for (const [id, each] of stats) {
    if (each.type === 'outbound-rtp') found.sent += each.packetsSent ?? 0;
    if (each.type !== 'candidate-pair') continue;
    // Where answers are not counted, that there was one.
    found.answers.set(id, each.responsesReceived ?? Number(each.state === 'succeeded'));
    if (!each.nominated) continue;
    found.received += each.bytesReceived ?? 0;
    found.roundTripMs = Math.max(found.roundTripMs, 1000 * (each.currentRoundTripTime ?? 0));
  }
  return found;
}
