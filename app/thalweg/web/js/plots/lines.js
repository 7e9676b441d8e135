/** Paths as lines within a box: cut off at its border. */

const FAR = 1e150; // differences and ratios of such numbers are still finite

/**
 * Returns the parts of a path that are inside a box.
 * @param {Array<number[]|null>} points the first two of each are its place, what follows goes along with it; null
 *   interrupts the path
 * @param {[number, number, number, number]} box left, right, low and high
 * @returns {number[][][]} each of at least one point
 */
export function within(points, [left, right, low, high]) {
  // a share of a way that leads far out is not exact enough to end at the border
  const held = (/** @type {number[]} */ [x, y, ...rest]) => [
    Math.min(Math.max(x, left), right),
    Math.min(Math.max(y, low), high),
    ...rest,
  ];
  /** @type {number[][][]} */
  const parts = [];
  let goesOn = false; // whether the last part ends where the next segment begins
  /** @type {number[]|null} */
  let before = null;
  for (const raw of points) {
    const point = raw && isPlace(raw) ? bounded(raw) : null;
    const [enters, leaves] = before && point ? inside(before, point, [left, low], [right, high]) : [1, 0];
    if (before && point && enters <= leaves) {
      if (!goesOn) parts.push([held(between(before, point, enters))]);
      parts[parts.length - 1].push(held(between(before, point, leaves)));
    }
    goesOn = enters <= leaves && leaves === 1;
    before = point;
  }
  if (parts.length) return parts;
  const alone = points.find(
    (point) =>
      point && isPlace(point) && point[0] >= left && point[0] <= right && point[1] >= low && point[1] <= high,
  );
  return alone ? [[alone]] : [];
}

/**
 * Returns the shares of the way between two points at which it enters and leaves a box; it meets the box if they
 * are in this order. Source: Liang and Barsky, "A new concept and method for line clipping", ACM Transactions on
 * Graphics, 1984.
 * @param {number[]} from
 * @param {number[]} to
 * @param {number[]} lows
 * @param {number[]} highs
 */
function inside(from, to, lows, highs) {
  let [enters, leaves] = [0, 1];
  for (const axis of [0, 1]) {
    const way = to[axis] - from[axis];
    const [a, b] = [lows[axis] - from[axis], highs[axis] - from[axis]];
    if (way === 0) {
      if (a > 0 || b < 0) return [1, 0];
      continue;
    }
    enters = Math.max(enters, Math.min(a / way, b / way));
    leaves = Math.min(leaves, Math.max(a / way, b / way));
  }
  return [enters, leaves];
}

/** Returns what lies at a share of the way between two points. @param {number[]} from @param {number[]} to @param {number} share */
export function between(from, to, share) {
  if (share === 0) return from;
  return share === 1 ? to : from.map((value, axis) => value * (1 - share) + to[axis] * share);
}

/** @param {number[]} place */
function isPlace([x, y]) {
  return x !== null && y !== null && !Number.isNaN(x) && !Number.isNaN(y);
}

/** @param {number[]} place */
function bounded([x, y, ...rest]) {
  return [Math.min(Math.max(x, -FAR), FAR), Math.min(Math.max(y, -FAR), FAR), ...rest];
}
