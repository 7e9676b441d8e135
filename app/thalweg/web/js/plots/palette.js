/** Colours: of height, and of paths. */

import { FACTS } from "../facts.js";

const { heights: HEIGHTS, paths: PATHS, nowhere: NOWHERE } = FACTS.colors;

/** The colour of the lowest height: an edge around light symbols. */
export const DEEPEST = HEIGHTS[0];

/** The colour of a graph on it. */
export const GRAPH = HEIGHTS[4];

/** The colours of heights, from low to high, each with its share of the way. */
export const HEIGHT_SCALE = HEIGHTS.map((color, index) => [index / (HEIGHTS.length - 1), color]);

/** Returns one of the colours of paths, each a long way from those before it. @param {number} index any, from 0 */
export function colorAt(index) {
  return PATHS[index % PATHS.length];
}

/**
 * Returns the colour of a path: its own while there are few; of many, that of the minimum that it led to.
 * @param {number} index
 * @param {number} n how many paths there are
 * @param {number|null} [minimum] the index of the minimum that it is at
 */
export function pathColor(index, n, minimum = null) {
  if (n <= PATHS.length) return PATHS[index];
  return minimum === null ? NOWHERE : colorAt(minimum);
}

/**
 * Returns the colour of a height between 0 and 1 as [red, green, blue].
 * @param {number} share
 * @returns {number[]}
 */
export function heightColor(share) {
  const place = Math.min(Math.max(share, 0), 1) * (HEIGHTS.length - 1);
  const index = Math.min(Math.floor(place), HEIGHTS.length - 2);
  const [low, high] = [rgb(HEIGHTS[index]), rgb(HEIGHTS[index + 1])];
  return low.map((value, channel) => value + (place - index) * (high[channel] - value));
}

/** Returns a colour that is written as #rrggbb as [red, green, blue]. @param {string} hex */
export function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
