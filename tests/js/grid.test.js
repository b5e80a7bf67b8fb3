// The tile size that fills a stage best.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestGrid } from '../../src/pymeet/web/static/js/models/grid.js';

const GAP = 8;

/** @param {number} count @param {number} width @param {number} height */
function fits(count, width, height) {
  const grid = bestGrid(count, width, height, GAP);
  assert.ok(grid.columns * grid.rows >= count, 'every tile has a place');
  assert.ok(grid.columns * grid.width + (grid.columns - 1) * GAP <= width, 'tiles stay inside the width');
  return grid;
}

test('one person fills the stage up to the ratio', () => {
  assert.deepEqual(fits(1, 1600, 900), { columns: 1, rows: 1, width: 1600, height: 900 });
});

test('two people stand beside each other on a desktop and above each other on a phone', () => {
  assert.equal(fits(2, 1280, 720).columns, 2);
  assert.equal(fits(2, 360, 640).columns, 1);
});

test('a tile is 16:9 or 4:3, never anything else', () => {
  for (let count = 1; count <= 30; count += 1) {
    const { width, height } = fits(count, 1280, 660);
    const ratio = width / height;
    assert.ok(Math.abs(ratio - 16 / 9) < 0.03 || Math.abs(ratio - 4 / 3) < 0.03, `${count} people: ${ratio}`);
  }
});

test('no other number of columns would give larger tiles', () => {
  const best = fits(7, 1280, 660);
  for (let columns = 1; columns <= 7; columns += 1) {
    const rows = Math.ceil(7 / columns);
    for (const ratio of [16 / 9, 4 / 3]) {
      const width = Math.min((1280 - GAP * (columns - 1)) / columns, ((660 - GAP * (rows - 1)) / rows) * ratio);
      assert.ok(Math.floor(width) * Math.floor(width / ratio) <= best.width * best.height);
    }
  }
});

test('a crowd on a phone scrolls instead of becoming unreadable', () => {
  const grid = fits(40, 344, 600);
  assert.equal(grid.columns, 2);
  assert.ok(grid.width >= 132);
  assert.ok(grid.rows * (grid.height + GAP) > 600);
});

test('a stage without size gives no tile and no error', () => {
  assert.equal(bestGrid(0, 0, 0, GAP).width, 0);
  assert.equal(bestGrid(3, 0, 0, GAP).width, 0);
});
