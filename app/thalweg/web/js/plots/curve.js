/** One quantity of every path, by step. */

import { h, penOf, replace, svg } from "../dom.js";
import { given } from "../given.js";
import { count } from "../numbers.js";
import { axesAbout, PIXELS_PER_TICK } from "./axes.js";
import { Frame } from "./frame.js";
import { entryAt, lastStep } from "./path.js";
import { cutNote, Scale } from "./scale.js";
import { textOf, ticks } from "./ticks.js";

const MARGIN = { left: 62, right: 24, top: 26, bottom: 42 };
const PIXELS_PER_VALUE = 24;
const MANY = 1e6; // steps: from here on they are written as powers of ten
const LINE_WIDTH = 1.6;

export class CurvePlot {
  #of;
  #onHover;
  #canvas = h("canvas", { class: "ground", "aria-hidden": "true" });
  #title = svg("text", { class: "heading", x: MARGIN.left, y: 13 });
  #axes = svg("g", { class: "plot-axes" });
  #rule = svg("line", { class: "rule" });
  #note = h("p", { class: "curve-note", hidden: true });
  /** @type {any} */
  #scene = null;
  /** @type {Scale|null} */
  #scale = null;
  /** @type {Array<Array<number|null>>} */
  #values = [];
  /** @type {Frame|null} */
  #frame = null;
  /** @type {number|null} */
  #step = null;

  /**
   * @param {string} label of the figure, for screen readers
   * @param {(path: import("./path.js").Path, index: number) => Array<number|null>|null} of the quantity
   * @param {(at: {path: number, entry: number}|null) => void} onHover
   */
  constructor(label, of, onHover) {
    this.#of = of;
    this.#onHover = onHover;
    const overlay = svg(
      "svg",
      { class: "overlay passive", "aria-hidden": "true" },
      this.#title,
      this.#axes,
      this.#rule,
    );
    this.element = h("figure", { class: "curve", "aria-label": label }, overlay, this.#canvas, this.#note);
    this.element.addEventListener("pointermove", (event) => this.#hover(event));
    this.element.addEventListener("pointerleave", () => onHover(null));
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  /**
   * @param {Object} scene
   * @param {Array<import("./path.js").Path>} scene.paths
   * @param {boolean} scene.log whether the axis is logarithmic where no value is negative
   * @param {number} scene.base subtracted from the values
   * @param {string} scene.title
   * @param {string} [scene.zero] the text at 0 on a logarithmic axis
   * @param {string} [scene.note] the text while there are no values
   */
  draw(scene) {
    this.#scene = scene;
    const { paths, log, base, zero } = scene;
    const columns = paths.map((path, index) => this.#of(path, index) ?? []);
    const scale = new Scale(columns, {
      log,
      base,
      zero,
      diverging: paths.map((path) => path.ending === "diverged"),
    });
    this.#scale = scale;
    this.#values = columns.map((values) => values.map((value) => scale.of(value)));
    this.#draw();
  }

  /** Marks a step. @param {number|null} step */
  mark(step) {
    this.#step = step;
    this.#rule.style.display = step === null || !this.#frame ? "none" : "";
    if (step === null || !this.#frame) return;
    const { top, height } = this.#frame.box;
    const [x] = this.#frame.toPixel(step, 0);
    const ends = { x1: x, x2: x, y1: top, y2: top + height };
    for (const [name, value] of Object.entries(ends)) this.#rule.setAttribute(name, String(value));
  }

  /** Draws all, at the size that the element has now. */
  #draw() {
    const { clientWidth, clientHeight } = this.element;
    const scale = this.#scale;
    if (!this.#scene || !scale || !clientWidth) return;
    const { paths, title, note } = this.#scene;
    const { left, right, top, bottom } = MARGIN;
    const box = { left, top, width: clientWidth - left - right, height: clientHeight - top - bottom };
    if (box.width <= 0 || box.height <= 0) return; // its style is not here yet
    this.#frame = new Frame(box, [0, lastStep(paths) || 1], scale.range);
    const steps = ticks(...this.#frame.x, box.width / PIXELS_PER_TICK);
    const along = scale.ticks(box.height / PIXELS_PER_VALUE);
    this.#title.textContent = title + cutNote(scale);
    this.#note.hidden = !scale.isEmpty || !note;
    this.#note.textContent = note ?? "";
    replace(
      this.#axes,
      axesAbout(
        this.#frame,
        { at: steps.at, text: steps.at.map((step) => (step < MANY ? count(step) : textOf(step))), title: "step" },
        { ...along, title: "" },
        { hasGrid: true },
      ),
    );
    this.#drawLines(clientWidth, clientHeight);
    this.mark(this.#step);
  }

  /** @param {number} width @param {number} height */
  #drawLines(width, height) {
    const ratio = devicePixelRatio;
    Object.assign(this.#canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(this.#canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = penOf(this.#canvas);
    const frame = given(this.#frame);
    pen.scale(ratio, ratio);
    const { left, top, width: across, height: down } = frame.box;
    pen.rect(left - LINE_WIDTH, top - LINE_WIDTH, across + 2 * LINE_WIDTH, down + 2 * LINE_WIDTH);
    pen.clip();
    pen.lineWidth = LINE_WIDTH;
    pen.lineJoin = "round";
    this.#scene.paths.forEach((/** @type {import("./path.js").Path} */ path, /** @type {number} */ index) => {
      pen.strokeStyle = path.color;
      pen.beginPath();
      let isDown = false;
      this.#values[index].forEach((value, entry) => {
        if (value === null) {
          isDown = false;
          return;
        }
        const [x, y] = frame.toPixel(path.step[entry], value);
        pen[isDown ? "lineTo" : "moveTo"](x, y);
        isDown = true;
      });
      pen.stroke();
    });
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    const { left, top } = this.element.getBoundingClientRect();
    const at = this.#frame?.at(event.clientX - left, event.clientY - top);
    if (!at) {
      this.#onHover(null);
      return;
    }
    const candidates = this.#scene.paths.flatMap(
      (/** @type {import("./path.js").Path} */ path, /** @type {number} */ index) => {
        const values = this.#values[index];
        const entry = entryAt(path, at.x);
        const value = values[entry] ?? null;
        if (value === null) return [];
        return [{ path: index, entry, distance: Math.abs(given(this.#frame).toPixel(0, value)[1] - at.pixel[1]) }];
      },
    );
    candidates.sort(
      (/** @type {{distance: number}} */ a, /** @type {{distance: number}} */ b) => a.distance - b.distance,
    );
    this.#onHover(candidates[0] ?? null);
  }
}
