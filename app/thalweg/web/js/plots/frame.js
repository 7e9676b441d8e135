import { FACTS } from "../facts.js";

const MOST_UNEQUAL = FACTS.picture.most_unequal; // widths of axes that are drawn on one scale

/**
 * Returns the largest centered part of a box in which both axes have one scale, so that a square is a square. Axes
 * of very different widths fill the box.
 * @param {{left: number, top: number, width: number, height: number}} box
 * @param {number[]} x
 * @param {number[]} y
 */
export function fitted(box, x, y) {
  const ratio = (x[1] - x[0]) / (y[1] - y[0]);
  if (!(ratio >= 1 / MOST_UNEQUAL && ratio <= MOST_UNEQUAL)) return box;
  const width = Math.min(box.width, box.height * ratio);
  const height = width / ratio;
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}

/** The inside of a plot's axes: between values and pixels of its element. */
export class Frame {
  /**
   * @param {{left: number, top: number, width: number, height: number}} box in pixels
   * @param {[number, number]} x what it shows from left to right
   * @param {[number, number]} y what it shows from bottom to top
   */
  constructor(box, x, y) {
    this.box = box;
    this.x = x;
    this.y = y;
  }

  /** Returns the pixel of values. @param {number} x @param {number} y @returns {[number, number]} */
  toPixel(x, y) {
    const { left, top, width, height } = this.box;
    return [
      left + (width * (x - this.x[0])) / (this.x[1] - this.x[0]),
      top + height - (height * (y - this.y[0])) / (this.y[1] - this.y[0]),
    ];
  }

  /**
   * Returns where a pixel is, from 0 to 1 rightwards and upwards, or null outside.
   * @param {number} across
   * @param {number} down
   * @returns {[number, number]|null}
   */
  shareAt(across, down) {
    const { left, top, width, height } = this.box;
    const [right, up] = [(across - left) / width, 1 - (down - top) / height];
    return right < 0 || up < 0 || right > 1 || up > 1 ? null : [right, up];
  }

  /** Returns the values at a pixel, or null outside. @param {number} across @param {number} down */
  at(across, down) {
    const share = this.shareAt(across, down);
    if (!share) return null;
    const [right, up] = share;
    return {
      x: this.x[0] + right * (this.x[1] - this.x[0]),
      y: this.y[0] + up * (this.y[1] - this.y[0]),
      pixel: [across, down],
    };
  }
}
