/**
 * Returns which points of a line carry its shape: without the others it runs nowhere farther than `tolerance` from where
 * it ran. A converged path has nearly all its points in one place.
 * Source: Douglas and Peucker, "Algorithms for the reduction of the number of points required to represent a digitized
 * line or its caricature", 1973.
 * @param {number[][]} points
 * @param {number} tolerance
 * @returns {number[][]}
 */
export function simplified(points, tolerance) {
  if (points.length <= 2) return points;
  const isKept = new Uint8Array(points.length);
  isKept[0] = isKept[points.length - 1] = 1;
  const spans = [[0, points.length - 1]];
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [first, last] = span;
    let [farthest, distance] = [0, tolerance];
    for (let index = first + 1; index < last; index += 1) {
      const far = distanceTo(points[index], points[first], points[last]);
      if (far > distance) [farthest, distance] = [index, far];
    }
    if (!farthest) continue;
    isKept[farthest] = 1;
    spans.push([first, farthest], [farthest, last]);
  }
  return points.filter((_, index) => isKept[index]);
}

/** Returns how far a point is from a segment. @param {number[]} point @param {number[]} from @param {number[]} to */
function distanceTo(point, from, to) {
  const [dx, dy, dz] = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const [px, py, pz] = [point[0] - from[0], point[1] - from[1], point[2] - from[2]];
  const square = dx * dx + dy * dy + dz * dz;
  const share = square === 0 ? 0 : Math.min(Math.max((px * dx + py * dy + pz * dz) / square, 0), 1);
  return Math.hypot(px - share * dx, py - share * dy, pz - share * dz);
}
