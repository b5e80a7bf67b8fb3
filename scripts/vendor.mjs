// Copies the pinned browser libraries and icons from node_modules into src/pymeet/web/static/vendor/.
// Run by `npm run vendor` after `npm ci`; its output is committed, so running pymeet needs neither Node nor npm.

import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));
const target = fileURLToPath(new URL('../src/pymeet/web/static/vendor/', import.meta.url));

/** Bare specifier → the file it is read from and the file it becomes. */
const LIBRARIES = {
  'preact': { from: 'preact/dist/preact.mjs', to: 'preact.js' },
  'preact/hooks': { from: 'preact/hooks/dist/hooks.mjs', to: 'preact-hooks.js' },
  'htm': { from: 'htm/dist/htm.mjs', to: 'htm.js' },
  '@preact/signals-core': { from: '@preact/signals-core/dist/signals-core.mjs', to: 'signals-core.js' },
  '@preact/signals': { from: '@preact/signals/dist/signals.mjs', to: 'signals.js' },
};

const ICONS = [
  'activity', 'arrow-left', 'bell', 'bookmark', 'check', 'chevron-down', 'circle-alert', 'circle-dot', 'circle-slash', 'circle-stop', 'copy', 'eye', 'fingerprint', 'headphones', 'key-round', 'keyboard',
  'clapperboard', 'clock', 'download', 'loader-circle', 'lock', 'log-out', 'mail', 'message-square', 'mic', 'mic-off', 'monitor-off', 'monitor-up', 'pause', 'pencil', 'phone-off', 'pin', 'pin-off', 'play', 'plus', 'printer', 'radio', 'send', 'settings', 'share-2', 'shield-check', 'smartphone', 'trash-2', 'undo-2', 'users', 'user-minus', 'user-plus',
  'crown', 'ellipsis', 'ellipsis-vertical', 'hand', 'heart', 'laugh', 'lock-open', 'message-square-lock', 'party-popper', 'sliders-horizontal', 'smile-plus', 'spotlight', 'thumbs-up', 'user-check', 'user-cog', 'user-x',
  'video', 'video-off', 'volume-2', 'volume-x', 'wifi-off', 'x',
];

const LICENCES = ['preact', 'htm', '@preact/signals-core', '@preact/signals', 'lucide-static'];

/** @param {string} name */
async function readModule(name) {
  return readFile(modules + name, 'utf8');
}

/**
 * Bare specifiers become relative ones, so that no import map (an inline script) is needed; source maps are not shipped.
 * @param {string} source
 */
function rewrite(source) {
  return source
    .replace(/(from|import)\s*(["'])([^"'.][^"']*)\2/g, (whole, keyword, quote, specifier) => {
      const library = LIBRARIES[/** @type {keyof typeof LIBRARIES} */ (specifier)];
      if (!library) throw new Error(`no vendored file for ${specifier} in ${whole}`);
      return `${keyword}${quote}./${library.to}${quote}`;
    })
    .replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
}

async function sprite() {
  const symbols = [];
  for (const icon of ICONS) {
    const svg = await readModule(`lucide-static/icons/${icon}.svg`);
    const shapes = svg.replace(/^[\s\S]*?<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '').replace(/\s*\n\s*/g, '');
    symbols.push(`<symbol id="icon-${icon}" viewBox="0 0 24 24">${shapes}</symbol>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`;
}

async function licences() {
  const parts = [];
  for (const name of LICENCES) {
    const { version, license } = JSON.parse(await readModule(`${name}/package.json`));
    const file = (await readdir(modules + name)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    parts.push(`${name} ${version} (${license})\n\n${(await readModule(`${name}/${file}`)).trim()}\n`);
  }
  return parts.join(`\n${'-'.repeat(78)}\n\n`);
}

/** @type {Record<string, string>} */
const files = { 'icons.svg': await sprite(), 'LICENCES.txt': await licences() };
for (const [specifier, { from, to }] of Object.entries(LIBRARIES)) {
  files[to] = rewrite(await readModule(from));
  const exported = specifier === 'htm' ? `export { default } from 'htm';\n` : `export * from '${specifier}';\n`;
  files[to.replace(/\.js$/, '.d.ts')] = exported;
}
const hashes = Object.fromEntries(
  Object.keys(files).sort().map((name) => [name, createHash('sha256').update(files[name]).digest('hex')]),
);
files['hashes.json'] = `${JSON.stringify(hashes, null, 2)}\n`;

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
for (const [name, text] of Object.entries(files)) await writeFile(target + name, text);
