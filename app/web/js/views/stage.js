/**
 * The stage of a view: a function, the part of it that is looked at and how, and the paths on it.
 * What it shows is in the view's state, under the names of `FIRST_STAGE`; problems go to `problem`.
 */

import { coordinateNames } from "../catalogue.js";
import { h } from "../dom.js";
import { Memory } from "../memory.js";
import { fetchGround, fitsLogScale, minimaIn } from "../plots/ground.js";
import { pathOf } from "../plots/paths.js";
import { Picture } from "../plots/picture.js";
import { around, axesOf, domainWindow, pointAt, scaled } from "../plots/slice.js";
import { FIRST_CAMERA } from "../plots/camera.js";
import { ViewBar } from "../plots/view_bar.js";
import { changed } from "../store.js";

export class Stage {
  #api;
  #catalogue;
  #store;
  #referenceOf;
  #viewBar;
  #picture;
  #memory = new Memory();
  #grounding = null;
  #paths = [];
  #slopes = null;
  #look = 0;

  /**
   * @param {Object} options
   * @param {import("../api.js").Api} options.api
   * @param {import("../catalogue.js").Catalogue} options.catalogue
   * @param {import("../store.js").Store} options.store the view's
   * @param {(state: Object) => Object} options.referenceOf the function that a state is about, as a job has it
   * @param {{place: (x: number, y: number|null) => void, move: (index: number, x: number, y: number|null) => void,
   *          remove: (index: number) => void}} options.on what happens to starts on the map
   */
  constructor({ api, catalogue, store, referenceOf, on }) {
    this.#api = api;
    this.#catalogue = catalogue;
    this.#store = store;
    this.#referenceOf = referenceOf;
    this.#viewBar = new ViewBar({
      log: (log) => store.set({ log }),
      axes: (axes) => store.set({ axes, window: null }),
      zoom: (factor) => store.set({ window: scaled(this.#window, factor) }),
      whole: () => store.set({ window: null }),
      fit: () => store.set({ window: around(this.#paths, store.state.info.dim === 1) }),
      turn: () => store.set({ camera: FIRST_CAMERA }),
    });
    this.#picture = new Picture({
      ...on,
      window: (window) => store.set({ window }),
      camera: (camera) => store.set({ camera }),
      step: (step) => store.set({ step }),
    });
    this.element = h("section", { class: "stage", "aria-label": "Picture" }, this.#viewBar.element, this.#picture.element);
  }

  /** Finds out what there is to know of a function, and says what is wrong with it otherwise. */
  async about(reference) {
    try {
      const info = await this.#catalogue.about(reference);
      this.#store.set({ info, problem: null });
      return info;
    } catch (problem) {
      this.#store.set({ problem: reference.name ? inFunction(problem) : problem });
      return null;
    }
  }

  /** Fetches the ground, if another one is looked at than before. */
  follow(state, before) {
    if (state.info && changed(state, before, "info", "axes", "window")) this.#fetchGround(state);
  }

  /** Goes on after the service was away. */
  reconnect() {
    const { state } = this.#store;
    if (!state.grid) this.about(this.#referenceOf(state));
  }

  /** Lets the next drawing be of everything: it looks different, or was hidden. */
  restyle() {
    this.#look += 1;
  }

  /** Stops what moves by itself. */
  stop() {
    this.#picture.stop();
  }

  /** Returns the point that a place on the map stands for: what the map does not say is that of the old one. */
  pointAt(x, y, old = null) {
    const { info, axes } = this.#store.state;
    return pointAt(x, y, info, axes, old);
  }

  /**
   * Draws a state.
   * @param {Object} state of the view, of which `info` is known
   * @param {Object} scene
   * @param {Array<{trajectory: Object, name: string, color: string, outcome?: string|null}>|null} scene.runs null while none of the new ones
   *   has anything to be seen: what was drawn stays
   * @param {Array<Array<number|null>>|null} scene.slopes norms of the gradient along them
   * @param {Array<{point: number[], color: string}>} scene.starts
   * @param {boolean} scene.canPlace
   */
  draw(state, { runs, slopes, starts, canPlace }) {
    const { info, grid, axes, log, step, camera } = state;
    const names = coordinateNames(info);
    const shown = axesOf(info, axes);
    if (runs) [this.#paths, this.#slopes] = [this.#pathsOf(runs, info, axes), slopes];
    const paths = this.#paths;
    const fitsLog = this.#memory.once("fits log", [grid], () => fitsLogScale(grid));
    const isLog = log ?? fitsLog;
    this.#viewBar.update({ log: isLog, names, axes, hasPaths: paths.length > 0 });
    if (!grid || Boolean(grid.y) !== info.dim > 1) return;
    this.#picture.draw({
      grid,
      paths,
      slopes: this.#slopes,
      minima: this.#memory.once("minima", [info, axes], () => minimaIn(info, shown)),
      starts: starts.map((start) => placed(start, shown)).filter((start) => Number.isFinite(start.x) && Number.isFinite(start.y)),
      names: this.#memory.once("names", [info, axes], () => shown.map((axis) => names[axis])),
      log: isLog,
      logCurves: this.#memory.once("curves", [log, isLog], () => ({ value: isLog, slope: log ?? true })),
      step,
      camera,
      canPlace,
      isWhole: info.dim === 2,
      look: this.#look,
    });
  }

  get #window() {
    const { window, info, axes } = this.#store.state;
    return window ?? domainWindow(info, axesOf(info, axes));
  }

  async #fetchGround(state) {
    const { info, axes, window } = state;
    this.#grounding?.abort();
    this.#grounding = new AbortController();
    const { signal } = this.#grounding;
    try {
      const grid = await fetchGround(this.#api, this.#referenceOf(state), info, { axes: axesOf(info, axes), window }, signal);
      if (!signal.aborted) this.#store.set({ grid });
    } catch (problem) {
      if (!signal.aborted) this.#store.set({ problem });
    }
  }

  #pathsOf(runs, info, axes) {
    const trajectories = runs.map((run) => run.trajectory);
    return this.#memory.once("paths", [info, axes, ...trajectories, ...runs.map((run) => run.outcome)], () =>
      runs.map(({ trajectory, name, color, outcome }) => pathOf(trajectory, axesOf(info, axes), { name, color, outcome })),
    );
  }
}

function placed({ point, color }, [across, along]) {
  return { x: point[across], y: along === undefined ? 0 : point[along], f: null, point, color };
}

function inFunction(problem) {
  return { message: problem.message, errors: problem.errors?.map((each) => ({ ...each, pointer: "#/function" })) };
}
