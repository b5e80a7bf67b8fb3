// The recording as one person's page knows it: who is asked, who is in it, what is said about it, and what is sent.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { announce, knock } from '../../src/pymeet/web/static/js/media/announce.js';
import { Meeting } from '../../src/pymeet/web/static/js/meeting.js';
import { Room, leftOut } from '../../src/pymeet/web/static/js/models/room.js';
import { Connection } from '../../src/pymeet/web/static/js/protocol.js';
import { FakeSocket, FakeTimers, joined } from './fakes.js';

/** @param {object} [over] */
const recording = (over = {}) => ({
  id: 'r1', started_at: 1_000, by: 'p2', chat: false, keep_until: null, recorded: [], you: null, ...over,
});

/** @param {object} [over] what `joined` says besides */
function roomWith(over) {
  const room = new Room();
  room.apply(joined(over));
  return room;
}

/** @param {Room} room @param {object | null} now @param {string} [reason] */
const tell = (room, now, reason) => room.apply(/** @type {any} */ ({ type: 'recording', recording: now, reason }));

test('nobody is asked while nothing is recorded', () => {
  const room = roomWith();
  assert.deepEqual([room.asked.value, room.isRecorded.value, leftOut(room, 'p1'), room.recordingNews.value], [false, false, false, null]);
});

test('who has not answered is asked and is not recorded', () => {
  const room = roomWith();
  tell(room, recording({ recorded: ['p2'] }));
  assert.deepEqual([room.asked.value, room.isRecorded.value, leftOut(room, 'p1'), leftOut(room, 'p2')], [true, false, true, false]);
});

test('either answer ends the question', () => {
  const room = roomWith();
  tell(room, recording({ you: 'no' }));
  assert.deepEqual([room.asked.value, room.isRecorded.value], [false, false]);
  tell(room, recording({ you: 'yes', recorded: ['p1'] }));
  assert.deepEqual([room.asked.value, room.isRecorded.value, leftOut(room, 'p1')], [false, true, false]);
});

test('a recording is announced when it begins and when it ends, and not between', () => {
  const room = roomWith();
  tell(room, recording());
  assert.deepEqual(room.recordingNews.value, { kind: 'begun', reason: '' });
  const begun = room.recordingNews.value;
  tell(room, recording({ you: 'yes' }));
  assert.equal(room.recordingNews.value, begun);
  tell(room, null, 'time');
  assert.deepEqual(room.recordingNews.value, { kind: 'ended', reason: 'time' });
});

test('who comes into a meeting that is recorded hears so, once', () => {
  const room = roomWith({ recording: recording() });
  assert.equal(room.recordingNews.value?.kind, 'begun');
  assert.equal(room.recordingSince.value, 1_000);
  room.recordingNews.value = null;
  room.apply(joined({ resumed: true, recording: recording({ you: 'no' }) }));
  assert.equal(room.recordingNews.value, null);
});

test('a recording that ended while the connection was lost is not shown any more', () => {
  const room = roomWith({ recording: recording() });
  room.apply(joined({ resumed: true, recording: null }));
  assert.equal(room.recording.value, null);
  assert.deepEqual(room.recordingNews.value, { kind: 'ended', reason: '' });
});

test('another recording is another question', () => {
  const room = roomWith({ recording: recording({ you: 'yes' }) });
  room.recordingNews.value = null;
  room.apply(joined({ resumed: true, recording: recording({ id: 'r2' }) }));
  assert.equal(room.asked.value, true);
  assert.equal(room.recordingNews.value?.kind, 'begun');
});

test('the time of a recording that begins before one’s eyes runs by one’s own clock', () => {
  const room = roomWith();
  const before = Date.now();
  tell(room, recording({ started_at: 1 }));
  assert.ok(room.recordingSince.value >= before);
});

test('hosts record where it is allowed, others never', () => {
  const room = roomWith({ role: 'host' });
  assert.equal(room.mayRecord.value, false);
  room.recordingsAllowed.value = true;
  assert.equal(room.mayRecord.value, true);
  const guest = roomWith({ role: 'guest' });
  guest.recordingsAllowed.value = true;
  assert.equal(guest.mayRecord.value, false);
});

test('a link to the recording gets who may watch it: hosts, and members who were in it', () => {
  for (const [role, you, may] of /** @type {const} */ ([['host', 'no', true], ['member', 'yes', true], ['member', 'no', false], ['guest', 'yes', false]])) {
    const room = roomWith({ role });
    tell(room, recording({ you }));
    tell(room, null, 'host');
    assert.equal(room.mayWatch.value, may, `${role} ${you}`);
  }
});

/** A connection whose other end is the test. @param {object} options */
function connect(options) {
  const timers = new FakeTimers();
  /** @type {FakeSocket[]} */
  const sockets = [];
  const connection = new Connection({
    url: 'ws://meet.test/ws/garden', name: 'Anna', keepsMedia: () => true,
    onMessage: () => {}, onState: () => {}, onEnd: () => {}, timers,
    openSocket: () => { sockets.push(new FakeSocket()); return /** @type {any} */ (sockets.at(-1)); },
    ...options,
  });
  connection.open();
  return { timers, sockets };
}

