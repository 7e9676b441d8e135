/**
 * Returns where values over a grid cross levels, in columns and rows of the grid.
 * Each square is crossed along straight lines between its sides, a saddle as if its middle were low.
 * @param {Array<Array<number|null>>} z
 * @param {number[]} levels ascending
 * @returns {Path2D}
 */
export function contours(z, levels) {
  const path = new Path2D();
  for (let j = 0; j + 1 < z.length; j += 1) {
    for (let i = 0; i + 1 < z[j].length; i += 1) {
      const corners = [z[j][i], z[j][i + 1], z[j + 1][i + 1], z[j + 1][i]].filter((value) => value !== null);
      if (corners.length < 4) continue;
      const [low, high] = [Math.min(...corners), Math.max(...corners)];
      for (const level of levels) {
        if (level > high) break;
        if (level >= low) cross(path, i, j, corners, level);
      }
    }
  }
  return path;
}

const SIDES = [
  [0, 0, 1, 0],
  [1, 0, 0, 1],
  [1, 1, -1, 0],
  [0, 1, 0, -1],
]; // from which corner, and which way

/**
 * Draws a level in a square: from each side where its values fall below the level to the side where they rise
 * again.
 * @param {Path2D} path
 * @param {number} i
 * @param {number} j
 * @param {number[]} corners
 * @param {number} level
 */
function cross(path, i, j, corners, level) {
  const isOver = corners.map((value) => value > level);
  /** @param {number} side @returns {[number, number]} */
  const at = (side) => {
    const [from, to] = [corners[side], corners[(side + 1) % 4]];
    const share = (level - from) / (to - from);
    const [x, y, dx, dy] = SIDES[side];
    return [i + x + share * dx, j + y + share * dy];
  };
  for (let side = 0; side < 4; side += 1) {
    if (isOver[side] || !isOver[(side + 1) % 4]) continue;
    let end = (side + 1) % 4;
    while (isOver[(end + 1) % 4]) end = (end + 1) % 4;
    path.moveTo(...at(side));
    path.lineTo(...at(end));
  }
}
