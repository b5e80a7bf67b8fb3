// What the browser counted, as people read it; how good a connection is; Opus in stereo.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofMid, takingStereo, withOpus } from '../../src/pymeet/web/static/js/media/stereo.js';
import { flowsOf } from '../../src/pymeet/web/static/js/models/flows.js';
import { Grades, judge, worseOf } from '../../src/pymeet/web/static/js/models/quality.js';
import { Room } from '../../src/pymeet/web/static/js/models/room.js';
import { joined } from './fakes.js';

const sentFrom = new Map([['0', 'microphone'], ['1', 'camera']]);
const receivedFrom = new Map([['0', { participant: 'p2', source: 'camera', track: 't2' }], ['1', { participant: 'p2', source: 'microphone', track: 'a2' }]]);

/** @param {number} atMs @param {{ sent?: any[], received?: any[] }} records */
const reading = (atMs, { sent = [], received = [] }) => ({ atMs, sent, received, sentFrom, receivedFrom });

test('there is nothing to tell before there are two readings', () => {
  assert.equal(flowsOf(reading(0, {}), null), null);
});

test('what comes is told by person, with size, rate, loss and codec', () => {
  const codec = { id: 'c', type: 'codec', mimeType: 'video/VP8' };
  const camera = (bytesReceived, packetsReceived, packetsLost, framesDecoded, totalFreezesDuration) =>
    ({ id: 'v', type: 'inbound-rtp', mid: '0', codecId: 'c', frameWidth: 640, frameHeight: 360, bytesReceived, packetsReceived, packetsLost, framesDecoded, totalFreezesDuration });
  const before = reading(1000, { received: [codec, camera(10_000, 100, 0, 50, 0)] });
  const flows = flowsOf(reading(3000, { received: [codec, camera(135_000, 190, 10, 100, 0.5)] }), before);
  assert.deepEqual(flows?.flows, [{
    key: 'in v', participant: 'p2', source: 'camera', track: 't2', layer: '', active: true, bps: 500_000, lost: 0.1,
    width: 640, height: 360, rate: 25, codec: 'VP8', frozen: 0.25,
  }]);
  assert.equal(flows?.receivedBps, 500_000);
});

test('an encoding that nobody wants is told as not sent, and sizes stand from large to small', () => {
  const out = (rid, bytesSent) => ({ id: rid, type: 'outbound-rtp', mid: '1', rid, bytesSent, packetsSent: bytesSent / 1000, remoteId: `r${rid}` });
  const heard = { id: 'rl', type: 'remote-inbound-rtp', fractionLost: 0.02 };
  const before = reading(0, { sent: [out('l', 0), out('m', 0), out('h', 0)] });
  const flows = flowsOf(reading(2000, { sent: [out('l', 30_000), out('m', 5000), out('h', 0), heard] }), before);
  assert.deepEqual(flows?.flows.map(({ layer, active, lost }) => [layer, active, lost]), [['h', false, null], ['m', true, null], ['l', true, 0.02]]);
});

test('the way to the server is that of the pair in use', () => {
  const records = [
    { id: 't', type: 'transport', selectedCandidatePairId: 'p' },
    { id: 'q', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 9 },
    { id: 'p', type: 'candidate-pair', localCandidateId: 'l', currentRoundTripTime: 0.023, availableOutgoingBitrate: 2_000_000 },
    { id: 'l', type: 'local-candidate', protocol: 'tcp' },
  ];
  const flows = flowsOf(reading(2000, { sent: records }), reading(0, { sent: records }));
  assert.deepEqual([flows?.roundTripMs, flows?.sendableBps, flows?.way], [23, 2_000_000, 'tcp']);
});

test('a stream that begins between two readings does not count with all that came before', () => {
  const flows = flowsOf(reading(2000, { received: [{ id: 'v', type: 'inbound-rtp', mid: '0', bytesReceived: 9e9 }] }), reading(0, {}));
  assert.deepEqual(flows?.flows, []);
});

/** @param {object} over */
const flow = (over) => ({
  key: 'k', participant: 'p2', source: /** @type {const} */ ('camera'), track: 't', layer: '', active: true, bps: 1, lost: 0, width: 1, height: 1, rate: 1, codec: '', frozen: 0, ...over,
});
/** @param {object} over */
const flows = (over) => ({ roundTripMs: 20, sentBps: 0, receivedBps: 0, sendableBps: null, way: 'udp', flows: [flow(over)] });

