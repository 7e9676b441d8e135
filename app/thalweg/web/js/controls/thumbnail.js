/** Small pictures of functions, drawn when they come into sight. */

import { h, penOf } from "../dom.js";
import { imageOf } from "../plots/ground_image.js";
import { Heights } from "../plots/heights.js";
import { DEEPEST, GRAPH } from "../plots/palette.js";
import { sliceRequest } from "../plots/slice.js";

const POINTS = 40;
const AT_ONCE = 4;

export class Thumbnails {
  #api;
  #drawn = new Map();
  /** @type {HTMLCanvasElement[]} */
  #waiting = [];
  #running = 0;
  #wanted = new WeakMap();
  #observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries)
        if (entry.isIntersecting) this.#want(/** @type {HTMLCanvasElement} */ (entry.target));
    },
    { rootMargin: "80px" },
  );

  /** @param {import("../api.js").Api} api */
  constructor(api) {
    this.#api = api;
  }

  /** Returns a picture of a function of the catalogue. @param {import("../service").FunctionInfo} info */
  of(info) {
    const canvas = h("canvas", { class: "thumbnail", width: 144, height: 108, "aria-hidden": "true" });
    this.#wanted.set(canvas, info);
    this.#observer.observe(canvas);
    return canvas;
  }

  /** @param {HTMLCanvasElement} canvas */
  #want(canvas) {
    this.#observer.unobserve(canvas);
    this.#waiting.push(canvas);
    this.#next();
  }

  async #next() {
    if (this.#running >= AT_ONCE) return;
    const canvas = this.#waiting.shift();
    if (!canvas) return;
    this.#running += 1;
    const info = this.#wanted.get(canvas);
    try {
      if (!this.#drawn.has(info.name)) this.#drawn.set(info.name, this.#values(info));
      const { z, f } = await this.#drawn.get(info.name);
      if (z) drawHeights(canvas, z, info);
      else drawGraph(canvas, f);
    } catch {
      this.#drawn.delete(info.name); // a thumbnail is no reason for an alarm
      canvas.classList.add("missing");
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }

  /** @param {import("../service").FunctionInfo} info */
  #values(info) {
    if (info.dim > 1) return this.#api.surface(sliceRequest({ name: info.name ?? "" }, info, { points: POINTS }));
    const [low, high] = info.domain[0];
    const points = Array.from({ length: 2 * POINTS }, (_, i) => [low + ((high - low) * i) / (2 * POINTS - 1)]);
    return this.#api.evaluate({ function: { name: info.name, dim: 1 }, points });
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Array<Array<number|null>>} z
 * @param {import("../service").FunctionInfo} info
 */
function drawHeights(canvas, z, info) {
  const heights = new Heights(
    z,
    info.minima.map((minimum) => minimum.f),
    true,
  );
  const [low, high] = heights.range;
  const small = imageOf(z.toReversed(), (f) => (heights.of(f) - low) / (high - low || 1));
  penOf(canvas).drawImage(small, 0, 0, canvas.width, canvas.height);
}

/** @param {HTMLCanvasElement} canvas @param {Array<number|null>} values */
function drawGraph(canvas, values) {
  const finite = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const pen = penOf(canvas);
  const { width, height } = canvas;
  pen.fillStyle = DEEPEST;
  pen.fillRect(0, 0, width, height);
  pen.strokeStyle = GRAPH;
  pen.lineWidth = 2;
  pen.beginPath();
  values.forEach((value, index) => {
    if (value === null) return;
    pen.lineTo(
      (index / (values.length - 1)) * width,
      height - 8 - ((value - low) / (high - low || 1)) * (height - 16),
    );
  });
  pen.stroke();
}
