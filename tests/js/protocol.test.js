// The WebSocket that joins, notices silence, comes back and takes its seat again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Connection, ConnectionLost, Refused } from '../../src/pymeet/web/static/js/protocol.js';
import { FakeSocket, FakeTimers, joined } from './fakes.js';

/** @param {object} [options] */
function setUp(options = {}) {
  const timers = new FakeTimers();
  /** @type {FakeSocket[]} */
  const sockets = [];
  const seen = { messages: [], states: [], endings: [] };
  const connection = new Connection({
    url: 'ws://meet.test/ws/garden',
    name: 'Anna',
    keepsMedia: () => true,
    onMessage: (message) => seen.messages.push(message),
    onState: (state) => seen.states.push(state),
    onEnd: (ending) => seen.endings.push(ending),
    openSocket: () => {
      sockets.push(new FakeSocket());
      return sockets.at(-1);
    },
    timers,
    ...options,
  });
  connection.open();
  const last = () => sockets.at(-1);
  const join = (over) => { last().accept(); last().say(joined(over)); };
  return { connection, timers, sockets, seen, last, join };
}

test('the first message is join with version and name, and nothing to resume', () => {
  const { last, join, seen } = setUp();
  join();
  assert.deepEqual(last().sent[0], { type: 'join', v: 1, name: 'Anna' });
  assert.deepEqual(seen.states, ['joined']);
});

test('a token of an earlier page resumes with new media', () => {
  const { last } = setUp({ token: 'old', keepsMedia: () => false });
  last().accept();
  assert.deepEqual(last().sent[0].resume, { token: 'old', media: 'new' });
});

test('after a broken connection the seat is taken again with the newest token, and its media', () => {
  const { last, join, timers, sockets } = setUp();
  join({ resume: 'token-9' });
  last().end(1006);
  timers.pass(300);
  assert.equal(sockets.length, 2);
  last().accept();
  assert.deepEqual(last().sent[0].resume, { token: 'token-9', media: 'keep' });
});

test('attempts wait 0.3, 0.6, 1.2, 2.4 and then 3 seconds', () => {
  const { last, timers, sockets } = setUp();
  for (const waitMs of [300, 600, 1200, 2400, 3000, 3000]) {
    const before = sockets.length;
    last().end(1006);
    timers.pass(waitMs - 1);
    assert.equal(sockets.length, before, `not before ${waitMs} ms`);
    timers.pass(1);
    assert.equal(sockets.length, before + 1, `after ${waitMs} ms`);
  }
});

test('an attempt that hangs is given up', () => {
  const { timers, sockets } = setUp();
  timers.pass(4000 + 300);
  assert.equal(sockets.length, 2);
  assert.equal(sockets[0].readyState, 3);
});

test('when the browser is online again the next attempt is at once', () => {
  const { connection, last, join, sockets } = setUp();
  join();
  last().end(1006);
  connection.wake();
  assert.equal(sockets.length, 2);
});

test('while the browser is offline attempts wait for the network, but not for ever', () => {
  let online = false;
  const { connection, last, join, timers, sockets } = setUp({ online: () => online });
  join();
  last().end(1006);
  timers.pass(300 + 4 * 3000);
  assert.equal(sockets.length, 1);
  timers.pass(3000);
  assert.equal(sockets.length, 2, 'the browser may be wrong');
  last().end(1006);
  online = true;
  connection.wake();
  assert.equal(sockets.length, 3);
});

test('waking with a live connection asks for a sign of life, and silence breaks it', () => {
  const { connection, last, join, timers, seen } = setUp();
  join();
  connection.wake();
  assert.equal(last().sent.at(-1).type, 'ping');
  timers.pass(2000);
  assert.equal(seen.states.at(-1), 'reconnecting');
});

test('who asks for something and hears nothing does not wait for the next ping', async () => {
  const { connection, last, join, timers, seen } = setUp();
  join();
  connection.request('chat', { text: 'Hello' }).catch(() => {});
  timers.pass(1900);
  connection.request('hand', { up: true }).catch(() => {});
  assert.equal(last().sent.at(-1).type, 'hand');

  timers.pass(100);

  assert.equal(last().sent.at(-1).type, 'ping');
  timers.pass(1000);
  assert.equal(seen.states.at(-1), 'reconnecting');
});

