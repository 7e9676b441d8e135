/**
 * The picture of paths on a function: surface, map and curves, which mark the same step, and the bar that plays the
 * steps.
 */

import { PlayBar } from "../controls/play_bar.js";
import { h, replace } from "../dom.js";
import { given } from "../given.js";
import { count, point, short } from "../numbers.js";
import { CurvePlot } from "./curve.js";
import { Heights } from "./heights.js";
import { MapPlot } from "./map.js";
import { lastStep, marksAt } from "./path.js";
import { SurfacePlot } from "./surface.js";
import { Legend } from "./symbols.js";

export class Picture {
  #surface;
  #map;
  #value;
  #slope;
  #bar;
  #flatNote = h(
    "p",
    { class: "notice", hidden: true },
    "A function of one coordinate has a graph, and no surface.",
  );
  #at = h("p", { class: "at" });
  #error = h("p", { class: "error", role: "alert", hidden: true });
  #curves;
  #legend = new Legend();
  /** @type {any} */
  #wanted = null;
  /** @type {Promise<void>|null} */
  #drawing = null;
  /** @type {any} */
  #scene = null;
  /** @type {Heights|null} */
  #heights = null;
  /** @type {unknown[]} */
  #heightsOf = [];
  /** @type {{path: number, entry: number}|null} */
  #hovered = null;

  /**
   * @param {any} on what happens in it: `place`, `move`, `remove`, `window` of the map, `camera`, `step`
   */
  constructor(on) {
    const hover = (/** @type {{path: number, entry: number}|null} */ at) => this.#hover(at);
    this.#surface = new SurfacePlot({ onCamera: on.camera, onHover: hover });
    this.#map = new MapPlot({ ...on, hover });
    this.#value = new CurvePlot("Value by step", (path) => path.f, hover);
    this.#slope = new CurvePlot(
      "Norm of the gradient by step",
      (_path, index) => this.#scene.slopes?.[index] ?? null,
      hover,
    );
    this.#bar = new PlayBar(on.step);
    this.#curves = h("div", { class: "curves", hidden: true }, this.#value.element, this.#slope.element);
    this.element = h(
      "div",
      { class: "picture" },
      this.#error,
      h("div", { class: "views" }, this.#surface.element, this.#map.element),
      this.#legend.element,
      this.#flatNote,
      this.#bar.element,
      this.#at,
      this.#curves,
    );
  }

  /**
   * Draws the parts of a scene that differ from the last one.
   * @param {Object} scene
   * @param {{x: number[], y: number[]|null, z?: number[][], f?: number[]}} scene.grid
   * @param {Array<import("./path.js").Path>} scene.paths
   * @param {Array<Array<number|null>>|null} scene.slopes norms of the gradient along the paths, once they are known
   * @param {Array<{x: number, y: number, f: number, point: number[]}>} scene.minima
   * @param {Array<{x: number, y: number, point: number[], color: string}>} scene.starts
   * @param {string[]} scene.names
   * @param {boolean} scene.log whether heights are on a log scale
   * @param {{value: boolean, slope: boolean}} scene.logCurves whether the curves are, as far as their values let them
   * @param {boolean} scene.canPlace
   * @param {number|null} scene.step the step that is marked; null is the last
   * @param {Object} scene.camera
   * @param {boolean} scene.isWhole whether the ground is the whole function, and not a slice
   * @param {number} scene.look changes when everything looks different
   */
  draw(scene) {
    this.#wanted = scene;
    this.#drawing ??= this.#drawAll();
  }

  /** Draws at most one scene per frame, the latest. */
  async #drawAll() {
    while (this.#wanted) {
      await nextFrame();
      const scene = this.#wanted;
      this.#wanted = null;
      await this.#drawOne(scene).catch((error) => this.#fail(error));
    }
    this.#drawing = null;
  }

  /** @param {any} scene */
  async #drawOne(scene) {
    const before = this.#scene;
    this.#scene = scene;
    const isNew = (/** @type {string[]} */ ...names) =>
      !before || names.some((name) => scene[name] !== before[name]);
    const heights = this.#heightsFor(scene);
    const full = { ...scene, heights };
    const isFlat = !scene.grid.y;
    this.element.classList.toggle("flat", isFlat);
    this.#flatNote.hidden = !isFlat;
    this.#mark();
    this.#legend.update(kindsIn(scene));
    this.#map.draw(full);
    if (!before) await nextFrame(); // the map can be used while the surface is made
    const { paths, logCurves } = scene;
    this.#curves.hidden = paths.length === 0;
    if (paths.length > 0 && isNew("paths", "logCurves", "look", "minima")) {
      const base = logCurves.value ? valueBase(scene) : 0;
      const title = base === 0 ? "f" : `f − (${short(base, 6)})`;
      this.#value.draw({ paths, log: logCurves.value, base, title, zero: base === 0 ? "f = 0" : "0" });
    }
    if (paths.length > 0 && isNew("paths", "slopes", "logCurves", "look")) {
      const isComing = !scene.slopes || paths.some((/** @type {import("./path.js").Path} */ path) => !path.ending);
      const note = isComing ? "Computed when the run has ended" : "There is no gradient to show";
      this.#slope.draw({ paths, log: logCurves.slope, base: 0, title: "‖∇f‖", note });
    }
    if (!isFlat && isNew("grid", "paths", "minima", "log", "look", "camera", "names")) this.#surface.draw(full);
    this.#error.hidden = true;
    this.#mark();
  }

  /** Stops playing. */
  stop() {
    this.#bar.stop();
  }

  /** @param {any} scene */
  #heightsFor({ grid, minima, log }) {
    const of = [grid, minima, log];
    if (!this.#heights || of.some((part, index) => part !== this.#heightsOf[index])) {
      const known = minima.map((/** @type {{f: number}} */ minimum) => minimum.f);
      this.#heights = new Heights(grid.y ? grid.z : [grid.f], known, log);
      this.#heightsOf = of;
    }
    return this.#heights;
  }

  /** @param {{path: number, entry: number}|null} at */
  #hover(at) {
    const isSame = at?.path === this.#hovered?.path && at?.entry === this.#hovered?.entry;
    if (isSame) return;
    this.#hovered = at;
    this.#mark();
  }

  #mark() {
    if (!this.#scene) return;
    const { paths, step: chosen } = this.#scene;
    const last = lastStep(paths);
    const set = Math.min(chosen ?? last, last);
    const under = this.#hovered && paths[this.#hovered.path];
    const step = under ? (under.step[given(this.#hovered).entry] ?? set) : set;
    const marks = paths.length ? marksAt(paths, step) : [];
    this.#surface.mark(marks);
    this.#map.mark(marks);
    this.#value.mark(paths.length ? step : null);
    this.#slope.mark(paths.length ? step : null);
    this.#bar.update(set, last);
    replace(this.#at, this.#sentence(under, step));
  }

  /** @param {import("./path.js").Path|null} path @param {number} step */
  #sentence(path, step) {
    if (!path) return this.#scene.paths.length ? "Point at a path to read its steps." : "";
    const { path: which, entry } = given(this.#hovered);
    const slope = this.#scene.slopes?.[which]?.[entry];
    return (
      `${path.name} · step ${count(step)} · x = ${point(path.points[entry], 6)} · f = ${short(path.f[entry], 6)}` +
      (slope === null || slope === undefined ? "" : ` · ‖∇f‖ = ${short(slope, 4)}`)
    );
  }

  /** @param {Error} error */
  #fail(error) {
    this.#error.hidden = false;
    this.#error.textContent = error.message;
  }
}

function nextFrame() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

/** Returns the kinds of symbols in a scene. @param {any} scene */
function kindsIn({ starts, paths, minima }) {
  /** @type {Record<string, boolean>} */
  const has = { start: starts.length > 0 || paths.length > 0, minimum: minima.length > 0 };
  for (const kind of ["end", "diverged"])
    has[kind] = paths.some((/** @type {import("./path.js").Path} */ path) => path.ending === kind);
  return ["start", "end", "diverged", "minimum"].filter((kind) => has[kind]);
}

/**
 * Returns what is taken off f so that it can be drawn on a log axis: the known minimum, or the lowest value.
 * @param {any} scene
 */
function valueBase({ minima, paths }) {
  if (minima.length) return minima[0].f;
  let lowest = Infinity;
  for (const path of paths) for (const f of path.f) if (f !== null && f < lowest) lowest = f;
  return Math.min(lowest, 0);
}
