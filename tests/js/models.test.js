// The small models: names, links, slugs, problems, keys, accounts, what a device remembers.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

const base = '../../src/pymeet/web/static/js/models';
const { initials, hueOf } = await import(`${base}/names.js`);
const { partsOf } = await import(`${base}/links.js`);
const { slugOf, safePath } = await import(`${base}/slugs.js`);
const { problemOf, browserOf } = await import(`${base}/problems.js`);
const { actionOf, keyOf } = await import(`${base}/shortcuts.js`);
const { accountErrors } = await import(`${base}/account.js`);
const { inOrder } = await import(`${base}/rooms.js`);
const choices = await import(`${base}/choices.js`);
const { levelOf } = await import('../../src/pymeet/web/static/js/media/level.js');

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

test('initials are those of the first and the last word, in any script', () => {
  const cases = { 'Anna Berg': 'AB', 'miguel': 'M', 'Juan Carlos de la Vega': 'JV', '王小明': '王', '  ': '?', '*** Ada': 'A', '👋 Bo': 'B' };
  for (const [name, expected] of Object.entries(cases)) assert.equal(initials(name), expected);
});

test('a name always has the same tint', () => {
  assert.equal(hueOf('Anna'), hueOf('Anna'));
  assert.notEqual(hueOf('Anna'), hueOf('Anne'));
  assert.ok(hueOf('Anna') >= 0 && hueOf('Anna') < 360);
});

test('only http and https addresses become links', () => {
  for (const text of ['javascript:alert(1)', 'data:text/html,x', 'ftp://example.org', 'www.example.org', 'https://', '<b>']) {
    assert.deepEqual(partsOf(text), [{ text }]);
  }
  assert.deepEqual(partsOf('See https://example.org/a.'), [
    { text: 'See ' }, { text: 'https://example.org/a', href: 'https://example.org/a' }, { text: '.' }]);
});

test('brackets belong to an address only when they are pairs', () => {
  assert.equal(partsOf('(https://example.org/)')[1].text, 'https://example.org/');
  assert.equal(partsOf('https://example.org/Tree_(graph)')[0].text, 'https://example.org/Tree_(graph)');
});

test('a message is shown in full, whatever is a link in it', () => {
  const text = 'a https://x.org, b (http://y.org/?q=[1]) <https://z.org/"> c…';
  assert.equal(partsOf(text).map((part) => part.text).join(''), text);
});

test('a link, a path and a bare name all lead to the room', () => {
  for (const typed of ['garden-walk', ' garden-walk ', '/r/garden-walk', 'https://meet.example.org/r/garden-walk?x#y', 'Garden-Walk']) {
    assert.equal(slugOf(typed), 'garden-walk');
  }
  for (const typed of ['', 'two words', 'https://example.org/', '../x', '-x']) assert.equal(slugOf(typed), null);
});

test('rooms with people come first, then the newest', () => {
  const room = (slug, created_at, people = 0) => ({ slug, name: slug, url: '', created_at, people });
  const rooms = [room('old', 1), room('busy', 2, 3), room('new', 3), room('busier', 4, 1)];
  assert.deepEqual(inOrder(rooms).map(({ slug }) => slug), ['busier', 'busy', 'new', 'old']);
});

test('after signing in one stays on this server', () => {
  assert.equal(safePath('/r/garden'), '/r/garden');
  for (const next of [null, '', 'https://evil.test', '//evil.test', '/\\evil.test', 'javascript:alert(1)', '/\t/evil.test', '/\n/evil.test', '/\r\\evil.test']) assert.equal(safePath(next), '/');
});

test('every device error becomes a problem with words', () => {
  assert.equal(problemOf(Object.assign(new Error(), { name: 'NotAllowedError' })), 'refused');
  assert.equal(problemOf(Object.assign(new Error(), { name: 'NotReadableError' })), 'busy');
  assert.equal(problemOf(new TypeError()), 'unsupported');
  assert.equal(problemOf(undefined), 'unknown');
});

test('the remedy is that of the browser in use', () => {
  assert.equal(browserOf('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'), 'firefox');
  assert.equal(browserOf('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'), 'chromium');
  assert.equal(browserOf('Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15'), 'safari');
  assert.equal(browserOf('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140'), 'ios');
});

test('a key works alone, outside text, and not while it is held', () => {
  const press = (over) => ({ key: 'm', ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...over });
  assert.equal(actionOf(press({}), false), 'microphone');
  assert.equal(actionOf(press({ key: 'M' }), false), 'microphone');
  assert.equal(actionOf(press({ key: '?' }), false), 'help');
  assert.equal(actionOf(press({ key: 'i' }), false), 'flows');
  assert.equal(actionOf(press({}), true), null);
  assert.equal(actionOf(press({ ctrlKey: true }), false), null);
  assert.equal(actionOf(press({ repeat: true }), false), null);
  assert.equal(keyOf('camera'), 'V');
});

test('a password has 12 characters, counted as people count', () => {
  const all = { name: true, email: true, password: true };
  assert.deepEqual(accountErrors({ name: '', email: '', password: 'eleven char' }, { ...all, name: false, email: false }), { password: true });
  assert.deepEqual(accountErrors({ name: 'Anna', email: 'anna@example.org', password: 'twelve chars' }, all), {});
  assert.deepEqual(accountErrors({ name: ' ', email: 'anna', password: '🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑' }, all), all);
});

test('choices are remembered, and spoilt ones forgotten', () => {
  const chosen = { microphone: 'm1', camera: 'c1', speaker: '', microphoneOn: false, cameraOn: true };
  choices.rememberDevices(chosen);
  assert.deepEqual(choices.deviceChoices(), chosen);
  localStorage.setItem('pymeet.devices', 'not json');
  assert.deepEqual(choices.deviceChoices(), { microphone: '', camera: '', speaker: '', microphoneOn: true, cameraOn: true });
});

test('a seat is kept for its own room and as long as the server keeps it', () => {
  choices.keepSeat({ slug: 'garden', token: 'secret', name: 'Anna', untilMs: 60_000, sinceMs: 7 });
  assert.equal(choices.keptSeat('garden', 59_999)?.sinceMs, 7);
  assert.equal(choices.keptSeat('garden', 59_999)?.token, 'secret');
  assert.equal(choices.keptSeat('garden', 60_000), null);
  assert.equal(choices.keptSeat('river', 0), null);
  choices.keepSeat(null);
  assert.equal(choices.keptSeat('garden', 0), null);
});

test('without storage nothing is remembered and nothing breaks', () => {
  Object.defineProperty(globalThis, 'localStorage', { get() { throw new Error('denied'); }, configurable: true });
  choices.rememberName('Anna');
  assert.equal(choices.rememberedName(), '');
  assert.equal(choices.rememberedTheme(), 'system');
});

test('loudness runs from silence to full scale', () => {
  assert.equal(levelOf(0), 0);
  assert.equal(levelOf(0.001), 0);
  assert.equal(levelOf(1), 1);
  assert.ok(levelOf(0.1) > levelOf(0.01));
});
