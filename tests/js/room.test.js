// What is true in a meeting after each message.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Room, pictureOf, sends } from '../../src/pymeet/web/static/js/models/room.js';
import { joined } from './fakes.js';

/** @param {string} id @param {object} [over] */
const person = (id, over = {}) => ({ id, name: `Person ${id}`, role: 'guest', kind: 'browser', connection: 'connected', tracks: [], ...over });
const track = (source, muted = false) => ({ id: `t-${source}`, source, kind: source === 'microphone' ? 'audio' : 'video', muted });
const chat = (id, participant = 'p2') => ({ id, participant, name: 'Miguel', text: id, at: Number(id.slice(1)) });

/** @param {...object} others */
function roomWith(...others) {
  const room = new Room();
  room.apply(joined({ participants: [person('p1'), ...others] }));
  return room;
}

test('one is not among the others', () => {
  const room = roomWith(person('p2'));
  assert.deepEqual(room.others.value.map(({ id }) => id), ['p2']);
});

test('who only watches is listed and has no tile', () => {
  const room = roomWith(person('p2', { kind: 'player' }), person('p3', { kind: 'publisher' }));
  assert.deepEqual(room.tiles.value.map(({ id }) => id), ['p3']);
  assert.deepEqual(room.watchers.value.map(({ id }) => id), ['p2']);
});

test('a changed participant keeps the place of its tile', () => {
  const room = roomWith(person('p2'), person('p3'));
  room.apply({ type: 'participant', participant: person('p2', { name: 'Miguel', tracks: [track('camera')] }) });
  assert.deepEqual(room.tiles.value.map(({ name }) => name), ['Miguel', 'Person p3']);
  assert.equal(room.news.value, null);
});

test('who comes and goes is news', () => {
  const room = roomWith();
  room.apply({ type: 'participant', participant: person('p2', { name: 'Miguel' }) });
  assert.deepEqual(room.news.value, { kind: 'came', name: 'Miguel' });
  room.apply({ type: 'participant_left', participant: 'p2', reason: 'left' });
  assert.deepEqual(room.news.value, { kind: 'went', name: 'Miguel' });
  assert.equal(room.others.value.length, 0);
});

test('a screen that begins to be shared is news, once', () => {
  const room = roomWith(person('p2'));
  room.apply({ type: 'participant', participant: person('p2', { name: 'Miguel', tracks: [track('screen')] }) });
  assert.deepEqual(room.news.value, { kind: 'shares', name: 'Miguel' });
  room.news.value = null;
  room.apply({ type: 'participant', participant: person('p2', { name: 'Miguel', tracks: [track('screen'), track('camera')] }) });
  room.apply({ type: 'participant', participant: person('p1', { tracks: [track('screen')] }) });
  assert.equal(room.news.value, null);
});

test('of unread messages only the first is news', () => {
  const room = roomWith(person('p2'));
  room.apply({ type: 'chat', message: chat('m1') });
  assert.deepEqual(room.news.value, { kind: 'wrote', name: 'Miguel' });
  room.news.value = null;
  room.apply({ type: 'chat', message: chat('m2') });
  assert.equal(room.news.value, null);
});

test('the time in the meeting goes on after a resume', () => {
  const room = new Room();
  room.since.value = 5;
  room.apply(joined());
  room.apply(joined({ resumed: true }));
  assert.equal(room.since.value, 5);
});

test('who leads goes on leading in a pause, until somebody else does or one comes in anew', () => {
  const room = roomWith(person('p2'), person('p3'));
  room.apply({ type: 'speakers', participants: ['p2', 'p3'], dominant: 'p2' });
  room.apply({ type: 'speakers', participants: [], dominant: 'p2' });
  assert.equal(room.leading.value, 'p2');
  room.apply({ type: 'speakers', participants: ['p3'], dominant: 'p3' });
  assert.equal(room.leading.value, 'p3');
  room.apply({ type: 'speakers', participants: [], dominant: null });
  assert.equal(room.leading.value, '');
  room.apply({ type: 'speakers', participants: ['p3'], dominant: 'p3' });
  room.apply(joined());
  assert.equal(room.leading.value, '');
});

test('who leaves no longer speaks and is no longer received', () => {
  const room = roomWith(person('p2'));
  room.apply({ type: 'speakers', participants: ['p2'] });
  room.received.value = [{ participant: 'p2', source: 'camera', track: 't', stream: /** @type {any} */ ({}) }];
  room.apply({ type: 'participant_left', participant: 'p2', reason: 'lost' });
  assert.deepEqual(room.speakers.value, []);
  assert.deepEqual(room.received.value, []);
});

test('the screen of whoever began to share last is shown, then the one before', () => {
  const room = roomWith(person('p2', { tracks: [track('screen')] }), person('p3'));
  room.apply({ type: 'participant', participant: person('p3', { tracks: [track('screen')] }) });
  assert.equal(room.sharer.value?.id, 'p3');
  room.apply({ type: 'participant', participant: person('p2', { name: 'Miguel', tracks: [track('screen')] }) });
  assert.equal(room.sharer.value?.id, 'p3');
  room.apply({ type: 'participant', participant: person('p3') });
  assert.equal(room.sharer.value?.id, 'p2');
});

test('one does not watch the own screen', () => {
  const room = new Room();
  room.apply(joined({ participants: [person('p1', { tracks: [track('screen')] })] }));
  assert.equal(room.sharer.value, null);
});

test('messages of others are unread until the chat is open', () => {
  const room = roomWith(person('p2'));
  room.apply({ type: 'chat', message: chat('m1') });
  room.apply({ type: 'chat', message: chat('m2', 'p1') });
  assert.equal(room.unread.value, 1);
  room.open('chat');
  assert.equal(room.unread.value, 0);
  room.apply({ type: 'chat', message: chat('m3') });
  assert.equal(room.unread.value, 0);
});

test('what was written before joining is not unread', () => {
  const room = new Room();
  room.apply(joined({ messages: [chat('m1')] }));
  assert.equal(room.unread.value, 0);
  assert.equal(room.messages.value.length, 1);
});

test('after a resume missed messages are added once and count as unread', () => {
  const room = new Room();
  room.apply(joined({ messages: [chat('m1'), chat('m2')] }));
  room.apply(joined({ resumed: true, messages: [chat('m2'), chat('m3')] }));
  assert.deepEqual(room.messages.value.map(({ id }) => id), ['m1', 'm2', 'm3']);
  assert.equal(room.unread.value, 1);
});

test('a muted source is not sent', () => {
  const muted = /** @type {any} */ (person('p2', { tracks: [track('microphone', true), track('camera')] }));
  assert.equal(sends(muted, 'microphone'), false);
  assert.equal(sends(muted, 'camera'), true);
  assert.equal(sends(muted, 'screen'), false);
});

test('a picture is asked for in the room where its person is', () => {
  const room = new Room();
  room.apply(joined());
  assert.equal(pictureOf(room, person('p2', { picture: 'k7' })), `/api/v1/rooms/${room.info.value?.slug}/pictures/k7`);
  assert.equal(pictureOf(room, person('p3')), '');
  assert.equal(pictureOf(room, undefined), '');
});
