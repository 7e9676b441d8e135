/** The surface in space, with the paths on it. It turns; where it is turned to is its camera. */

import { h, replace } from "../dom.js";
import { given } from "../given.js";
import { Memory } from "../memory.js";
import { Box } from "./box.js";
import { anglesOf, FIRST_CAMERA, farther, lensOf, seenAt, turned } from "./camera.js";
import { Labels } from "./labels.js";
import { Painter } from "./painter.js";
import { DEEPEST } from "./palette.js";
import { dotsShape, linesShape, surfaceShape } from "./shapes.js";
import { simplified } from "./simplify.js";
import { Space } from "./space.js";
import { SHAPES } from "./symbols.js";
import { Hint, listenForPinch, listenForWheel } from "./zoom_gestures.js";

const HALF_TURN = 180; // degrees, for a pointer that goes as far as the picture is high
const KEY_TURN = 5;
const KEY_ZOOM = 1.1;
const SETTLE_MS = 200;
const NEAR_PIXELS = 10;
const MOST_PIXELS = 2; // for one of the page's: more is not seen
const TOLERANCE = 0.0006; // a fifth of a pixel
const PATH_WIDTH = 3;
const HIDDEN_OPACITY = 0.65; // of what a hill hides
const MOST_NUMBERS = 30;
/** @type {Record<string, [number, number]>} */
const TURNS = {
  ArrowLeft: [0, KEY_TURN],
  ArrowRight: [0, -KEY_TURN],
  ArrowUp: [-KEY_TURN, 0],
  ArrowDown: [KEY_TURN, 0],
};
/** @type {Record<string, number>} */
const ZOOMS = { "+": 1 / KEY_ZOOM, "-": KEY_ZOOM };

export class SurfacePlot {
  #onCamera;
  #onHover;
  #canvas = h("canvas", { tabindex: 0, role: "img", "aria-label": "Surface, not drawn yet" });
  #box = new Box();
  #numbers = new Labels();
  #gestures = new Hint();
  /** @type {Painter|null} */
  #painter = null;
  #memory = new Memory();
  /** @type {any} */
  #scene = null;
  /** @type {Space|null} */
  #space = null;
  /** @type {any} */
  #ground = null;
  #camera = FIRST_CAMERA;
  /** @type {any[]} */
  #marks = [];
  /** @type {{x: number, y: number, camera: import("./camera.js").Camera}|null} */
  #grip = null;
  #frame = 0;
  #settling = 0;

