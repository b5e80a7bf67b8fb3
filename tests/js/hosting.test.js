// Lobby, roles, hands, reactions, spotlight and chat of a meeting with hosts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byDay } from '../../src/pymeet/web/static/js/models/attendance.js';
import { mentions, namesLike, typedMention, withMentions } from '../../src/pymeet/web/static/js/models/mentions.js';
import { Room } from '../../src/pymeet/web/static/js/models/room.js';
import { Connection } from '../../src/pymeet/web/static/js/protocol.js';
import { FakeSocket, FakeTimers, joined } from './fakes.js';

/** @param {string} id @param {object} [over] */
const person = (id, over = {}) => ({ id, name: `Person ${id}`, role: 'guest', kind: 'browser', connection: 'connected', tracks: [], ...over });
const chat = (id, over = {}) => ({ type: 'chat', message: { id, participant: 'p2', name: 'Miguel', text: id, at: 1, ...over } });
const state = (over = {}) => ({ locked: false, spotlight: null, hands: [], may_share: 'everybody', may_record: 'hosts', ...over });
const set = (over = {}) => ({ type: 'room_state', ...state(over) });

/** @param {object} [over] */
function roomWith(over = {}) {
  const room = new Room();
  room.apply(joined({ role: 'host', participants: [person('p1', { role: 'host', name: 'Ada' }), person('p2', { name: 'Miguel' })], ...over }));
  return room;
}

test('who waits knows the room and nothing of the meeting', () => {
  const room = new Room();
  room.apply({ type: 'waiting', id: 'w1', room: { slug: 'garden', name: 'Garden' } });
  assert.equal(room.info.value?.name, 'Garden');
  assert.ok(room.waitingSince.value > 0);
  assert.equal(room.joined.value, false);
  room.apply(joined());
  assert.equal(room.waitingSince.value, 0);
  assert.equal(room.joined.value, true);
});

test('who lost the seat and waits again sees nothing of the meeting any more', () => {
  const room = roomWith();
  room.apply({ type: 'waiting', id: 'w1', room: { slug: 'garden', name: 'Garden' } });
  assert.equal(room.joined.value, false);
  assert.deepEqual(room.participants.value, []);
});

test('somebody new before the door is news to a host, one who goes is not', () => {
  const room = roomWith();
  room.apply({ type: 'lobby', people: [{ id: 'w1', name: 'Noor', kind: 'guest', since: 1 }] });
  assert.deepEqual(room.news.value, { kind: 'waits', name: 'Noor' });
  room.news.value = null;
  room.apply({ type: 'lobby', people: [] });
  assert.equal(room.news.value, null);
});

test('who is no host any more forgets who waits', () => {
  const room = roomWith();
  room.apply({ type: 'lobby', people: [{ id: 'w1', name: 'Noor', kind: 'guest', since: 1 }] });
  room.apply({ type: 'participant', participant: person('p1', { role: 'cohost' }) });
  assert.equal(room.hosting.value, true);
  assert.equal(room.lobby.value.length, 1);
  room.apply({ type: 'participant', participant: person('p1', { role: 'member' }) });
  assert.equal(room.hosting.value, false);
  assert.equal(room.lobby.value.length, 0);
});

test('hands stand in the order in which they were raised, and a new one is news', () => {
  const room = roomWith({ participants: [person('p1'), person('p2', { name: 'Miguel' }), person('p3', { name: 'Noor' })], state: state({ hands: ['p3'] }) });
  assert.equal(room.news.value, null);
  room.apply(set({ hands: ['p3', 'p2'] }));
  assert.deepEqual(room.news.value, { kind: 'raised', name: 'Miguel' });
  assert.deepEqual(['p1', 'p2', 'p3'].map((id) => room.handOf(id)), [0, 2, 1]);
  room.news.value = null;
  room.apply(set({ hands: ['p2', 'p1'] }));
  assert.equal(room.news.value, null);
  assert.equal(room.handUp.value, true);
});

test('the spotlight shows somebody who is here, and not me to myself', () => {
  const room = roomWith();
  room.apply(set({ spotlight: 'p2' }));
  assert.equal(room.spotlit.value?.name, 'Miguel');
  assert.deepEqual(room.news.value, { kind: 'spotlit', name: 'Miguel' });
  room.apply({ type: 'participant_left', participant: 'p2', reason: 'left' });
  assert.equal(room.spotlit.value, null);
  room.apply(set({ spotlight: 'p1' }));
  assert.equal(room.spotlit.value, null);
  assert.equal(room.inSpotlight.value, true);
});