test('a connection is as good as its worst stream', () => {
  assert.equal(judge([flow({}), flow({ lost: null })]).grade, 'good');
  assert.deepEqual(judge([flow({}), flow({ lost: 0.06 })]), { grade: 'weak', cause: 'gaps' });
  assert.deepEqual(judge([flow({ frozen: 0.6 }), flow({ lost: 0.06 })]), { grade: 'poor', cause: 'still' });
  assert.deepEqual(judge([flow({})], 700), { grade: 'weak', cause: 'delay' });
  assert.deepEqual(judge([flow({ participant: '', lost: 0.2 })], 700), { grade: 'poor', cause: 'sending' });
});

test('of what the server tells and what is seen here the worse counts, and of equals what the server tells', () => {
  const told = new Map([['p1', { grade: 'weak', cause: 'sending' }], ['p2', { grade: 'weak', cause: 'delay' }]]);
  const seen = new Map([['p1', { grade: 'weak', cause: 'gaps' }], ['p2', { grade: 'poor', cause: 'still' }], ['p3', { grade: 'weak', cause: 'gaps' }]]);
  assert.deepEqual(Object.fromEntries(worseOf(told, seen)), {
    p1: { grade: 'weak', cause: 'sending' }, p2: { grade: 'poor', cause: 'still' }, p3: { grade: 'weak', cause: 'gaps' },
  });
});

test('what the server told of connections is forgotten with the next `joined`', () => {
  const room = new Room();
  room.apply({ type: 'quality', participants: [{ participant: 'p2', grade: 'poor', cause: 'sending' }] });
  assert.deepEqual(Object.fromEntries(room.quality.value), { p2: { grade: 'poor', cause: 'sending' } });
  room.apply(joined({}));
  assert.deepEqual(Object.fromEntries(room.quality.value), {});
});

test('one bad moment is no bad connection, and one good moment is no recovery', () => {
  const grades = new Grades();
  const take = (over) => Object.fromEntries(grades.take(flows(over), 'p1'));
  assert.deepEqual(take({ lost: 0.3 }), {});
  assert.deepEqual(take({ lost: 0 }), {});
  assert.deepEqual(take({ lost: 0.3 }), {});
  const poor = { p2: { grade: 'poor', cause: 'gaps' } };
  assert.deepEqual(take({ lost: 0.3 }), poor);
  assert.deepEqual(take({ lost: 0 }), poor);
  assert.deepEqual(take({ lost: 0 }), poor);
  assert.deepEqual(take({ lost: 0 }), {});
});

test('what is sent grades oneself', () => {
  const grades = new Grades();
  grades.take(flows({ participant: '', lost: 0.08 }), 'p1');
  assert.deepEqual(Object.fromEntries(grades.take(flows({ participant: '', lost: 0.08 }), 'p1')), { p1: { grade: 'weak', cause: 'sending' } });
});

const sdp = (...sections) => ['v=0\r\n', ...sections].join('');
const opus = (mid, parameters = 'a=fmtp:111 minptime=10;useinbandfec=1\r\n') => `m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=mid:${mid}\r\na=rtpmap:111 opus/48000/2\r\n${parameters}a=rtpmap:63 red/48000/2\r\n`;

test('stereo is said of one section and of no other', () => {
  const changed = withOpus(sdp(opus('0'), opus('1'), 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\n'), 'stereo=1', ofMid('1'));
  assert.deepEqual(changed.match(/^a=.*$/gm), sdp(opus('0'), opus('1', 'a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n'), 'a=mid:2\r\n').match(/^a=.*$/gm));
  assert.equal(withOpus(changed, 'stereo=1', ofMid('1')), changed);
});

test('stereo is said where Opus had no parameters, and nowhere without a mid', () => {
  assert.match(withOpus(sdp(opus('0', '')), 'stereo=1', ofMid('0')), /opus\/48000\/2\r\na=fmtp:111 stereo=1\r\n/);
  assert.equal(withOpus(sdp(opus('0')), 'stereo=1', ofMid(null)), sdp(opus('0')));
});

test('stereo is taken where it is sent', () => {
  const offer = sdp(opus('0'), opus('1', 'a=fmtp:111 minptime=10;stereo=1;sprop-stereo=1\r\n'));
  const answer = takingStereo(sdp(opus('0'), opus('1')), offer);
  assert.equal(answer, sdp(opus('0'), opus('1', 'a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n')));
});
