// The models behind the pages about personal data: receipts, archives, periods, erasures, the register.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

const base = '../../src/pymeet/web/static/js/models';
const { forgetReceipt, keepReceipt, keptReceipts, receiptIn, statusIn } = await import(`${base}/receipts.js`);
const { archiveState, newestArchive } = await import(`${base}/archives.js`);
const { dayIn, dayMs, periodOf } = await import(`${base}/periods.js`);
const { isMoving, mayBeKept, stepsOf, totalsOf } = await import(`${base}/erasures.js`);
const { decisionsFor, isWaiting, shown } = await import(`${base}/register.js`);
const { tabOf, tabsFor } = await import(`${base}/tabs.js`);
const { Room } = await import(`${base}/room.js`);

const NOW = Date.UTC(2026, 10, 21, 9);

class FakeStorage {
  #kept = new Map();
  getItem = (key) => this.#kept.get(key) ?? null;
  setItem = (key, value) => void this.#kept.set(key, value);
  removeItem = (key) => void this.#kept.delete(key);
}

beforeEach(() => {
  for (const name of ['localStorage', 'sessionStorage']) {
    Object.defineProperty(globalThis, name, { value: new FakeStorage(), configurable: true });
  }
});

test('receipts stay in this tab, the newest first', () => {
  keepReceipt({ receipt: 'pmg1.a.x', room: 'Garden', at: 1 });
  keepReceipt({ receipt: 'pmg1.b.x', room: 'River', at: 3 });
  keepReceipt({ receipt: 'pmg1.c.x', room: 'Garden', at: 2 });

  assert.deepEqual(keptReceipts().map(({ receipt }) => receipt), ['pmg1.b.x', 'pmg1.c.x', 'pmg1.a.x']);
  assert.equal(localStorage.getItem('pymeet.receipt'), null);
  forgetReceipt('pmg1.c.x');
  assert.equal(keptReceipts().length, 2);
});

test('a seat that was taken again has one receipt, not two', () => {
  keepReceipt({ receipt: 'pmg1.old.x', room: 'Garden', at: 1 });
  keepReceipt({ receipt: 'pmg1.river.x', room: 'River', at: 2 });
  keepReceipt({ receipt: 'pmg1.new.x', room: 'Garden', at: 3 }, true);
  assert.deepEqual(keptReceipts().map(({ receipt }) => receipt), ['pmg1.new.x', 'pmg1.river.x']);
});

test('the same receipt is kept once, and no more than twenty are', () => {
  for (let at = 0; at < 30; at += 1) keepReceipt({ receipt: `pmg1.${at}.x`, room: 'Garden', at });
  keepReceipt({ receipt: 'pmg1.29.x', room: 'Garden', at: 29 });
  assert.equal(keptReceipts().length, 20);
  assert.equal(keptReceipts()[0].receipt, 'pmg1.29.x');
});

test('spoilt storage holds no receipts and breaks nothing', () => {
  for (const text of ['not json', '{}', 'null', '[1, null, {"receipt": 5}]']) {
    sessionStorage.setItem('pymeet.receipt', text);
    assert.deepEqual(keptReceipts(), []);
  }
});

test('a receipt is found alone, in a link and in the text of a saved file', () => {
  const receipt = 'pmg1.WyJhIiwiYiIsMV0.Zm9v_-bar';
  for (const text of [receipt, `  ${receipt}\n`, `https://meet.test/guest-data#${receipt}`, `Keep it.\n\nhttps://meet.test/guest-data#${receipt}\n`]) {
    assert.equal(receiptIn(text), receipt);
  }
  for (const text of ['', 'pmg1.', 'pmg1.abc', 'pme1.abc.def', '#rights']) assert.equal(receiptIn(text), null);
  assert.equal(statusIn('https://meet.test/erasure#pme1.abc.def'), 'pme1.abc.def');
});

test('a guest’s room knows the receipt, a member’s has none', () => {
  const joined = { type: 'joined', you: 'p', resumed: false, room: { slug: 'g', name: 'G' }, role: 'guest', participants: [], messages: [] };
  const room = new Room();
  room.apply({ ...joined, receipt: 'pmg1.a.b' });
  assert.equal(room.receipt.value, 'pmg1.a.b');
  room.apply(joined);
  assert.equal(room.receipt.value, '');
});