test('an answer that takes long is no silence while anything else is heard', () => {
  const { connection, last, join, timers, seen } = setUp();
  join();
  connection.request('record', { on: true }).catch(() => {});
  timers.pass(1000);
  last().say({ type: 'speakers', participants: [] });
  timers.pass(5000);
  assert.equal(last().sent.at(-1).type, 'record');
  assert.equal(seen.states.at(-1), 'joined');
});

test('where no sign of life comes, another socket takes the seat as soon as it is open', () => {
  const { connection, last, join, timers, seen, sockets } = setUp();
  join({ resume: 'token-5' });
  connection.wake();
  timers.pass(200);
  assert.equal(sockets.length, 2);
  assert.equal(seen.states.at(-1), 'joined', 'the old one may still answer');
  const request = connection.request('chat', { text: 'Hello' });

  last().accept();

  assert.deepEqual(last().sent[0].resume, { token: 'token-5', media: 'keep' });
  assert.equal(sockets[0].readyState, 3);
  assert.equal(seen.states.at(-1), 'reconnecting');
  last().say(joined({ resumed: true }));
  assert.equal(seen.states.at(-1), 'joined');
  timers.pass(5000);
  assert.equal(sockets.length, 2);
  return assert.rejects(request, ConnectionLost);
});

test('a sign of life that comes while another socket opens closes that one', () => {
  const { connection, last, join, timers, seen, sockets } = setUp();
  join();
  connection.wake();
  timers.pass(200);
  sockets[0].say({ type: 'pong', re: 'p1' });
  assert.equal(last().readyState, 0, 'not before it is open, of which browsers would complain');
  last().accept();
  timers.pass(3000);
  assert.deepEqual([seen.states, sockets.length, last().readyState, last().sent.length], [['joined'], 2, 3, 0]);
});

test('where neither socket gets through, one attempt follows the other', () => {
  const { connection, last, join, timers, seen, sockets } = setUp();
  join();
  connection.wake();
  timers.pass(1100);
  assert.equal(seen.states.at(-1), 'reconnecting');
  assert.deepEqual([sockets.length, sockets[0].readyState, last().readyState], [2, 3, 0], 'what began opens on');
  timers.pass(4000 + 300);
  assert.deepEqual([sockets.length, sockets[1].readyState, last().readyState], [3, 3, 0]);
});

test('where the other socket is refused, the first has the rest of its second all the same', () => {
  const { connection, last, join, timers, seen, sockets } = setUp();
  join();
  connection.wake();
  timers.pass(200);
  last().end(1006);
  assert.equal(seen.states.at(-1), 'joined');
  timers.pass(800);
  assert.equal(seen.states.at(-1), 'reconnecting');
  timers.pass(300);
  assert.equal(sockets.length, 3);
});

test('waking with a live connection changes nothing when the server answers', () => {
  const { connection, last, join, timers, seen, sockets } = setUp();
  join();
  connection.wake();
  last().say({ type: 'pong', re: last().sent.at(-1).id });
  timers.pass(3000);
  assert.equal(seen.states.at(-1), 'joined');
  assert.equal(sockets.length, 1);
});

test('two missing pongs are a broken connection, one is not', () => {
  const { join, timers, seen } = setUp();
  join({ heartbeat_s: 10 });
  timers.pass(20_000);
  assert.equal(seen.states.at(-1), 'joined');
  timers.pass(10_000);
  assert.equal(seen.states.at(-1), 'reconnecting');
});

test('a server that restarts is met again after the time it names', () => {
  const { last, join, timers, sockets } = setUp();
  join();
  last().say({ type: 'closing', reason: 'The server restarts.', retry_s: 2 });
  last().end(1001);
  timers.pass(1999);
  assert.equal(sockets.length, 1);
  timers.pass(1);
  assert.equal(sockets.length, 2);
});

test('a request gets the answer with its id', async () => {
  const { connection, last, join } = setUp();
  join();
  const answer = connection.request('publish', { sdp: 'v=0' });
  const sent = last().sent.at(-1);
  assert.deepEqual(sent, { type: 'publish', id: sent.id, sdp: 'v=0' });
  last().say({ type: 'published', re: sent.id, sdp: 'answer' });
  assert.equal((await answer).sdp, 'answer');
});

