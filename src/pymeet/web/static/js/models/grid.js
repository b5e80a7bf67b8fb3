// The tile size at which a number of pictures fills a stage best. Arithmetic only.

/** @typedef {{ columns: number, rows: number, width: number, height: number }} Grid */

const RATIOS = [16 / 9, 4 / 3];
// A face is no longer readable below this; the stage scrolls instead.
const NARROWEST_PX = 132;

/**
 * @param {number} count
 * @param {number} stageWidth
 * @param {number} stageHeight
 * @param {number} gap
 * @returns {Grid}
 */
export function bestGrid(count, stageWidth, stageHeight, gap) {
  /** @type {Grid} */
  let best = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (stageWidth - gap * (columns - 1)) / columns;
    const cellHeight = (stageHeight - gap * (rows - 1)) / rows;
    for (const ratio of RATIOS) {
      const width = Math.floor(Math.min(cellWidth, cellHeight * ratio));
      const height = Math.floor(width / ratio);
      if (width * height > best.width * best.height) best = { columns, rows, width, height };
    }
  }
  return best.width < NARROWEST_PX && count > 0 ? scrollingGrid(count, stageWidth, gap) : best;
}

/** @param {number} count @param {number} stageWidth @param {number} gap @returns {Grid} */
function scrollingGrid(count, stageWidth, gap) {
  const columns = Math.max(1, Math.min(count, Math.floor((stageWidth + gap) / (NARROWEST_PX + gap))));
  const width = Math.max(0, Math.floor((stageWidth - gap * (columns - 1)) / columns));
  return { columns, rows: Math.ceil(count / columns), width, height: Math.floor(width / RATIOS[1]) };
}
