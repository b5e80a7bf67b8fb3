// The connection check: which hop fails, said for people, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFor } from '../../src/pymeet/web/static/js/media/ways.js';
import { ConnectionCheck, verdictOf } from '../../src/pymeet/web/static/js/models/connection-check.js';

const HERE = { host: '192.0.2.1', port: 8444 };
const WAYS = { ufrag: 'check0123456789abcdef', password: 'p'.repeat(32), udp: [HERE, { host: '2001:db8::1', port: 8444 }], tcp: [HERE], ice_servers: [] };
const RELAY = { urls: ['turn:turn.example.org'], username: '1:a', credential: 'c' };

/** @param {object} world what is open */
function checking({ ways = WAYS, page = true, messages = true, open = /** @type {string[]} */ (['udp', 'tcp']) } = {}) {
  return new ConnectionCheck({
    ask: async () => { if (!page) throw new Error('no answer'); return ways; },
    opens: async () => messages,
    reaches: async (_ways, way) => {
      if (way === 'relay' && !open.includes('relay')) throw new Error('a browser may refuse');
      return open.includes(way);
    },
  });
}

test('every hop that is there is looked at, and no other', async () => {
  const plain = checking();
  await plain.start();
  assert.deepEqual(plain.outcomes.value, { page: 'ok', messages: 'ok', udp: 'ok', tcp: 'ok' });
  assert.equal(plain.port.value, 8444);

  const relayed = checking({ ways: { ...WAYS, tcp: [], ice_servers: [RELAY] }, open: ['relay'] });
  await relayed.start();
  assert.deepEqual(relayed.outcomes.value, { page: 'ok', messages: 'ok', udp: 'fail', relay: 'ok' });
});

test('the verdict says what it means for the meeting', async () => {
  const cases = /** @type {const} */ ([
    ['good', {}],
    ['good', { open: ['udp'] }],
    ['tcp', { open: ['tcp'] }],
    ['relay', { ways: { ...WAYS, ice_servers: [RELAY] }, open: ['relay'] }],
    ['media', { open: [] }],
    ['media', { ways: { ...WAYS, ice_servers: [RELAY] }, open: [] }],
    ['messages', { messages: false }],
    ['page', { page: false }],
  ]);
  for (const [verdict, world] of cases) {
    const check = checking(/** @type {any} */ (world));
    await check.start();
    assert.equal(verdictOf(check.outcomes.value), verdict);
  }
});

test('there is no verdict before everything is known', () => {
  assert.equal(verdictOf({}), null);
  assert.equal(verdictOf({ page: 'runs' }), null);
  assert.equal(verdictOf({ page: 'ok', messages: 'ok', udp: 'ok', tcp: 'runs' }), null);
});

test('what a check finds after its dialog was closed is not noted', async () => {
  const check = checking();
  const running = check.start();
  check.stop();
  await running;
  assert.deepEqual(check.outcomes.value, { page: 'runs' });
});

test('each way is tried with its own candidates', () => {
  const udp = answerFor(WAYS, 'udp');
  const tcp = answerFor(WAYS, 'tcp');
  assert.equal(udp.match(/^a=candidate:.* udp /gm)?.length, 2);
  assert.ok(!udp.includes('tcptype'));
  assert.deepEqual(tcp.match(/^a=candidate:.*$/gm)?.map((line) => line.trim()), ['a=candidate:101 1 tcp 1518280447 192.0.2.1 8444 typ host tcptype passive']);
  assert.equal(answerFor(WAYS, 'relay'), udp);
  assert.ok(udp.includes('a=ice-lite\r\n'));
});
