/** Numbers as text. */

/**
 * Returns a number with so many significant digits, without trailing zeros.
 * @param {number|null|undefined} value
 * @param {number} [digits]
 */
export function short(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) {
    return value
      .toExponential(digits - 1)
      .replace(/\.?0+e/, "e")
      .replace("e+", "e")
      .replace("-", "−")
      .replace("e-", "e−");
  }
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

/** Returns a count with thin spaces between thousands. @param {number|string} value */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

/**
 * Returns a point as text, shortened after six coordinates; of one coordinate, just that.
 * @param {Array<number|null>} x
 * @param {number} [digits]
 */
export function point(x, digits = 4) {
  if (x.length === 1) return short(x[0], digits);
  const shown = x.slice(0, 6).map((value) => short(value, digits));
  return `(${shown.join(", ")}${x.length > 6 ? ", …" : ""})`;
}

/** Returns a duration. @param {number} milliseconds */
export function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * Rounds a coordinate to what a pixel of a window of this width resolves.
 * @param {number} value
 * @param {number} width
 */
export function toPixelPrecision(value, width) {
  const decimals = Math.max(0, Math.ceil(2.3 - Math.log10(width)));
  return Number(value.toFixed(Math.min(decimals, 20)));
}
