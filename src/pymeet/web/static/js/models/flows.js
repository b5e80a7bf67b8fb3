// What the browser counted on both paths, as streams that people can read about (W3C webrtc-stats). Arithmetic only.

/** @import { Source } from '../types.js' */

/** @typedef {{ participant: string, source: Source, track: string }} Section */
/**
 * @typedef {object} Reading
 * @property {number} atMs
 * @property {any[]} sent records of getStats()
 * @property {any[]} received
 * @property {Map<string, Source>} sentFrom by mid
 * @property {Map<string, Section>} receivedFrom by mid
 */
/**
 * @typedef {object} Flow
 * @property {string} key
 * @property {string} participant whose it is; empty for one's own
 * @property {Source} source
 * @property {string} track empty for one's own
 * @property {string} layer the name of the encoding, where there are several
 * @property {boolean} active whether it is sent at all
 * @property {number} bps
 * @property {number | null} lost share of the packets, 0 to 1; null where there were too few to say
 * @property {number} width of the picture; 0 for sound
 * @property {number} height
 * @property {number} rate pictures a second
 * @property {string} codec
 * @property {number} frozen share of the time in which the picture stood still, 0 to 1
 */
/** @typedef {{ roundTripMs: number | null, sentBps: number, receivedBps: number, sendableBps: number | null, way: string, flows: Flow[] }} Flows */

// A lost one of ten packets says nothing.
const ENOUGH_PACKETS = 20;
const LAYERS = ['l', 'm', 'h'];
const SOURCES = ['screen', 'screen_audio', 'camera', 'microphone'];

/** @param {any[]} records */
const byId = (records) => new Map(records.map((record) => [record.id, record]));

/** @param {any} now @param {any} before @param {string} field */
const grown = (now, before, field) => Math.max(0, (now[field] ?? 0) - (before?.[field] ?? 0));

/** @param {Map<string, any>} records @param {any} stream */
const codecOf = (records, stream) => String(records.get(stream.codecId)?.mimeType ?? '').replace(/^\w+\//, '').replace('opus', 'Opus');

/** @param {number} lost @param {number} arrived */
const shareOf = (lost, arrived) => (lost + arrived < ENOUGH_PACKETS ? null : lost / (lost + arrived));

/** @param {Reading} now @param {Reading} before @returns {Flow[]} */
function received(now, before) {
  const seconds = (now.atMs - before.atMs) / 1000;
  const records = byId(now.received);
  const earlier = byId(before.received);
  const flows = [];
  for (const stream of now.received) {
    const section = stream.type === 'inbound-rtp' && now.receivedFrom.get(stream.mid);
    const was = earlier.get(stream.id);
    if (!section || !was) continue;
    const bps = (grown(stream, was, 'bytesReceived') * 8) / seconds;
    flows.push({
      key: `in ${stream.id}`, ...section, layer: '', active: bps > 0, bps,
      lost: shareOf(grown(stream, was, 'packetsLost'), grown(stream, was, 'packetsReceived')),
      width: stream.frameWidth ?? 0, height: stream.frameHeight ?? 0, rate: grown(stream, was, 'framesDecoded') / seconds,
      codec: codecOf(records, stream), frozen: Math.min(1, grown(stream, was, 'totalFreezesDuration') / seconds),
    });
  }
  return flows;
}

/** @param {Reading} now @param {Reading} before @returns {Flow[]} */
function sent(now, before) {
  const seconds = (now.atMs - before.atMs) / 1000;
  const records = byId(now.sent);
  const earlier = byId(before.sent);
  const flows = [];
  for (const stream of now.sent) {
    const source = stream.type === 'outbound-rtp' && now.sentFrom.get(stream.mid);
    const was = earlier.get(stream.id);
    if (!source || !was) continue;
    const bps = (grown(stream, was, 'bytesSent') * 8) / seconds;
    const heard = records.get(stream.remoteId);
    flows.push({
      key: `out ${stream.id}`, participant: '', source, track: '', layer: stream.rid ?? '', active: bps > 0, bps,
      lost: heard && grown(stream, was, 'packetsSent') >= ENOUGH_PACKETS ? heard.fractionLost ?? null : null,
      width: stream.frameWidth ?? 0, height: stream.frameHeight ?? 0, rate: grown(stream, was, 'framesEncoded') / seconds,
      codec: codecOf(records, stream), frozen: 0,
    });
  }
  return flows;
}

/** The pair of addresses in use. @param {any[]} records */
function pathOf(records) {
  const all = byId(records);
  const transport = records.find(({ type }) => type === 'transport');
  const pair = all.get(transport?.selectedCandidatePairId)
    ?? records.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
  return { pair, local: all.get(pair?.localCandidateId) };
}

/** @param {Reading} now @param {Reading | null} before the one some seconds ago @returns {Flows | null} null until there are two */
export function flowsOf(now, before) {
  if (!before || now.atMs <= before.atMs) return null;
  const up = pathOf(now.sent);
  const down = pathOf(now.received);
  const roundTrip = (up.pair ?? down.pair)?.currentRoundTripTime;
  const out = sent(now, before);
  const into = received(now, before);
  const rank = (/** @type {Flow} */ flow) => SOURCES.indexOf(flow.source) * 10 - LAYERS.indexOf(flow.layer);
  return {
    roundTripMs: typeof roundTrip === 'number' ? roundTrip * 1000 : null,
    sentBps: out.reduce((sum, { bps }) => sum + bps, 0),
    receivedBps: into.reduce((sum, { bps }) => sum + bps, 0),
    sendableBps: up.pair?.availableOutgoingBitrate ?? null,
    way: (up.local ?? down.local)?.protocol ?? '',
    flows: [...out, ...into].sort((a, b) => rank(a) - rank(b)),
  };
}
