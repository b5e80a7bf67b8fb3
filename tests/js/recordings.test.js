// The models behind the pages of recordings: states, search, the film to play, chapters and lanes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const base = '../../src/pymeet/web/static/js/models';
const { dayField, endOfDayMs, filmToCome, filmToPlay, inOrder, lookAgainMs, matching, namesIn, sizeOfMine, stateOf } =
  await import(`${base}/recordings.js`);
const { clockOf, currentOf, hasTracks, itemsOf, lanesOf, lengthOf, pictureAt, speakersAt, startOf, trackAt } =
  await import(`${base}/recording-time.js`);

const PEOPLE = [{ id: 'a', name: 'Anna' }, { id: 'b', name: 'Ben' }];

/** @param {object} [values] */
const row = (values) => ({ name: 'Tea', room: { slug: 'tea', name: 'Garden' }, people: PEOPLE, mine: true, size: 10, started_at: 1, state: 'ended', film: null, ...values });
/** @param {string} state @param {object} [values] */
const film = (state, values) => ({ id: state, state, progress: null, made_at: 1, ...values });
/** @param {string} kind @param {string} person @param {number} begins @param {number | null} [ends] @param {string | null} [text] */
const event = (kind, person, begins, ends = null, text = null) => ({ kind, person, begins_at: begins, ends_at: ends, text });

test('a row says whether it is being recorded before anything about a film', () => {
  assert.equal(stateOf(row({ state: 'recording', film: film('ready') })), 'recording');
  assert.equal(stateOf(row({ film: film('making') })), 'making');
  assert.equal(stateOf(row()), 'none');
});

test('a page looks again only while something moves', () => {
  assert.equal(lookAgainMs([row(), row({ film: film('ready') })]), null);
  assert.ok(lookAgainMs([row({ film: film('queued') })]) < lookAgainMs([row({ state: 'recording' })]));
});

test('every word of a search must occur, in name, room or people', () => {
  const rows = [row(), row({ name: 'Harvest', people: [] })];
  assert.deepEqual(matching(rows, 'GARDEN ben').map(({ name }) => name), ['Tea']);
  assert.equal(matching(rows, 'garden').length, 2);
  assert.equal(matching(rows, '   ').length, 2);
  assert.equal(matching(rows, 'garden nobody').length, 0);
});

test('rows stand with the newest first, and the size is that of one’s own', () => {
  assert.deepEqual(inOrder([row({ started_at: 1 }), row({ started_at: 3 })]).map(({ started_at: at }) => at), [3, 1]);
  assert.equal(sizeOfMine([row({ size: 5 }), row({ size: 7, mine: false })]), 5);
});

test('of many names a few are shown, each once', () => {
  assert.deepEqual(namesIn(['A', 'B', 'A', 'C', 'D'].map((name) => ({ name }))), { names: ['A', 'B', 'C'], more: 1 });
});

test('the newest film that is ready is played, and none that somebody objects to', () => {
  const films = [film('failed'), film('ready', { id: 'old' }), film('ready', { id: 'new', made_at: 2 }), film('ready', { id: 'hidden', made_at: 3, restricted: true })];
  assert.equal(filmToPlay(films).id, 'new');
  assert.equal(filmToPlay([film('making')]), null);
  assert.equal(filmToCome([film('failed'), film('making')]).state, 'making');
  assert.equal(filmToCome([film('cancelled')]), null);
});

test('a day is kept to its end, and never beyond the limit', () => {
  const end = endOfDayMs('2027-02-19', null);
  assert.equal(dayField(end), '2027-02-19');
  assert.equal(dayField(end + 1), '2027-02-20');
  assert.equal(endOfDayMs('2027-02-19', 5), 5);
  assert.equal(endOfDayMs('', null), null);
});

test('positions read like those of a player', () => {
  assert.deepEqual([0, 65_000, 3_725_000, -5].map(clockOf), ['0:00', '1:05', '1:02:05', '0:00']);
});

test('a speaker who pauses goes on in the same chapter, and a cough is none', () => {
  const items = itemsOf([
    event('spoke', 'a', 0, 5000), event('spoke', 'a', 7000, 9000), event('spoke', 'b', 9000, 9300),
    event('spoke', 'a', 9500, 12_000), event('spoke', 'b', 20_000, 25_000), event('spoke', 'a', 60_000, 70_000),
  ], PEOPLE);
  assert.deepEqual(items.map((item) => [item.name, item.begins_at, item.ends_at]), [['Anna', 0, 12_000], ['Ben', 20_000, 25_000], ['Anna', 60_000, 70_000]]);
});

test('markers, messages and screens stand between the speakers', () => {
  const items = itemsOf([event('marker', 'a', 3000, null, 'Vote'), event('spoke', 'b', 0, 9000), event('message', 'b', 2000, null, 'hi'), event('present', 'a', 0, 9000)], PEOPLE);
  assert.deepEqual(items.map(({ kind }) => kind), ['spoke', 'message', 'marker']);
  assert.equal(currentOf(items, 2600), 2);
  assert.equal(currentOf(items, 2400), 1);
  assert.equal(startOf(items[0]), 0);
  assert.equal(startOf(items[2]), 2500);
});

test('somebody who was taken out leaves no name behind', () => {
  assert.deepEqual(itemsOf([event('spoke', 'gone', 0, 9000)], PEOPLE).map(({ name }) => name), ['']);
  assert.deepEqual(lanesOf([event('spoke', 'gone', 0, 9000)], PEOPLE).flatMap(({ spoke }) => spoke), []);
});

test('lanes tell who speaks at a moment', () => {
  const lanes = lanesOf([event('spoke', 'a', 0, 5000), event('spoke', 'b', 4000, 8000), event('shared', 'b', 1, 2)], PEOPLE);
  assert.deepEqual(speakersAt(lanes, 4500), ['Anna', 'Ben']);
  assert.deepEqual(speakersAt(lanes, 9000), []);
  assert.equal(lanes[1].shared.length, 1);
});

test('a recording is as long as the server says, or as what is in it', () => {
  assert.equal(lengthOf(9000, [event('spoke', 'a', 0, 5000)]), 9000);
  assert.equal(lengthOf(null, [event('spoke', 'a', 0, 5000)], [{ begins_at: 4000, duration_ms: 4000 }]), 8000);
  assert.equal(lengthOf(null, []), 0);
});

test('a person’s picture is the shared screen before the camera, and nothing in the gaps', () => {
  const tracks = [
    { id: '1', source: 'camera', begins_at: 0, duration_ms: 5000 }, { id: '2', source: 'camera', begins_at: 8000, duration_ms: 2000 },
    { id: '3', source: 'screen', begins_at: 2000, duration_ms: 1000 }, { id: '4', source: 'microphone', begins_at: 0, duration_ms: null },
  ];
  assert.deepEqual([1000, 2500, 6000, 8000, 10_000].map((at) => pictureAt(tracks, at)?.id), ['1', '3', undefined, '2', undefined]);
  assert.equal(trackAt(tracks, 'microphone', 0), null);
  assert.equal(hasTracks({ tracks }), true);
  assert.equal(hasTracks({ tracks: [tracks[3]] }), false);
});
