// Both paths of a seat: which are replaced, and when, where nothing comes on them any more.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { MediaPaths } from '../../src/pymeet/web/static/js/media/paths.js';

const STEP_MS = 20;

/** A peer connection that counts what the test says. */
class FakePc {
  connectionState = 'new';
  signalingState = 'stable';
  localDescription = { sdp: '' };
  onconnectionstatechange = () => {};
  sent = 0;
  received = 0;
  restarts = 0;
  closed = false;
  addTransceiver() { return { mid: '0', sender: { track: null, getParameters: () => ({ encodings: [] }), setParameters: async () => {} } }; }
  getTransceivers() { return []; }
  getConfiguration() { return {}; }
  setConfiguration() {}
  async createOffer() { return { sdp: '' }; }
  async createAnswer() { return { sdp: '' }; }
  async setLocalDescription() {}
  async setRemoteDescription() {}
  restartIce() { this.restarts += 1; }
  close() { this.closed = true; }
  async getStats() {
    return new Map(Object.entries({
      out: { type: 'outbound-rtp', packetsSent: this.sent },
      pair: { type: 'candidate-pair', nominated: true, bytesReceived: this.received, currentRoundTripTime: 0.02 },
    }));
  }

  connect() {
    this.connectionState = 'connected';
    this.onconnectionstatechange();
  }
}

const now = performance.now;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  performance.now = () => Date.now();
  globalThis.RTCPeerConnection = /** @type {any} */ (FakePc);
});

afterEach(() => {
  mock.timers.reset();
  performance.now = now;
});

const settle = async () => { for (let i = 0; i < 20; i += 1) await Promise.resolve(); };

/** Somebody who sends and receives; `pass` lets time go by, with what comes in meanwhile. */
async function setUp() {
  const seen = { asked: [], troubles: 0, heard: 0, spares: [] };
  const paths = new MediaPaths({
    relays: [],
    request: async (type, fields) => {
      seen.asked.push(fields.media ? `${type} ${fields.media}` : type);
      return { sdp: '' };
    },
    send: () => () => {},
    onTracks: () => {},
    onFlow: () => {},
    onTrouble: () => { seen.troubles += 1; },
    connect: async () => {
      seen.spares.push(new FakePc());
      return /** @type {any} */ (seen.spares.at(-1));
    },
    heard: () => seen.heard,
  });
  const pass = async (ms, { publish = true, subscribe = true } = {}) => {
    for (let at = 0; at < ms; at += STEP_MS) {
      const up = /** @type {any} */ (paths.publish.pc);
      const down = /** @type {any} */ (paths.subscribe.pc);
      up.sent += 1;
      if (publish) up.received += 50;
      if (subscribe) down.received += 900;
      mock.timers.tick(STEP_MS);
      await settle();
    }
  };
  const offer = () => paths.accept(/** @type {any} */ ({ fresh: true, offer: 1, sdp: '', tracks: [] }));
  offer();
  await settle();
  /** @type {any} */ (paths.publish.pc).connect();
  /** @type {any} */ (paths.subscribe.pc).connect();
  await pass(1000);
  seen.asked.length = 0;
  const first = { publish: /** @type {any} */ (paths.publish.pc), subscribe: /** @type {any} */ (paths.subscribe.pc) };
  return { paths, seen, pass, offer, first };
}

const DEAD = { publish: false, subscribe: false };

test('where nothing comes on either path and the server answers, both are replaced within half a second', async () => {
  const { paths, seen, pass, offer, first } = await setUp();
  await pass(320, DEAD);
  assert.deepEqual([seen.troubles, seen.asked], [1, []], 'doubted, and nothing given up');
  seen.heard += 1;
  await pass(180, DEAD);
  assert.deepEqual(seen.asked.sort(), ['publish', 'restart new']);
  assert.ok(first.publish.closed);
  offer();
  await pass(20);
  assert.deepEqual([paths.publish.pc, paths.subscribe.pc], seen.spares, 'by those that were made ready meanwhile');
  paths.close();
});

test('a path that speaks again is kept, and what was made ready is thrown away', async () => {
  const { paths, seen, pass, first } = await setUp();
  await pass(320, DEAD);
  seen.heard += 1;
  await pass(2000);
  assert.deepEqual([seen.asked, paths.publish.pc, paths.subscribe.pc], [[], first.publish, first.subscribe]);
  assert.deepEqual(seen.spares.map(({ closed }) => closed), [true, true]);
  paths.close();
});

test('where the server is silent as well nothing is given up before the seat is taken again', async () => {
  const { paths, seen, pass, first } = await setUp();
  await pass(2000, DEAD);
  assert.deepEqual([seen.asked, first.publish.closed], [[], false]);
  paths.resume([]);
  await pass(20, DEAD);
  assert.deepEqual(seen.asked.sort(), ['publish', 'restart new']);
  paths.close();
});

test('where only one path is silent, new ICE credentials come first', async () => {
  const { paths, seen, pass, first } = await setUp();
  await pass(320, { publish: false, subscribe: true });
  seen.heard += 1;
  await pass(600, { publish: false, subscribe: true });
  assert.deepEqual([first.publish.restarts, first.publish.closed], [1, false]);
  assert.deepEqual(seen.asked.sort(), ['publish', 'restart keep']);
  paths.close();
});

test('a path that stutters makes connections ready only now and then', async () => {
  const { paths, seen, pass } = await setUp();
  for (let i = 0; i < 4; i += 1) {
    await pass(360, DEAD);
    await pass(300);
  }
  assert.deepEqual([seen.troubles, seen.spares.length], [4, 2]);
  paths.close();
});
