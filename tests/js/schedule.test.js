// What the dialogs of planned meetings reckon with: wall clocks as they are written, rules, and who comes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, firstRoom, meetingIn, ruleOf, tally, wallClockOf } from '../../src/pymeet/web/static/js/models/schedule.js';

test('the name of an occurrence is the wall clock at which it begins by the rule', () => {
  assert.equal(wallClockOf('20270328T090500'), '2027-03-28T09:05');
  assert.equal(wallClockOf('20270328'), '2027-03-28');
});

test('one occurrence has changes of its own', () => {
  const moved = { recurrence_id: '20270404T090000', cancelled: false, start: '2027-04-05T10:00', duration_min: 30 };
  assert.equal(changeOf([moved], '20270404T090000'), moved);
  assert.equal(changeOf([moved], '20270328T090000'), undefined);
});

test('a new meeting gets a room of its own only where one may be made', () => {
  const rooms = [{ slug: 'garden' }, { slug: 'attic' }];
  assert.equal(firstRoom(rooms, true), '');
  assert.equal(firstRoom(rooms, false), 'garden');
  assert.equal(firstRoom([], false), '');
});

test('a rule ends on a day or never', () => {
  assert.equal(ruleOf('WEEKLY', '2027-06-30'), 'FREQ=WEEKLY;UNTIL=20270630');
  assert.equal(ruleOf('DAILY', ''), 'FREQ=DAILY');
  assert.equal(ruleOf('once', '2027-06-30'), null);
});

test('answers are counted, also those that nobody gave', () => {
  const invitees = [{ name: null, answer: /** @type {const} */ ('none') }, { name: 'Mei', answer: /** @type {const} */ ('accepted') }];
  assert.deepEqual(tally(invitees), { none: 1, accepted: 1, tentative: 0, declined: 0 });
});

test('an address names a meeting after the #, and nothing else counts as one', () => {
  assert.equal(meetingIn('#meeting=Ab-c_9'), 'Ab-c_9');
  for (const hash of ['', '#', '#meeting=', '#meeting=a/b', '#other=a', `#meeting=${'a'.repeat(31)}`]) assert.equal(meetingIn(hash), '');
});