test('what was answered before joining goes with join, until it is heard, and never again', () => {
  const answer = { id: 'r1', answer: 'yes', language: 'en' };
  const { timers, sockets } = connect({ recording: answer });
  sockets[0].accept();
  assert.deepEqual(sockets[0].sent[0].recording, answer);
  sockets[0].end(1006);
  timers.pass(300);
  sockets[1].accept();
  assert.deepEqual(sockets[1].sent[0].recording, answer, 'nobody knows whether the first was heard');
  sockets[1].say(joined());
  sockets[1].end(1006);
  timers.pass(300);
  sockets[2].accept();
  assert.equal('recording' in sockets[2].sent[0], false, 'one may have withdrawn since');
});

test('who was asked nothing says nothing', () => {
  const { sockets } = connect({});
  sockets[0].accept();
  assert.equal('recording' in sockets[0].sent[0], false);
});

test('answers name the recording that runs and the language of the question', async () => {
  const { room, sent, meeting } = inMeeting();
  tell(room, recording({ id: 'r7' }));
  void meeting.answerRecording('no').catch(() => {});
  void meeting.startRecording(true).catch(() => {});
  void meeting.stopRecording().catch(() => {});
  void meeting.addMarker('').catch(() => {});
  void meeting.addMarker('Decision').catch(() => {});
  assert.deepEqual(sent().slice(1).map(({ id: _, ...message }) => message), [
    { type: 'consent', recording: 'r7', answer: 'no', language: 'en' },
    { type: 'record', on: true, chat: true },
    { type: 'record', on: false },
    { type: 'marker' },
    { type: 'marker', text: 'Decision' },
  ]);
  meeting.leave();
});

/** A meeting on a socket whose other end is the test; its media have no other end. */
function inMeeting() {
  /** @type {FakeSocket[]} */
  const sockets = [];
  globalThis.WebSocket = /** @type {any} */ (class extends FakeSocket { constructor() { super(); sockets.push(this); } });
  globalThis.RTCPeerConnection = /** @type {any} */ (class {
    addEventListener() {}
    addTransceiver() { return { sender: {} }; }
    createOffer() { return new Promise(() => {}); }
    setLocalDescription() { return new Promise(() => {}); }
    close() {}
  });
  const room = new Room();
  const off = { value: null, subscribe: () => () => {} };
  const devices = /** @type {any} */ ({ microphone: off, camera: off, screen: off, music: off, on: { microphone: off } });
  const meeting = new Meeting({ slug: 'garden', name: 'Anna', socketUrl: 'ws://meet.test/ws/garden', room, devices });
  meeting.open();
  sockets[0].accept();
  sockets[0].say(joined());
  return { room, meeting, sent: () => sockets[0].sent.filter(({ type }) => ['join', 'record', 'consent', 'marker'].includes(type)) };
}

/** @type {string[]} */
let heard = [];

/** @param {object[]} voices @param {boolean} clicked whether the person has touched the page */
function device(voices, clicked) {
  heard = [];
  const speech = { getVoices: () => voices, cancel() {}, speak: ({ text }) => heard.push(text) };
  const node = () => ({ connect() {}, gain: { setTargetAtTime() {} }, frequency: {}, start() {}, stop() { this.onended(); }, onended() {} });
  const globals = {
    navigator: { userActivation: { hasBeenActive: clicked } },
    speechSynthesis: speech,
    SpeechSynthesisUtterance: class { constructor(text) { this.text = text; } },
    AudioContext: class {
      currentTime = 0;
      constructor() { heard.push('chime'); }
      createGain() { return node(); }
      createOscillator() { const tone = node(); tone.stop = () => queueMicrotask(() => tone.onended()); return tone; }
      close() {}
    },
  };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
}

beforeEach(() => { heard = []; });

test('a voice of the device itself says it, in the reader’s language', () => {
  device([{ lang: 'de-DE', localService: true }, { lang: 'en_GB', localService: true }], true);
  announce('Recording', 'en', 'up');
  assert.deepEqual(heard, ['Recording']);
});

test('no voice that sends the words away is used: tones are heard instead', () => {
  device([{ lang: 'en-US', localService: false }, { lang: 'de-DE', localService: true }], true);
  announce('Recording', 'en', 'up');
  assert.deepEqual(heard, ['chime']);
});

test('a knock is two tones and then words, and talks over nobody', async () => {
  device([{ lang: 'en-GB', localService: true }], true);
  await knock('Somebody waits', 'en');
  assert.deepEqual(heard, ['chime', 'Somebody waits']);
  /** @type {any} */ (globalThis.speechSynthesis).speaking = true;
  await knock('Somebody waits', 'en');
  assert.deepEqual(heard, ['chime', 'Somebody waits', 'chime']);
});

test('before somebody touches the page it stays silent, as browsers demand', () => {
  device([{ lang: 'en-US', localService: true }], false);
  announce('Recording', 'en', 'down');
  assert.deepEqual(heard, []);
});