test('a refused request rejects with the stable code', async () => {
  const { connection, last, join } = setUp();
  join();
  const answer = connection.request('remove', { participant: 'p2' });
  last().say({ type: 'error', re: last().sent.at(-1).id, code: 'not_allowed', message: 'Only hosts.' });
  await assert.rejects(answer, (error) => error instanceof Refused && error.code === 'not_allowed');
});

test('requests do not outlive their connection', async () => {
  const { connection, last, join } = setUp();
  join();
  const waiting = connection.request('chat', { text: 'Hello' });
  last().end(1006);
  await assert.rejects(waiting, ConnectionLost);
  await assert.rejects(connection.request('chat', { text: 'Hello' }), ConnectionLost);
});

for (const code of ['not_found', 'not_allowed', 'room_full', 'not_signed_in', 'invalid_input']) {
  test(`a join refused by ${code} ends there`, () => {
    const { last, seen, timers, sockets } = setUp();
    last().accept();
    last().say({ type: 'error', code, message: 'A sentence.' });
    last().end(4403);
    timers.pass(60_000);
    assert.deepEqual(seen.endings, [{ code, message: 'A sentence.' }]);
    assert.equal(sockets.length, 1);
  });
}

test('a busy server is left alone by who was never in, and asked again by who was', () => {
  const first = setUp();
  first.last().accept();
  first.last().say({ type: 'error', code: 'busy', message: 'A sentence.' });
  assert.deepEqual(first.seen.endings, [{ code: 'busy', message: 'A sentence.' }]);

  const { last, join, seen, timers, sockets } = setUp();
  join();
  last().end(1006);
  timers.pass(300);
  last().accept();
  last().say({ type: 'error', code: 'busy', message: 'A sentence.' });
  last().end(1013);
  timers.pass(9_900);
  assert.equal(sockets.length, 2);
  timers.pass(200);
  assert.equal(sockets.length, 3);
  assert.deepEqual(seen.endings, []);
});

test('a seat taken over by another tab is not taken back', () => {
  const { last, join, seen, timers } = setUp();
  join();
  last().end(4409);
  assert.equal(seen.endings[0].code, 'taken_over');
  assert.equal(timers.waiting, 0);
});

test('whoever was signed out elsewhere does not come back by themselves', () => {
  const { last, join, seen, timers } = setUp();
  join();
  last().say({ type: 'error', code: 'signed_out', message: 'You were signed out.' });
  last().end(4403);
  assert.deepEqual(seen.endings, [{ code: 'signed_out', message: '' }]);
  assert.equal(timers.waiting, 0);
});

for (const type of ['removed', 'ended']) {
  test(`${type} is final and keeps the server's sentence`, () => {
    const { last, join, seen, timers } = setUp();
    join();
    last().say({ type, reason: 'The host said so.' });
    last().end(4410);
    assert.deepEqual(seen.endings, [{ code: type, message: 'The host said so.' }]);
    assert.equal(timers.waiting, 0);
  });
}

test('a reload, which Firefox reports as a plain close, keeps the seat', () => {
  const { last, join, seen, timers, sockets } = setUp();
  join();
  last().end(1000);
  timers.pass(300);
  assert.deepEqual(seen.endings, []);
  assert.equal(sockets.length, 2);
});

test('a slow reader is told off and comes back', () => {
  const { last, join, timers, sockets } = setUp();
  join();
  last().end(4408);
  timers.pass(300);
  assert.equal(sockets.length, 2);
});

test('leaving says so and leaves no timer behind', () => {
  const { connection, last, join, seen, timers } = setUp();
  join();
  connection.leave();
  assert.equal(last().sent.at(-1).type, 'leave');
  assert.deepEqual(seen.endings, [{ code: 'left', message: '' }]);
  assert.equal(timers.waiting, 0);
});

test('what an abandoned socket still says is not heard', () => {
  const { last, join, timers, sockets, seen } = setUp();
  join();
  last().end(1006);
  timers.pass(300);
  const heard = seen.messages.length;
  sockets[0].say({ type: 'speakers', participants: ['p2'] });
  assert.equal(seen.messages.length, heard);
});
