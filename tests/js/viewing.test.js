// What the server is told of what this page shows.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Room } from '../../src/pymeet/web/static/js/models/room.js';
import { Viewing, linesFor, viewOf } from '../../src/pymeet/web/static/js/models/viewing.js';
import { FakeTimers, joined } from './fakes.js';

beforeEach(() => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  Object.defineProperty(globalThis, 'localStorage', { value: storage, configurable: true });
});

const pictures = [{ track: 't1', participant: 'p1' }, { track: 't2', participant: 'p2' }];

function setUp() {
  const timers = new FakeTimers();
  const viewing = new Viewing({ setTimeout: timers.setTimeout, clearTimeout: timers.clearTimeout, now: () => timers.nowMs });
  /** @type {any[]} */
  const sent = [];
  const connect = () => viewing.connect(async (view) => { sent.push(view); });
  viewing.has(pictures);
  connect();
  return { timers, viewing, sent, connect, heights: () => sent.at(-1).tiles.map(({ height }) => height) };
}

test('a tile wants as many lines as fill it, in pixels of the device', () => {
  assert.equal(linesFor(640, 360, 1), 360);
  assert.equal(linesFor(640, 360, 2), 720);
  assert.equal(linesFor(480, 360, 1), 360); // the sides are cut off
  assert.equal(linesFor(640, 200, 1), 360); // top and bottom are
});

test('what stands nowhere on the page is told as out of sight', () => {
  const view = viewOf(pictures, new Map([['t1', 350]]), { audioOnly: false, hidden: false, pinned: 'p2' });
  assert.deepEqual(view, { tiles: [{ track: 't1', height: 352 }, { track: 't2', height: 0, pinned: true }], audio_only: false });
});

test('nothing is wanted of a page that nobody sees', () => {
  const view = viewOf(pictures, new Map([['t1', 350]]), { audioOnly: false, hidden: true, pinned: '' });
  assert.deepEqual(view.tiles.map(({ height }) => height), [0, 0]);
});

test('however often sizes change, the server is told twice a second at most, and at last of the last', () => {
  const { timers, viewing, sent, heights } = setUp();
  const place = {};
  for (let step = 1; step <= 100; step += 1) {
    viewing.show(place, 't1', step * 16);
    timers.pass(20);
  }
  assert.ok(sent.length <= 5, String(sent.length));
  timers.pass(1000);
  assert.deepEqual(heights(), [1600, 0]);
});

test('what does not change what is sent is not told', () => {
  const { timers, viewing, sent } = setUp();
  viewing.show({}, 't1', 350);
  timers.pass(1000);
  viewing.show({}, 't1', 340);
  viewing.has([...pictures]);
  timers.pass(1000);
  assert.equal(sent.length, 1);
});

test('of a picture that is not measured yet nothing is said, so that it comes small at first and not not at all', () => {
  const { timers, viewing, sent } = setUp();
  const place = {};
  viewing.show(place, 't1', null);
  timers.pass(100);
  assert.deepEqual(sent.at(-1).tiles, []);
  viewing.show(place, 't1', 352);
  timers.pass(1000);
  assert.deepEqual(sent.at(-1).tiles, [{ track: 't1', height: 352 }, { track: 't2', height: 0 }]);
});

test('a picture that moves from one place to another is wanted all the while', () => {
  const { timers, viewing, heights } = setUp();
  const strip = {};
  const stage = {};
  viewing.show(strip, 't1', 96);
  timers.pass(1000);
  viewing.show(stage, 't1', null);
  viewing.clear(strip);
  timers.pass(1000);
  assert.deepEqual(heights(), [96, 0]);
  viewing.show(stage, 't1', 704);
  timers.pass(1000);
  assert.deepEqual(heights(), [704, 0]);
});

test('a glance at another tab stops nothing, a longer absence does, and coming back is told at once', () => {
  const { timers, viewing, sent, heights } = setUp();
  viewing.show({}, 't1', 352);
  timers.pass(1000);
  viewing.hide(true);
  timers.pass(2000);
  viewing.hide(false);
  timers.pass(5000);
  assert.equal(sent.length, 1);
  viewing.hide(true);
  timers.pass(4000);
  assert.deepEqual(heights(), [0, 0]);
  viewing.hide(false);
  timers.pass(100);
  assert.deepEqual(heights(), [352, 0]);
});

test('a new connection is told everything anew', () => {
  const { timers, viewing, sent, connect } = setUp();
  viewing.show({}, 't1', 352);
  timers.pass(1000);
  connect();
  timers.pass(1000);
  assert.equal(sent.length, 2);
  assert.deepEqual(sent[0], sent[1]);
});

test('sound only is remembered on this device', () => {
  const { timers, viewing, sent } = setUp();
  viewing.listenOnly(true);
  timers.pass(1000);
  assert.equal(sent.at(-1).audio_only, true);
  assert.equal(new Viewing().audioOnly.value, true);
  viewing.listenOnly(false);
  assert.equal(new Viewing().audioOnly.value, false);
});

test('after the meeting nothing is told', () => {
  const { timers, viewing, sent } = setUp();
  viewing.close();
  viewing.show({}, 't1', 352);
  timers.pass(10_000);
  assert.deepEqual(sent, []);
});

const person = (id, ...tracks) => ({ id, name: id, role: 'guest', kind: 'browser', connection: 'connected', tracks });
const camera = (id) => ({ id, source: 'camera', kind: 'video', muted: false });

test('a room knows every picture that others send, and whom one keeps large for as long as they are here', () => {
  const room = new Room();
  room.apply(joined({ participants: [person('p1', camera('own')), person('p2', camera('t2'), { id: 'a2', source: 'microphone', kind: 'audio', muted: false })] }));
  assert.deepEqual(room.pictures.value, [{ track: 't2', participant: 'p2' }]);
  room.viewing.pin('p2');
  assert.equal(room.pinned.value?.id, 'p2');
  room.apply({ type: 'participant_left', participant: 'p2', reason: 'left' });
  assert.equal(room.pinned.value, null);
  assert.equal(room.viewing.pinned.value, '');
});

test('pictures that are withheld are known until the server says otherwise, or the seat is taken anew', () => {
  const room = new Room();
  room.apply(joined());
  room.apply({ type: 'withheld', tracks: ['t2', 't3'] });
  assert.deepEqual([...room.withheld.value], ['t2', 't3']);
  room.apply({ type: 'withheld', tracks: ['t3'] });
  assert.deepEqual([...room.withheld.value], ['t3']);
  room.apply(joined({ resumed: true }));
  assert.equal(room.withheld.value.size, 0);
});
