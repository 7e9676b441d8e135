/** Colours: of height, and of paths. */

const WATER = ["#0b1d3a", "#12416b", "#1c7293", "#4fa6a0", "#a5cfae", "#e3e3bd", "#f6edd9"];

/** Height from low to high: shares, and the colours there. */
export const HEIGHT_SCALE = WATER.map((color, index) => [index / (WATER.length - 1), color]);

/** Middle tones: at least 3 to 1 on white, on the dark theme, and on either end of the heights. */
const PATHS = ["#e0533a", "#b57a00", "#a559d6", "#2f9151", "#d6408f", "#5b7cf0", "#8a7a1f", "#c2603f"];
const NOWHERE = "#7d8590";

/**
 * Returns the colour of a path: its own while there are few; of many, that of the minimum that it led to.
 * @param {number} index
 * @param {number} n how many paths there are
 * @param {number|null} [minimum] the index of the minimum that it is at
 */
export function pathColor(index, n, minimum = null) {
  if (n <= PATHS.length) return PATHS[index];
  return minimum === null ? NOWHERE : PATHS[minimum % PATHS.length];
}

/** Returns the colour of a height between 0 and 1 as [red, green, blue]. */
export function heightColor(share) {
  const place = Math.min(Math.max(share, 0), 1) * (WATER.length - 1);
  const index = Math.min(Math.floor(place), WATER.length - 2);
  const [low, high] = [rgb(WATER[index]), rgb(WATER[index + 1])];
  return low.map((value, channel) => value + (place - index) * (high[channel] - value));
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
