// What the pages of administration count and choose.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const { countOf, kindsIn } = await import('../../src/pymeet/web/static/js/models/mails.js');

const KINDS = [
  { kind: 'invitation', state: 'waiting', count: 2 },
  { kind: 'invitation', state: 'failed', count: 1 },
  { kind: 'sign_in', state: 'waiting', count: 3 },
];

test('mails are counted by their state', () => {
  assert.deepEqual([countOf(KINDS, 'waiting'), countOf(KINDS, 'failed'), countOf([], 'failed')], [5, 1, 0]);
});

test('a kind is offered where there is one of it', () => {
  assert.deepEqual(kindsIn(KINDS, 'waiting'), ['invitation', 'sign_in']);
  assert.deepEqual(kindsIn(KINDS, 'failed'), ['invitation']);
});
