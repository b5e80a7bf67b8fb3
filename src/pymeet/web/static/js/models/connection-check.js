// Which hops between this device and the server work. No DOM.

/** @import { Ways } from '../api-check.js' */
/** @import { Way } from '../media/ways.js' */
import { signal } from '../../vendor/signals-core.js';

/** @typedef {'page' | 'messages' | Way} Hop */
/** @typedef {'runs' | 'ok' | 'fail'} Outcome */
/** @typedef {Partial<Record<Hop, Outcome>>} Outcomes hops that are not there, such as a relay where there is none, are left out */
/** @typedef {'good' | 'tcp' | 'relay' | 'media' | 'messages' | 'page'} Verdict */

/** What it means for the person; null while it is not known yet. @param {Outcomes} outcomes @returns {Verdict | null} */
export function verdictOf(outcomes) {
  const { page, messages, udp, tcp, relay } = outcomes;
  if (page === 'fail') return 'page';
  if (!page || Object.values(outcomes).includes('runs')) return null;
  if (messages === 'fail') return 'messages';
  if (udp === 'ok') return 'good';
  if (tcp === 'ok') return 'tcp';
  return relay === 'ok' ? 'relay' : 'media';
}

export class ConnectionCheck {
  outcomes = signal(/** @type {Outcomes} */ ({}));
  /** The port of the media, once it is known. */
  port = signal(0);
  #options;
  #run = 0;

  /**
   * @param {object} options
   * @param {() => Promise<Ways>} options.ask the server
   * @param {() => Promise<boolean>} options.opens whether messages get through
   * @param {(ways: Ways, way: Way) => Promise<boolean>} options.reaches
   */
  constructor(options) {
    this.#options = options;
  }

  async start() {
    const run = ++this.#run;
    const note = (/** @type {Hop} */ hop, /** @type {Outcome} */ outcome) => {
      if (run === this.#run) this.outcomes.value = { ...this.outcomes.value, [hop]: outcome };
    };
    const look = async (/** @type {Hop} */ hop, /** @type {Promise<boolean>} */ answer) => {
      note(hop, await answer.catch(() => false) ? 'ok' : 'fail');
    };
    this.outcomes.value = { page: 'runs' };
    /** @type {Ways} */
    let ways;
    try {
      ways = await this.#options.ask();
    } catch {
      note('page', 'fail');
      return;
    }
    this.port.value = (ways.udp[0] ?? ways.tcp[0])?.port ?? 0;
    const tried = /** @type {Way[]} */ (['udp']);
    if (ways.tcp.length) tried.push('tcp');
    if (ways.ice_servers.length) tried.push('relay');
    note('messages', 'runs');
    for (const way of tried) note(way, 'runs');
    note('page', 'ok');
    await Promise.all([
      look('messages', this.#options.opens()),
      ...tried.map((way) => look(way, this.#options.reaches(ways, way))),
    ]);
  }

  /** What comes in after this is not noted. */
  stop() {
    this.#run += 1;
  }
}