test('what the room does not allow is known', () => {
  const room = roomWith();
  room.recordingsAllowed.value = true;
  assert.deepEqual([room.mayShare.value, room.mayRecord.value], [true, true]);
  room.apply(set({ may_share: 'hosts', may_record: 'nobody' }));
  assert.deepEqual([room.mayShare.value, room.mayRecord.value], [true, false]);
  room.apply({ type: 'participant', participant: person('p1', { role: 'member' }) });
  assert.equal(room.mayShare.value, false);
  room.apply(set({ may_share: 'members' }));
  assert.equal(room.mayShare.value, true);
});

test('a guest is no member, and does not record even as host', () => {
  const room = roomWith({ receipt: 'pmg1.x', role: 'guest', state: state({ may_share: 'members' }) });
  room.recordingsAllowed.value = true;
  assert.equal(room.mayShare.value, false);
  room.apply({ type: 'participant', participant: person('p1', { role: 'host' }) });
  assert.deepEqual([room.mayShare.value, room.mayRecord.value], [true, false]);
});

test('a newer reaction takes the place of the older one, which cannot end it', () => {
  const room = roomWith();
  room.apply({ type: 'reaction', participant: 'p2', reaction: 'clap' });
  assert.deepEqual(room.news.value, { kind: 'reacted', name: 'Miguel', reaction: 'clap' });
  const first = room.reactions.value.get('p2')?.number ?? 0;
  room.apply({ type: 'reaction', participant: 'p2', reaction: 'heart' });
  room.forgetReaction('p2', first);
  assert.equal(room.reactions.value.get('p2')?.reaction, 'heart');
  room.forgetReaction('p2', first + 1);
  assert.equal(room.reactions.value.size, 0);
});

test('a message is reworded and taken back in its place', () => {
  const room = roomWith();
  for (const id of ['m1', 'm2']) room.apply(chat(id));
  room.apply({ type: 'message_changed', id: 'm1', text: 'better', edited_at: 5 });
  assert.deepEqual([room.messages.value[0].text, room.messages.value[0].edited_at], ['better', 5]);
  room.apply({ type: 'message_changed', id: 'm1', text: null, edited_at: 6 });
  assert.deepEqual([room.messages.value[0].text, room.messages.value[0].deleted, room.messages.value[1].text], ['', true, 'm2']);
});

test('what was changed or deleted while one was away is so afterwards, and what is older stays', () => {
  const messages = (/** @type {[string, number, string?][]} */ ...rows) => rows.map(([id, at, text = id]) => chat(id, { at, text }).message);
  const room = roomWith({ messages: messages(['m1', 1], ['m2', 2], ['m3', 3], ['m4', 4]) });
  room.apply(joined({ resumed: true, messages: messages(['m2', 2], ['m4', 4, 'better'], ['m5', 5]) }));
  assert.deepEqual(room.messages.value.map(({ text }) => text), ['m1', 'm2', 'better', 'm5']);
  assert.equal(room.unread.value, 1);
});

test('a private message and a mention are news even when other messages are unread', () => {
  const room = roomWith();
  room.apply(chat('m1'));
  room.apply(chat('m2', { to: 'p1' }));
  assert.deepEqual(room.news.value, { kind: 'wrotePrivately', name: 'Miguel' });
  room.apply(chat('m3', { text: 'what do you think, @Ada?' }));
  assert.deepEqual(room.news.value, { kind: 'mentioned', name: 'Miguel' });
});

test('a message can no longer go to who left', () => {
  const room = roomWith();
  room.writeTo('p2');
  assert.equal(room.panel.value, 'chat');
  room.apply({ type: 'participant_left', participant: 'p2', reason: 'left' });
  assert.equal(room.chatTo.value, '');
});

test('who was stopped knows by whom', () => {
  const room = roomWith();
  room.apply({ type: 'stopped', source: 'microphone', by: 'p2' });
  assert.deepEqual(room.stopped.value, { source: 'microphone', name: 'Miguel' });
});

test('a mention is a whole name behind an at sign', () => {
  assert.equal(mentions('hello @Ada, how are you', 'Ada'), true);
  assert.equal(mentions('hello @Adam', 'Ada'), false);
  assert.equal(mentions('mail ada@Ada', 'Ada'), false);
  assert.equal(mentions('hello Ada', 'Ada'), false);
});

test('of names that begin alike the longest is meant', () => {
  const parts = withMentions([{ text: 'ask @Ada Lovelace today' }, { text: 'https://x.org/@Ada', href: 'https://x.org/@Ada' }], ['Ada', 'Ada Lovelace'], 'Ada');
  assert.deepEqual(parts, [
    { text: 'ask ' }, { text: '@Ada Lovelace', mention: true, own: false }, { text: ' today' },
    { text: 'https://x.org/@Ada', href: 'https://x.org/@Ada' },
  ]);
});

