// A path that died is noticed in two seconds, and one that is only quiet is left alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Silence, carried } from '../../src/pymeet/web/static/js/media/silence.js';

test('a path on which much is sent and nothing comes back is dead, and that is said once', () => {
  const silence = new Silence();
  const told = [];
  for (let atMs = 0; atMs <= 8000; atMs += 500) {
    if (silence.isDead({ sent: atMs * 20, received: Math.min(atMs, 2000) }, atMs)) told.push(atMs);
  }
  assert.deepEqual(told, [4000]);
  assert.equal(silence.isDead({ sent: 200_000, received: 2100 }, 9000), false);
  assert.equal(silence.isDead({ sent: 300_000, received: 2100 }, 11_000), true);
});

test('who sends nothing is not told that their path is dead', () => {
  const silence = new Silence();
  for (let atMs = 0; atMs <= 60_000; atMs += 500) {
    assert.equal(silence.isDead({ sent: 5000, received: 800 }, atMs), false);
  }
});

test('only the pair in use counts', () => {
  const pairs = [
    { type: 'candidate-pair', nominated: true, bytesSent: 10, bytesReceived: 3 },
    { type: 'candidate-pair', nominated: false, bytesSent: 1000, bytesReceived: 1000 },
    { type: 'outbound-rtp', bytesSent: 9 },
    { type: 'candidate-pair', nominated: true },
  ];
  assert.deepEqual(carried(/** @type {any} */ (new Map(pairs.map((pair, i) => [String(i), pair])))), { sent: 10, received: 3 });
});
