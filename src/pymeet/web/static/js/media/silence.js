// Notices that a path is dead sooner than the browser does, which waits for six seconds: what is sent brings reports back
// every second or oftener. No DOM.

const PATIENCE_MS = 1800;
// What is sent in that time by a microphone alone, in silence.
const LEAST_BYTES = 400;

export class Silence {
  /** @type {{ sent: number, received: number, atMs: number } | null} */
  #noted = null;
  #told = false;

  /**
   * Whether the path seems dead; said once, until something comes in again.
   * @param {{ sent: number, received: number }} bytes counted since the path exists
   * @param {number} nowMs
   */
  isDead({ sent, received }, nowMs) {
    const noted = this.#noted;
    if (!noted || received !== noted.received) {
      this.#noted = { sent, received, atMs: nowMs };
      this.#told = false;
      return false;
    }
    if (this.#told || sent - noted.sent < LEAST_BYTES || nowMs - noted.atMs < PATIENCE_MS) return false;
    this.#told = true;
    return true;
  }
}

/** What the pair of addresses in use has carried. @param {RTCStatsReport} stats */
export function carried(stats) {
  let sent = 0;
  let received = 0;
  for (const each of stats.values()) {
    if (each.type !== 'candidate-pair' || !each.nominated) continue;
    sent += each.bytesSent ?? 0;
    received += each.bytesReceived ?? 0;
  }
  return { sent, received };
}
