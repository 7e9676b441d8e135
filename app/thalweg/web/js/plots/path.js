/**
 * What a plot knows of a run: its entries, thinned, with the two coordinates that are looked at.
 * @typedef {Object} Path
 * @property {string} name
 * @property {string} color
 * @property {number[]} step
 * @property {Array<number|null>} x
 * @property {Array<number|null>} y
 * @property {number[][]} points whole, with all coordinates
 * @property {Array<number|null>} f
 * @property {"end"|"diverged"|null} [ending] how it ended; null while it goes on
 */

/**
 * Returns how a run of this outcome ends in a picture.
 * @param {string|null|undefined} outcome
 * @returns {"end"|"diverged"|null}
 */
export function endingOf(outcome) {
  if (outcome === null || outcome === undefined) return null;
  return outcome === "diverged" ? "diverged" : "end";
}

/**
 * Returns the entry of a path at a step: the last one that is not after it.
 * @param {{step: number[]}} path
 * @param {number} step
 */
export function entryAt(path, step) {
  let [low, high] = [0, path.step.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (path.step[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Returns the last step that any of the paths has. @param {Array<{step: number[]}>} paths */
export function lastStep(paths) {
  return Math.max(0, ...paths.map((path) => path.step.at(-1) ?? 0));
}

/**
 * Returns how many entries of each path to ask for, so that all together stay quick to draw.
 * @param {number} nPaths
 */
export function entriesPerPath(nPaths) {
  return Math.round(Math.min(1200, Math.max(120, 36000 / Math.max(nPaths, 1))));
}

/**
 * Returns where each path is at a step, for plots to mark. One that has ended is marked by the symbol of its end.
 * @param {Path[]} paths
 * @param {number} step
 */
export function marksAt(paths, step) {
  return paths.flatMap((path) => {
    if (!path.step.length) return [];
    const entry = entryAt(path, step);
    if (path.ending && entry === path.step.length - 1 && entry > 0) return [];
    return [{ x: path.x[entry], y: path.y[entry], f: path.f[entry], color: path.color }];
  });
}
