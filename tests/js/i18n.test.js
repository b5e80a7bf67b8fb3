// Every text stands in every catalogue.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { addWords, choose, chosenLanguage, lengthOf, loadWords, minutesOf, momentOf, sentence, sizeOf, t, tn } from '../../src/pymeet/web/static/js/i18n.js';

const folder = new URL('../../src/pymeet/web/static/js/', import.meta.url);
const SETS = ['i18n/', 'i18n/accounts/', 'i18n/check/', 'i18n/fields/', 'i18n/flows/', 'i18n/groups/', 'i18n/hosting/', 'i18n/notifications/', 'i18n/privacy/', 'i18n/recordings/', 'i18n/rooms/', 'i18n/schedule/', 'i18n/server/'];
/** @type {Record<string, Record<string, string>>} */
const catalogues = {};
for (const set of SETS) {
  for (const name of (await readdir(new URL(set, folder))).filter((file) => file.endsWith('.js'))) {
    catalogues[set + name] = (await import(new URL(set + name, folder).href)).default;
  }
}
/** @param {string} name */
const englishBeside = (name) => catalogues[name.replace(/\w+\.js$/, 'en.js')];
const placeholders = (/** @type {string} */ text) => [...text.matchAll(/\{\w+\}/g)].map(([found]) => found).sort();

test('every set of words has the same languages, and no two of them share a key', () => {
  const languages = SETS.map((set) => Object.keys(catalogues).filter((name) => name.startsWith(set) && !name.slice(set.length).includes('/')));
  const [first, ...more] = languages.map((names, index) => names.map((name) => name.slice(SETS[index].length)));
  for (const others of more) assert.deepEqual(others, first);
  const keys = SETS.flatMap((set) => Object.keys(catalogues[`${set}en.js`]));
  assert.deepEqual(keys.filter((key, index) => keys.indexOf(key) !== index), []);
});

for (const [name, words] of Object.entries(catalogues)) {
  const english = englishBeside(name);
  test(`${name} has exactly the keys of English`, () => {
    assert.deepEqual(Object.keys(words).sort(), Object.keys(english).sort());
  });

  test(`${name} says something everywhere and keeps the placeholders`, () => {
    for (const [key, text] of Object.entries(words)) {
      assert.ok(text.trim(), key);
      assert.deepEqual(placeholders(text), placeholders(english[key]), key);
    }
  });

  test(`${name} does not shout`, () => {
    for (const [key, text] of Object.entries(words)) assert.doesNotMatch(text, /!|Oops|\p{Extended_Pictographic}/u, key);
  });
}

test('no text is kept that no page uses', async () => {
  let source = '';
  for (const entry of await readdir(folder, { recursive: true })) {
    if (entry.endsWith('.js') && !entry.startsWith('i18n/')) source += await readFile(new URL(entry, folder), 'utf8');
  }
  // Keys that are put together at run time: `theme.${name}` covers all that begin with "theme.".
  const built = [...source.matchAll(/`([a-zA-Z.]+)\$\{[^`]*`/g)].map(([, start]) => start);
  for (const key of SETS.flatMap((set) => Object.keys(catalogues[`${set}en.js`]))) {
    const plain = key.replace(/\.(one|other)$/, '');
    assert.ok(source.includes(`'${plain}'`) || built.some((start) => plain.startsWith(start)), key);
  }
});

test('the reader’s languages are tried in order', () => {
  assert.equal(choose(['fr-FR', 'de-AT', 'en']), 'de');
  assert.equal(choose(['en-GB', 'de']), 'en');
  assert.equal(choose(['xx']), 'en');
});

test('texts take values and numbers', async () => {
  assert.equal(tn('preview.here', 1), '1 person is here');
  assert.equal(tn('preview.here', 4), '4 people are here');
  assert.equal(minutesOf(5), '5 min');
  assert.equal(minutesOf(65), '1 hr 5 min');
  await loadWords(['de']);
  assert.equal(t('share.by', { name: 'Anna' }), 'Bildschirm von Anna');
  await loadWords(['en']);
});

test('words that only some pages need come beside the others, in the reader’s language', async () => {
  addWords({ 'test.word': 'only here' }, { de: async () => ({ default: { 'test.word': 'nur hier' } }) });
  await loadWords(['de-AT']);
  assert.equal(chosenLanguage(), 'de');
  assert.deepEqual([t('test.word'), t('leave')], ['nur hier', 'Verlassen']);
  await loadWords(['en-GB']);
  assert.deepEqual([t('test.word'), t('leave')], ['only here', 'Leave']);
});

test('sizes, lengths and moments are written as the reader writes them', async () => {
  await loadWords(['en-GB']);
  assert.deepEqual([0, 999, 19_300, 1_240_000, 7_300_000_000].map(sizeOf), ['0 byte', '999 byte', '19 kB', '1.2 MB', '7.3 GB']);
  assert.deepEqual([lengthOf(1, 'hour'), lengthOf(90, 'day')], ['1 hour', '90 days']);
  assert.match(momentOf(Date.UTC(2026, 10, 21, 12)), /2026.*\d{2}:\d{2} \S+$/, 'the zone is named');
  await loadWords(['de']);
  assert.deepEqual([lengthOf(1, 'hour'), lengthOf(90, 'day'), sizeOf(1_240_000)], ['1 Stunde', '90 Tage', '1,2 MB']);
  assert.equal(sentence('über Sie'), 'Über Sie');
  await loadWords(['en']);
});
