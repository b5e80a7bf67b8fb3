// The models behind signing in, security, profile and members.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOrderOfWish, loadWords, t } from '../../src/pymeet/web/static/js/i18n.js';

const base = '../../src/pymeet/web/static/js/models';
const { accountErrors, askedBy, looksLikeEmail, waysIn } = await import(`${base}/account.js`);
const { digitsOf, grouped, pictureOf, recoveryFile, waysOf } = await import(`${base}/second-factor.js`);
const { knownZones, regionsOf } = await import(`${base}/time-zones.js`);
const { actionsFor } = await import(`${base}/users.js`);
const choices = await import(`${base}/choices.js`);

const PURPOSES = ['first_admin', 'set_password', 'invitation', 'register', 'reset_password', 'sign_in', 'change_email'];

test('every one-time link is known, and says what it is, what it does and what is pressed', async () => {
  const words = (await import('../../src/pymeet/web/static/js/i18n/accounts/en.js')).default;
  for (const purpose of PURPOSES) {
    assert.ok(askedBy(purpose), purpose);
    for (const part of ['title', 'text', 'do']) assert.ok(words[`link.${part}.${purpose}`], `${part} ${purpose}`);
  }
  assert.equal(askedBy('toString'), null);
  assert.equal(askedBy('something_new'), null);
});

test('a link asks for no more than it needs', () => {
  const empty = { name: '', email: '', password: '' };
  assert.deepEqual(accountErrors(empty, askedBy('sign_in')), {});
  assert.deepEqual(accountErrors(empty, askedBy('change_email')), {});
  assert.deepEqual(accountErrors(empty, askedBy('reset_password')), { password: true });
  assert.deepEqual(accountErrors(empty, askedBy('invitation')), { name: true, password: true });
  assert.deepEqual(accountErrors({ ...empty, password: 'fifteen letters' }, askedBy('reset_password'), 16), { password: true });
});

test('what cannot be an address is noticed before it is sent', () => {
  for (const good of ['a@b', ' mei.tanaka@example.org ', 'süß@münchen.example']) assert.ok(looksLikeEmail(good), good);
  for (const bad of ['', 'mei', '@', 'a@', '@b', 'a b@c', 'a@b@c']) assert.ok(!looksLikeEmail(bad), bad);
});

test('only what this server does is offered to somebody without an account', () => {
  assert.deepEqual(waysIn(null), { mail: false, register: false });
  assert.deepEqual(waysIn({ registration: 'open', mail: true }), { mail: true, register: true });
  // Without mail nobody can prove an address.
  assert.deepEqual(waysIn({ registration: 'open', mail: false }), { mail: false, register: false });
  assert.deepEqual(waysIn({ registration: 'invitation', mail: true }), { mail: true, register: false });
});

test('the second step begins with the easiest way that this browser has', () => {
  assert.deepEqual(waysOf(['recovery', 'passkey', 'totp'], true), ['totp', 'passkey', 'recovery']);
  assert.deepEqual(waysOf(['passkey', 'recovery'], false), ['recovery']);
  assert.deepEqual(waysOf(['passkey'], false), []);
});

test('codes are taken as people type them and shown as people read them', () => {
  assert.equal(digitsOf(' 123 456\t'), '123456');
  assert.equal(grouped('JBSWY3DPEHPK3PXP'), 'JBSW Y3DP EHPK 3PXP');
  assert.equal(grouped('JBSWY3'), 'JBSW Y3');
  assert.equal(recoveryFile('Recovery codes', 'Each works once.', ['a-b', 'c-d']), 'Recovery codes\n\nEach works once.\n\na-b\nc-d\n');
});

test('a picture from the server is an image of its own, with the namespace that it needs there', () => {
  const wanted = '<svg xmlns="http://www.w3.org/2000/svg" width="2"><path d="M0 0"/></svg>';
  for (const svg of [wanted, '<svg width="2"><path d="M0 0"/></svg>']) {
    assert.equal(decodeURIComponent(pictureOf(svg).replace(/^data:image\/svg\+xml;charset=utf-8,/, '')), wanted);
  }
});

test('time zones stand by the part of the world, named by their city', () => {
  const regions = regionsOf(['Europe/Berlin', 'America/Argentina/Buenos_Aires', 'UTC', 'Europe/Athens']);
  assert.deepEqual(regions.map(({ region }) => region), ['America', 'Europe', 'UTC']);
  assert.deepEqual(regions[0].zones, [{ id: 'America/Argentina/Buenos_Aires', city: 'Argentina, Buenos Aires' }]);
  assert.deepEqual(regions[1].zones.map(({ city }) => city), ['Athens', 'Berlin']);
});

test('the zone of the account is in the menu, also when this browser does not know it', () => {
  const zones = knownZones(['Mars/Olympus_Mons', null]);
  for (const zone of ['UTC', 'Mars/Olympus_Mons', 'Europe/Berlin']) assert.ok(zones.includes(zone), zone);
  assert.equal(new Set(zones).size, zones.length);
});

test('administrators cannot lock themselves out, and an erasure is not interfered with', () => {
  const member = { id: 'a', name: 'Mei', email: 'mei@example.org', role: 'member', state: 'active', created_at: 0, last_seen_at: null, second_factor: true };
  assert.deepEqual(actionsFor(member, 'b'), ['role', 'fields', 'reset', 'access', 'remove_second_factor', 'disable', 'erase']);
  assert.deepEqual(actionsFor(member, 'a'), ['fields', 'reset']);
  assert.deepEqual(actionsFor({ ...member, state: 'disabled', second_factor: false }, 'b'), ['role', 'fields', 'access', 'enable', 'erase']);
  assert.deepEqual(actionsFor({ ...member, state: 'invited', second_factor: false }, 'b'), ['role', 'fields', 'invite_again', 'access', 'erase']);
  assert.deepEqual(actionsFor({ ...member, state: 'being_erased' }, 'b'), []);
});

test('the language of the account comes before that of the browser, in the form that the browser has for it', async () => {
  assert.deepEqual(inOrderOfWish(null, ['en-GB', 'de-AT']), ['en-GB', 'de-AT']);
  assert.deepEqual(inOrderOfWish('de', ['en-GB', 'de-AT']), ['de-AT', 'de', 'en-GB']);
  assert.deepEqual(inOrderOfWish('de', ['fr']), ['de', 'fr']);
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  Object.defineProperty(globalThis, 'localStorage', { value: storage, configurable: true });
  Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en-GB'] }, configurable: true });
  choices.rememberLanguage('de');
  await loadWords();
  assert.equal(t('leave'), 'Verlassen');
  choices.rememberLanguage(null);
  await loadWords(['en']);
});
