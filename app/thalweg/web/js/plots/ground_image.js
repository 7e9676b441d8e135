/** A function from above: colours of height, and contours. */

import { h, penOf } from "../dom.js";
import { FACTS } from "../facts.js";
import { given } from "../given.js";
import { contours } from "./contours.js";
import { heightColor, rgb } from "./palette.js";

const N_BANDS = FACTS.picture.n_bands; // between contours
const GAP_COLOR = rgb(FACTS.colors.gap);

export class GroundImage {
  element = h("canvas", { class: "ground", "aria-hidden": "true" });
  /** @type {{x: number[], y: number[]}|null} */
  #grid = null;
  /** @type {OffscreenCanvas|null} */
  #image = null;
  /** @type {Path2D|null} */
  #lines = null;

  /**
   * Takes over the values that it shows.
   * @param {{x: number[], y: number[], z: Array<Array<number|null>>}} grid
   * @param {import("./heights.js").Heights} heights
   */
  set(grid, heights) {
    this.#grid = grid;
    const z = heights.grid(grid.z);
    const [low, high] = heights.range;
    this.#image = imageOf(z, (height) => (height - low) / (high - low || 1));
    const step = (high - low) / N_BANDS;
    this.#lines =
      step > 0
        ? contours(
            z,
            Array.from({ length: N_BANDS - 1 }, (_, index) => low + (index + 1) * step),
          )
        : new Path2D();
  }

  /** Draws it where a frame shows it. @param {import("./frame.js").Frame} frame */
  draw(frame) {
    const { left, top, width, height } = frame.box;
    const canvas = this.element;
    const ratio = devicePixelRatio;
    Object.assign(canvas.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const pen = penOf(canvas);
    const { x, y } = given(this.#grid);
    const [x0, y0] = frame.toPixel(x[0], y[0]);
    const [x1, y1] = frame.toPixel(x[x.length - 1], y[y.length - 1]);
    const [column, row] = [(x1 - x0) / (x.length - 1), (y1 - y0) / (y.length - 1)];
    const toPixels = new DOMMatrix([column, 0, 0, row, x0 - left, y0 - top]);
    pen.scale(ratio, ratio);
    pen.save();
    pen.transform(column, 0, 0, row, x0 - left, y0 - top);
    pen.drawImage(given(this.#image), -0.5, -0.5); // a pixel is centered on its grid point
    pen.restore();
    const lines = new Path2D();
    lines.addPath(given(this.#lines), toPixels);
    pen.strokeStyle = "rgb(255 255 255 / 55%)";
    pen.lineWidth = 0.7;
    pen.stroke(lines);
  }
}

/**
 * Returns values over a grid as a picture, a pixel for each; the first row is that of the lowest y.
 * @param {Array<Array<number|null>>} z
 * @param {(value: number) => number} shareOf
 */
export function imageOf(z, shareOf) {
  const image = new OffscreenCanvas(z[0].length, z.length);
  const pen = given(image.getContext("2d"));
  const pixels = pen.createImageData(image.width, image.height);
  z.flat().forEach((height, index) => {
    pixels.data.set([...(height === null ? GAP_COLOR : heightColor(shareOf(height))), 255], 4 * index);
  });
  pen.putImageData(pixels, 0, 0);
  return image;
}