test('an archive can be fetched until its link ends or its downloads are used', () => {
  const archive = { id: 'a', state: 'ready', requested_at: 1, ready_at: 2, link_until: NOW, downloads_left: 5, size: 9 };
  assert.equal(archiveState({ ...archive, state: 'building', link_until: null, downloads_left: 0 }, NOW), 'building');
  assert.equal(archiveState(archive, NOW - 1), 'ready');
  assert.equal(archiveState({ ...archive, state: 'fetched', downloads_left: 1 }, NOW - 1), 'ready');
  assert.equal(archiveState({ ...archive, state: 'fetched', downloads_left: 0 }, NOW - 1), 'used');
  assert.equal(archiveState(archive, NOW), 'ended');
  assert.equal(archiveState({ ...archive, state: 'failed', link_until: null, downloads_left: 0 }, NOW), 'failed');
  assert.equal(newestArchive([archive, { ...archive, id: 'b', requested_at: 7 }]).id, 'b');
  assert.equal(newestArchive([]), null);
});

test('periods are taken apart, and what is none stays none', () => {
  assert.deepEqual(periodOf('90d'), { count: 90, unit: 'day' });
  assert.deepEqual(periodOf('1h'), { count: 1, unit: 'hour' });
  assert.deepEqual(periodOf('30min'), { count: 30, unit: 'minute' });
  for (const text of ['forever', '90', '', 'd', '1.5h']) assert.equal(periodOf(text), null);
});

test('a day is noon in UTC, and a day that was typed never lies ahead', () => {
  assert.equal(dayIn('It will be erased on 2026-12-05. Until then…'), Date.UTC(2026, 11, 5, 12));
  assert.equal(dayIn('It is being erased.'), null);
  assert.equal(dayMs('2026-11-20', NOW), Date.UTC(2026, 10, 20, 12));
  assert.equal(dayMs('2026-11-21', NOW), NOW);
  assert.equal(dayMs('', NOW), null);
});

test('a page looks again only while an erasure may go on by itself', () => {
  const status = (state, erased_after = null) => ({ request: 'r', state, events: [], erased_after, result: null });
  assert.ok(isMoving(status('erasing'), NOW) && isMoving(status('verified'), NOW) && isMoving(status('restricted', NOW), NOW));
  for (const state of ['done', 'partial', 'refused', 'cancelled']) assert.ok(!isMoving(status(state), NOW));
  assert.ok(!isMoving(status('restricted', NOW + 1), NOW));
  assert.ok(mayBeKept(status('restricted', NOW + 1), NOW));
  assert.ok(!mayBeKept(status('restricted', NOW), NOW) && !mayBeKept(status('erasing', NOW + 1), NOW));
});

test('the timeline of an erasure leaves out what people have no words for', () => {
  const events = ['requested', 'reminded', 'extended', 'done'].map((state, at) => ({ state, at }));
  assert.deepEqual(stepsOf({ events }).map(({ state }) => state), ['requested', 'done']);
});

test('the receipt of an erasure counts over all kinds of data', () => {
  const result = { deleted: { messages: 3, sessions: 1 }, anonymised: { attendance: 2 }, held: {}, files: 1, rooms_without_owner: 0 };
  assert.deepEqual(totalsOf(result), { deleted: 4, anonymised: 2, held: 0, files: 1, rooms: 0 });
});

test('what is due first comes first, and what is answered last', () => {
  const request = (id, state, due_at, overdue = false) => ({ id, state, due_at, received_at: due_at - 30, overdue, right: 'access' });
  const all = [request('done', 'done', 1), request('later', 'requested', 9), request('late', 'verified', 2, true), request('newer', 'refused', 5)];
  assert.deepEqual(shown(all, 'waiting').map(({ id }) => id), ['late', 'later']);
  assert.deepEqual(shown(all, 'late').map(({ id }) => id), ['late']);
  assert.deepEqual(shown(all, 'all').map(({ id }) => id), ['late', 'later', 'newer', 'done']);
  assert.ok(isWaiting(request('held', 'partial', 1)));
});

test('an erasure is not granted by saying so', () => {
  assert.ok(decisionsFor('access').includes('granted'));
  assert.ok(!decisionsFor('erasure').some((decision) => decision.startsWith('granted')));
  assert.ok(decisionsFor('erasure').includes('legal_duty'));
});

test('the part of the admin page follows the address, as far as one may see it', () => {
  assert.equal(tabOf('#audit', false), 'audit');
  assert.equal(tabOf('#people', true), 'people');
  assert.equal(tabOf('#people', false), 'requests');
  for (const hash of ['', '#', '#nonsense']) assert.equal(tabOf(hash, true), 'requests');
  assert.ok(!tabsFor(false).includes('people'));
});