  /**
   * @param {{onCamera: (camera: import("./camera.js").Camera) => void, onHover: (at: {path: number, entry: number}|null) => void}} on
   */
  constructor({ onCamera, onHover }) {
    this.#onCamera = onCamera;
    this.#onHover = onHover;
    this.element = h(
      "figure",
      { class: "surface", "aria-label": "Surface of the function in space; drag to turn it" },
      this.#canvas,
      this.#box.element,
      this.#numbers.element,
      this.#gestures.element,
    );
    this.#listen();
    new ResizeObserver(() => this.#request()).observe(this.element);
  }

  /**
   * Draws what has changed.
   * @param {Object} scene
   * @param {{x: number[], y: number[], z: number[][]}} scene.grid
   * @param {import("./heights.js").Heights} scene.heights
   * @param {Array<import("./path.js").Path>} scene.paths
   * @param {Array<{x: number, y: number, f: number, number: number}>} scene.minima
   * @param {string[]} scene.names of the coordinates
   * @param {import("./camera.js").Camera} scene.camera
   * @param {boolean} scene.isWhole whether the surface is the whole function, and not a slice
   */
  draw(scene) {
    if (!this.#isReady()) return;
    const { grid, heights, paths, minima, names, camera, isWhole } = scene;
    if (camera !== this.#scene?.camera) this.#camera = camera;
    this.#scene = scene;
    const painter = given(this.#painter);
    const space = this.#memory.once("space", [grid, heights, isWhole], () => new Space(grid, heights, isWhole));
    this.#space = space;
    this.#ground = this.#memory.once("surface", [space], () => {
      const shape = surfaceShape(space.mesh());
      painter.set("surface", "surface", shape);
      return shape.ranges;
    });
    const line = getComputedStyle(document.documentElement).getPropertyValue("--line").trim();
    this.#memory.once("box", [space, line, ...names], () => {
      this.#box.set(space, heights.ticks(), names);
      painter.set("box", "lines", linesShape(this.#box.lines(line)));
    });
    const parts = this.#memory.once("parts", [space, paths], () => paths.map((path) => space.partsOf(path)));
    this.#memory.once("paths", [parts], () => painter.set("paths", "lines", linesShape(linesOf(parts, paths))));
    this.#memory.once("dots", [parts, minima], () => {
      const known = this.#dots(minima, { color: "#ffffff", edge: DEEPEST, size: 15, form: SHAPES.minimum });
      const starts = paths.map(({ x, y, f, color }) => ({
        x: x[0] ?? null,
        y: y[0] ?? null,
        f: f[0] ?? null,
        color,
      }));
      const ends = paths.flatMap((path, index) => this.#endOf(path, parts[index].at(-1)?.at(-1)));
      painter.set(
        "dots",
        "dots",
        dotsShape([...known, ...this.#dots(starts, { edge: "#ffffff", size: 8 }), ...ends]),
      );
      this.#numbers.set(
        minima.slice(0, MOST_NUMBERS).map(({ x, y, f, number }) => ({ text: number, place: space.place(x, y, f) })),
      );
    });
    this.#setMarks();
    this.#describe();
    this.#request();
  }

  /** Marks where the paths are: at most one place for each. @param {any[]} places */
  mark(places) {
    const isSame = JSON.stringify(places) === JSON.stringify(this.#marks);
    this.#marks = places;
    if (isSame || !this.#painter) return;
    this.#setMarks();
    this.#request();
  }

  /** Whether there is anything to draw on; says so where there is not. */
  #isReady() {
    try {
      this.#painter ??= new Painter(this.#canvas);
    } catch (/** @type {any} */ error) {
      replace(this.element, h("p", { class: "notice", role: "status" }, error.message));
    }
    return this.#painter !== null;
  }

  #setMarks() {
    given(this.#painter).set("marks", "dots", dotsShape(this.#dots(this.#marks, { edge: "#ffffff", size: 12 })));
  }

  /** Returns the symbol where a path ended, or where one that diverged was last seen. */
  #endOf(/** @type {import("./path.js").Path} */ { ending, color, x, y, f }, /** @type {any} */ last) {
    if (!ending || !last) return [];
    const place =
      ending === "diverged" ? last : given(this.#space).place(x.at(-1) ?? null, y.at(-1) ?? null, f.at(-1) ?? null);
    return place
      ? [{ place, color, edge: "#ffffff", size: ending === "diverged" ? 15 : 10, form: SHAPES[ending] }]
      : [];
  }

  /**
   * @param {any[]} values
   * @param {Record<string, any>} form
   * @returns {any[]}
   */
  #dots(values, form) {
    return values
      .map((value) => ({ color: value.color, ...form, place: given(this.#space).place(value.x, value.y, value.f) }))
      .filter(({ place }) => place);
  }

  /**
   * Returns where the entries of the paths are drawn.
   * @param {import("./path.js").Path[]} paths
   * @returns {Array<Array<number[]|null>>}
   */
  #placesOf(paths) {
    return this.#memory.once("places", [this.#space, paths], () =>
      paths.map((path) => path.f.map((f, entry) => given(this.#space).place(path.x[entry], path.y[entry], f))),
    );
  }

  /** Draws in the next frame: of cameras that come faster, the last. */
  #request() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#render();
    });
  }

  #render() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!this.#painter || !width || !height) return;
    const ratio = Math.min(devicePixelRatio, MOST_PIXELS);
    const [across, down] = [width, height].map((size) => Math.round(size * ratio));
    if (this.#canvas.width !== across || this.#canvas.height !== down)
      Object.assign(this.#canvas, { width: across, height: down });
    const lens = lensOf(this.#camera, width / height);
    this.#painter.draw(lens, this.#camera.eye, [
      ...this.#box.farRanges(this.#camera).map((range) => ({ name: "box", width: 1, range, isBehind: true })),
      { name: "surface", range: this.#grip ? this.#ground.coarse : this.#ground.fine },
      { name: "paths", width: PATH_WIDTH },
      { name: "dots", isBehind: true, opacity: HIDDEN_OPACITY },
      { name: "dots" },
      { name: "marks" },
    ]);
    this.#box.show(lens, this.#camera, { width, height });
    this.#numbers.show(lens, { width, height });
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#grasp(event));
    canvas.addEventListener("pointermove", (event) => (this.#grip ? this.#turn(event) : this.#hover(event)));
    canvas.addEventListener("lostpointercapture", () => this.#release());
    canvas.addEventListener("pointerleave", () => this.#onHover(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("pointercancel", () => this.#swiped());
    listenForWheel(canvas, this.#gestures, (factor) => this.#look(farther(this.#camera, factor)));
    listenForPinch(canvas, (factor, now, before) => this.#pinch(factor, now, before));
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // it is given back then
      this.#painter = null;
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.#memory = new Memory();
      this.draw(this.#scene);
    });
  }

  /** @param {PointerEvent} event */
  #grasp(event) {
    if (event.button !== 0 || !this.#scene || !event.isPrimary) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#grip = { x: event.clientX, y: event.clientY, camera: this.#camera };
    this.#onHover(null);
  }

  /** @param {PointerEvent} event */
  #turn(event) {
    const { x, y, camera } = given(this.#grip);
    this.#camera = this.#turnedBy(camera, event.clientX - x, event.clientY - y);
    this.#request();
  }

  /**
   * Returns a camera after a pointer has moved so many pixels.
   * @param {import("./camera.js").Camera} camera
   * @param {number} across
   * @param {number} down
   */
  #turnedBy(camera, across, down) {
    const degrees = HALF_TURN / this.#canvas.clientHeight;
    return turned(camera, degrees * down, -degrees * across);
  }

  /**
   * Two fingers turn it every way, and zoom; a finger that moves up or down scrolls the page.
   * @param {number} factor
   * @param {import("./zoom_gestures.js").Middle} now
   * @param {import("./zoom_gestures.js").Middle} before
   */
  #pinch(factor, now, before) {
    if (!this.#scene) return;
    this.#grip = null;
    this.#look(
      farther(this.#turnedBy(this.#camera, now.clientX - before.clientX, now.clientY - before.clientY), factor),
    );
  }

  /** The browser has taken a finger for one that scrolls the page. */
  #swiped() {
    if (!this.#grip) return;
    this.#camera = this.#grip.camera;
    this.#gestures.show("Drag sideways, or with two fingers, to turn it");
  }

  #release() {
    const isTurned = this.#grip && this.#grip.camera !== this.#camera;
    this.#grip = null;
    this.#request();
    if (isTurned) this.#settle();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const [turn, zoom] = [TURNS[event.key], ZOOMS[event.key]];
    if ((!turn && !zoom) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#look(turn ? turned(this.#camera, ...turn) : farther(this.#camera, zoom));
  }

  /**
   * Looks from elsewhere, and says from where once nothing more comes for a moment.
   * @param {import("./camera.js").Camera} camera
   */
  #look(camera) {
    this.#camera = camera;
    this.#request();
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settle(), SETTLE_MS);
  }

  #settle() {
    this.#describe();
    this.#onCamera(this.#camera);
  }

  #describe() {
    const [elevation, azimuth] = [anglesOf(this.#camera).elevation, anglesOf(this.#camera).azimuth].map((angle) =>
      String(Math.round(angle)).replace("-", "−"),
    );
    this.#canvas.setAttribute(
      "aria-label",
      `Seen from elevation ${elevation}°, azimuth ${azimuth}°. Arrow keys turn it, plus and minus zoom.`,
    );
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    this.#onHover(this.#scene && this.#nearest(event));
  }

  /** Returns the entry of a path under a pointer, unless the surface hides it. @param {PointerEvent} event */
  #nearest({ offsetX, offsetY }) {
    const size = { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
    const lens = lensOf(this.#camera, size.width / size.height);
    /** @type {{path: number, entry: number}|null} */
    let best = null;
    let nearest = NEAR_PIXELS;
    this.#placesOf(this.#scene.paths).forEach((places, path) => {
      places.forEach((place, entry) => {
        const at = place && seenAt(lens, place, size);
        const distance = at ? Math.hypot(at[0] - offsetX, at[1] - offsetY) : Infinity;
        if (place && distance < nearest && !given(this.#space).isHidden(place, this.#camera.eye))
          [best, nearest] = [{ path, entry }, distance];
      });
    });
    return best;
  }
}

/**
 * Returns the parts of paths as lines to be drawn.
 * @param {number[][][][]} parts
 * @param {import("./path.js").Path[]} paths
 */
function linesOf(parts, paths) {
  return parts.flatMap((each, index) =>
    each.map((points) => ({ points: simplified(points, TOLERANCE), color: paths[index].color })),
  );
}