test('names are suggested from what stands behind the at sign', () => {
  assert.deepEqual(typedMention('hello @Mi', 9), { from: 6, typed: 'Mi' });
  assert.equal(typedMention('mail a@b', 8), null);
  assert.equal(typedMention('no sign', 7), null);
  assert.deepEqual(namesLike(['Miguel', 'Ada Mills', 'Noor'], 'mi'), ['Miguel', 'Ada Mills']);
});

/** @param {object} [over] */
function connection(over = {}) {
  const timers = new FakeTimers();
  /** @type {FakeSocket[]} */
  const sockets = [];
  /** @type {string[]} */
  const states = [];
  /** @type {any[]} */
  const endings = [];
  const made = new Connection({
    url: 'wss://x/ws/garden', name: 'Noor', keepsMedia: () => false, timers,
    onMessage: () => {}, onState: (state) => states.push(state), onEnd: (ending) => endings.push(ending),
    openSocket: () => { const socket = new FakeSocket(); sockets.push(socket); return /** @type {any} */ (socket); }, ...over,
  });
  made.open();
  sockets[0].accept();
  return { made, timers, sockets, states, endings };
}
const waiting = { type: 'waiting', id: 'w1', room: { slug: 'garden', name: 'Garden' } };

test('who waits stays connected, shows signs of life and is let in', () => {
  const { timers, sockets, states } = connection();
  sockets[0].say(waiting);
  timers.pass(15_000);
  assert.equal(sockets.length, 1);
  assert.ok(sockets[0].sent.some(({ type }) => type === 'ping'));
  sockets[0].say(joined());
  assert.deepEqual(states, ['waiting', 'joined']);
});

test('who is refused while waiting does not knock again', () => {
  const { timers, sockets, endings } = connection();
  sockets[0].say(waiting);
  sockets[0].say({ type: 'error', code: 'refused', message: 'We are full today.' });
  timers.pass(60_000);
  assert.deepEqual(endings, [{ code: 'refused', message: 'We are full today.' }]);
  assert.equal(sockets.length, 1);
});

test('who waits can go', () => {
  const { made, sockets, endings } = connection();
  sockets[0].say(waiting);
  made.leave();
  assert.equal(sockets[0].sent.at(-1).type, 'leave');
  assert.equal(endings[0].code, 'left');
});

test('who waits and is disconnected knocks again', () => {
  const { timers, sockets, states } = connection();
  sockets[0].say(waiting);
  sockets[0].end(1006);
  timers.pass(1000);
  assert.deepEqual(states, ['waiting', 'reconnecting']);
  assert.equal(sockets.length, 2);
});

test('the password goes with every join, and a wrong one is tried once', () => {
  for (const code of ['wrong_password', 'too_many']) {
    const { timers, sockets, endings } = connection({ password: 'open sesame' });
    assert.equal(sockets[0].sent[0].password, 'open sesame');
    sockets[0].say({ type: 'error', code, message: '' });
    timers.pass(60_000);
    assert.equal(endings[0].code, code);
    assert.equal(sockets.length, 1);
  }
});

test('attendance stands day by day, the newest first, and on each day as people came', () => {
  const came = (name, joined_at) => ({ name, member: false, kind: 'browser', joined_at, left_at: null });
  const days = byDay([came('Noor', 21), came('Ada', 12), came('Miguel', 11)], (at) => `day ${Math.floor(at / 10)}`);
  assert.deepEqual(days.map(({ day, people }) => [day, people.map(({ name }) => name)]), [['day 2', ['Noor']], ['day 1', ['Miguel', 'Ada']]]);
});

test('who comes back when every message was deleted sees none', () => {
  const room = roomWith();
  room.apply(chat('m1'));
  room.apply(joined({ messages: [] }));
  assert.deepEqual(room.messages.value, []);
});

test('who waits again is no host, is not recorded, and writes to nobody', () => {
  const room = roomWith({ recording: { id: 'r1', started_at: 1, by: 'p1', you: null, people: [] } });
  room.apply({ type: 'speakers', participants: ['p2'] });
  room.apply({ type: 'reaction', participant: 'p2', reaction: 'heart' });
  room.chatTo.value = 'p2';
  assert.equal(room.asked.value, true);
  room.apply({ type: 'waiting', id: 'w1', room: { slug: 'garden', name: 'Garden' } });
  assert.equal(room.hosting.value, false);
  assert.equal(room.recording.value, null);
  assert.deepEqual(room.speakers.value, []);
  assert.equal(room.reactions.value.size, 0);
  assert.equal(room.chatTo.value, '');
});
