// What must hold for every file that a browser gets.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';

const web = new URL('../../src/pymeet/web/', import.meta.url);
const FIRST_LOAD_LIMIT = 300_000;

/** @param {string} under @param {RegExp} kind */
async function files(under, kind) {
  const names = (await readdir(new URL(under, web), { recursive: true })).filter((name) => kind.test(name)).sort();
  return Promise.all(names.map(async (name) => ({ name: under + name, text: await readFile(new URL(under + name, web), 'utf8') })));
}

const scripts = await files('static/js/', /\.js$/);
const pages = await files('pages/', /\.html$/);
const styles = await files('static/css/', /\.css$/);

test('no script makes markup or code from text', () => {
  for (const { name, text } of scripts) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(/, name);
  }
});

test('no page has inline script or style', () => {
  assert.ok(pages.length >= 5);
  for (const { name, text } of pages) {
    assert.doesNotMatch(text, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:/i, name);
  }
});

test('views set no style attribute, which the content security policy would drop', () => {
  for (const { name, text } of scripts) assert.doesNotMatch(text, /\sstyle=["'$]|setAttribute\('style'/, name);
});

test('nothing is fetched from anywhere else', () => {
  for (const { name, text } of [...pages, ...styles]) assert.doesNotMatch(text, /https?:|url\(\s*["']?\/\//, name);
  for (const { name, text } of scripts) {
    const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
    assert.doesNotMatch(code, /(fetch|import|WebSocket|src=)\(?\s*["'`]https?:/, name);
  }
});

test('protocol, media and models know no DOM', () => {
  for (const { name, text } of scripts) {
    if (!/js\/(protocol|meeting|api|media\/|models\/)/.test(name)) continue;
    assert.doesNotMatch(text, /\bdocument\.|\bwindow\.|vendor\/preact/, name);
  }
});

test('everything a page names exists', async () => {
  for (const { name, text } of pages) {
    for (const [, path] of text.matchAll(/(?:src|href)="\/static\/([^"]+)"/g)) {
      await assert.doesNotReject(readFile(new URL(`static/${path}`, web)), `${name} names ${path}`);
    }
  }
});

test('every module is preloaded by the page that needs it, and no other', async () => {
  for (const { name, text } of pages) {
    const entry = /** @type {RegExpMatchArray} */ (text.match(/type="module" src="\/static\/([^"]+)"/))[1];
    const wanted = await reachable(entry);
    wanted.delete(entry);
    const preloaded = [...text.matchAll(/rel="modulepreload" href="\/static\/([^"]+)"/g)].map(([, path]) => path);
    assert.deepEqual(preloaded.sort(), [...wanted].sort(), name);
  }
});

test('the first load of every page stays under 300 kB', async () => {
  for (const { name, text } of pages) {
    const paths = new Set([...text.matchAll(/(?:src|href)="\/static\/([^"]+)"/g)].map(([, path]) => path));
    let bytes = text.length;
    for (const path of paths) bytes += (await readFile(new URL(`static/${path}`, web))).length;
    assert.ok(bytes < FIRST_LOAD_LIMIT, `${name} loads ${bytes} bytes`);
  }
});

test('the vendored files are those that were copied, unchanged', async () => {
  const hashes = JSON.parse(await readFile(new URL('static/vendor/hashes.json', web), 'utf8'));
  const names = (await readdir(new URL('static/vendor/', web))).filter((name) => name !== 'hashes.json').sort();
  assert.deepEqual(names, Object.keys(hashes).sort());
  for (const name of names) {
    const content = await readFile(new URL(`static/vendor/${name}`, web));
    assert.equal(createHash('sha256').update(content).digest('hex'), hashes[name], name);
  }
});

test('every icon that is used is in the sprite', async () => {
  const sprite = await readFile(new URL('static/vendor/icons.svg', web), 'utf8');
  const known = new Set([...sprite.matchAll(/id="icon-([\w-]+)"/g)].map(([, name]) => name));
  const used = new Set();
  for (const { text } of scripts) {
    for (const [, expression] of text.matchAll(/(?:\$\{Icon\} name|icon)=("[^"]+"|\$\{[^}]+\})/g)) {
      for (const [, name] of expression.matchAll(/["']([a-z][\w-]+)["']/g)) if (!['camera', 'open'].includes(name)) used.add(name);
    }
  }
  assert.ok(used.size > 10);
  for (const name of used) assert.ok(known.has(name), name);
});

test('a file can be read in one sitting', () => {
  for (const { name, text } of [...scripts, ...styles]) assert.ok(text.split('\n').length <= 500, name);
});

test('the lock names no registry', async () => {
  assert.doesNotMatch(await readFile(new URL('../../../package-lock.json', web), 'utf8'), /"resolved"/);
});

/** @param {string} entry @param {Set<string>} [seen] @returns {Promise<Set<string>>} */
async function reachable(entry, seen = new Set()) {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const text = await readFile(new URL(`static/${entry}`, web), 'utf8');
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  for (const [, path] of code.matchAll(/(?:from|import)\s*["'](\.[^"']+)["']/g)) {
    await reachable(new URL(path, `file:///${entry}`).pathname.slice(1), seen);
  }
  return seen;
}
