// The model behind API tokens.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const { areasOf, daysUpTo, toggled } = await import('../../src/pymeet/web/static/js/models/tokens.js');
const words = (await import('../../src/pymeet/web/static/js/i18n/accounts/en.js')).default;

const ALL = ['profile:read', 'rooms:read', 'rooms:write', 'users:write'];

test('scopes of one thing stand together, and those that there are not are left out', () => {
  assert.deepEqual(areasOf(ALL), [
    { area: 'profile', read: true, write: false },
    { area: 'rooms', read: true, write: true },
    { area: 'users', read: false, write: true },
  ]);
  assert.deepEqual(areasOf([]), []);
});

test('ticking puts a scope in or takes it out, in the order of all', () => {
  assert.deepEqual(toggled(ALL, ['users:write'], 'profile:read'), ['profile:read', 'users:write']);
  assert.deepEqual(toggled(ALL, ['profile:read', 'users:write'], 'profile:read'), ['users:write']);
});

test('no token is offered for longer than the server allows', () => {
  assert.deepEqual(daysUpTo(366), [7, 30, 90, 180, 366]);
  assert.deepEqual(daysUpTo(90), [7, 30, 90]);
});

test('every area has its words', () => {
  for (const area of ['profile', 'rooms', 'meetings', 'recordings', 'users', 'privacy', 'server']) {
    assert.ok(words[`scope.${area}`], area);
    assert.ok(words[`scope.text.${area}`], area);
  }
});
