// Every text stands in every catalogue.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { choose, loadWords, minutesOf, t, tn } from '../../src/pymeet/web/static/js/i18n.js';

const folder = new URL('../../src/pymeet/web/static/js/', import.meta.url);
const names = (await readdir(new URL('i18n/', folder))).filter((name) => name.endsWith('.js'));
/** @type {Record<string, Record<string, string>>} */
const catalogues = {};
for (const name of names) catalogues[name] = (await import(new URL(`i18n/${name}`, folder).href)).default;
const english = catalogues['en.js'];
const placeholders = (/** @type {string} */ text) => [...text.matchAll(/\{\w+\}/g)].map(([found]) => found).sort();

for (const [name, words] of Object.entries(catalogues)) {
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
  for (const key of Object.keys(english)) {
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
