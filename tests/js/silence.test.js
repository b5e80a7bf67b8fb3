// A path that died is noticed within a second, one that is only quiet is left alone, and so is one that has come back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Silence, carried } from '../../src/pymeet/web/static/js/media/silence.js';

/** @param {number} sent @param {number} received @param {Record<string, number>} answers */
const counted = (sent, received, answers = {}, roundTripMs = 40) => ({ sent, received, roundTripMs, answers: new Map(Object.entries(answers)) });

/** What is judged of readings, 100 ms apart: what changed, and when. @param {(atMs: number) => any} read @param {number} untilMs */
function judged(read, untilMs, silence = new Silence()) {
  const told = [];
  let before = '';
  for (let atMs = 0; atMs <= untilMs; atMs += 100) {
    const due = silence.judge(read(atMs), atMs);
    if (due !== before) told.push([atMs, due]);
    before = due;
  }
  return told;
}

test('a path on which much is sent and nothing comes back is doubted at once, and soon a restart is due, once', () => {
  const silence = new Silence();
  assert.deepEqual(
    judged((atMs) => counted(atMs / 20, Math.min(atMs, 2000)), 8000, silence),
    [[2300, 'doubt'], [2700, 'restart'], [2800, 'doubt']],
  );
  assert.equal(silence.judge(counted(200_000, 2100), 9000), '');
  assert.equal(silence.judge(counted(300_000, 2100), 9100), '');
  assert.equal(silence.judge(counted(300_000, 2100), 9300), 'doubt');
});

test('where answers take long, more patience is due', () => {
  const told = judged((atMs) => counted(atMs / 20, Math.min(atMs, 2000), {}, 500), 2900);

  assert.deepEqual(told, [[2700, 'doubt']]);
});

test('who sends nothing, or hardly anything, is not told that their path is dead', () => {
  assert.deepEqual(judged((atMs) => counted(5000, 800, { old: atMs }), 60_000), []);
  assert.deepEqual(judged((atMs) => counted(atMs > 30_000 ? 5002 : 5000, 800), 60_000), []);
});

test('whose microphone is silent notices all the same, by the few packets that it sends', () => {
  const told = judged((atMs) => counted(Math.floor(atMs / 400), Math.min(Math.floor(atMs / 400), 5)), 4000);

  assert.equal(told[0][0], 3200, 'three packets after the last answer');
});

test('who begins to send after a silence waits for the first answer as everybody does', () => {
  const told = judged((atMs) => counted(Math.max(0, atMs - 3000) / 20, atMs < 3150 ? 800 : atMs), 6000);

  assert.deepEqual(told, []);
});

test('where another path answers and the dead one stays in use, a new connection is due, once', () => {
  const told = judged((atMs) => {
    const answers = { old: Math.min(atMs, 1000) / 200, ...(atMs >= 3000 && { tcp: 1 }) };
    return counted(atMs / 20, Math.min(atMs, 1000), answers);
  }, 6000).filter(([, due]) => due === 'restart' || due === 'rebuild');
  assert.deepEqual(told, [[1700, 'restart'], [3300, 'rebuild']]);
});

test('where the path that answers is taken, nothing more is due', () => {
  const told = judged((atMs) => {
    const received = atMs < 3200 ? Math.min(atMs, 1000) : atMs;
    return counted(atMs / 20, received, { old: 5, ...(atMs >= 3000 && { udp: 1 }) });
  }, 6000);
  assert.deepEqual(told.at(-1), [3200, '']);
  assert.ok(!told.some(([, due]) => due === 'rebuild'));
});

test('only the pair in use counts, but an answer of any', () => {
  const pairs = [
    { type: 'candidate-pair', nominated: true, bytesSent: 9, bytesReceived: 3, responsesReceived: 7, currentRoundTripTime: 0.05 },
    { type: 'candidate-pair', nominated: false, bytesSent: 1000, bytesReceived: 1000, responsesReceived: 1 },
    { type: 'outbound-rtp', packetsSent: 6 },
    { type: 'outbound-rtp', packetsSent: 4 },
    { type: 'candidate-pair', nominated: true, state: 'succeeded' },
  ];
  const found = carried(/** @type {any} */ (new Map(pairs.map((pair, i) => [String(i), pair]))));
  assert.deepEqual(found, { sent: 10, received: 3, roundTripMs: 50, answers: new Map([['0', 7], ['1', 1], ['4', 1]]) });
});
