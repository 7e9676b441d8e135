/**
 * The stage of a view: a function, the part of it that is looked at and how, and the paths on it.
 * What it shows is in the view's state, under the names of `FIRST_STAGE`; problems go to `problem`.
 */

import { Disconnected } from "../api.js";
import { coordinateNames } from "../catalogue.js";
import { DeadEnd, LESSON, noFunction } from "../controls/dead_end.js";
import { h } from "../dom.js";
import { FACTS } from "../facts.js";
import { Memory } from "../memory.js";
import { short } from "../numbers.js";
import { FIRST_CAMERA } from "../plots/camera.js";
import { fetchGround, fitsLogScale, minimaIn } from "../plots/ground.js";
import { pathOf } from "../plots/paths.js";
import { Picture } from "../plots/picture.js";
import { around, axesOf, domainWindow, middle, pointAt, scaled } from "../plots/slice.js";
import { ViewBar } from "../plots/view_bar.js";
import { inWords } from "../words.js";

const LOADING = { text: "Loading …" };
const HELD = FACTS.picture.most_held; // coordinates that are listed by name

export class Stage {
  #api;
  #catalogue;
  #store;
  #referenceOf;
  #chooseFunction;
  #viewBar;
  #picture;
  #memory = new Memory();
  /** @type {AbortController|null} */
  #grounding = null;
  /** @type {unknown[]} */
  #groundOf = [];
  #deadEnd = new DeadEnd();
  #sliceNote = h("p", { class: "hint", hidden: true });
  /** @type {import("../plots/path.js").Path[]} */
  #paths = [];
  /** @type {Array<Array<number|null>>|null} */
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
   * @param {() => void} options.chooseFunction lets another function be chosen
   */
  constructor({ api, catalogue, store, referenceOf, on, chooseFunction }) {
    this.#api = api;
    this.#catalogue = catalogue;
    this.#store = store;
    this.#referenceOf = referenceOf;
    this.#chooseFunction = chooseFunction;
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
      window: (/** @type {number[]|null} */ window) => store.set({ window }),
      camera: (/** @type {import("../plots/camera.js").Camera} */ camera) => store.set({ camera }),
      step: (/** @type {number} */ step) => store.set({ step }),
    });
    this.element = h(
      "section",
      { class: "stage", "aria-label": "Picture" },
      this.#deadEnd.element,
      this.#viewBar.element,
      this.#sliceNote,
      this.#picture.element,
    );
  }

  /**
   * Returns the facts about a function; null, after saying the problem, if it cannot be had.
   * @param {import("../service").Reference} reference
   * @returns {Promise<import("../service").FunctionInfo|null>}
   */
  async about(reference) {
    try {
      return await this.#catalogue.about(reference);
    } catch (problem) {
      const deadEnd = this.#store.state.info ? null : this.#deadEndOf(reference, problem);
      const isSaid = deadEnd !== null && reference.expression === undefined;
      this.#store.set({ problem: isSaid ? null : reference.name ? inFunction(problem) : problem, deadEnd });
      return null;
    }
  }

  /** Fetches the ground, if it differs from the one fetched last. @param {any} state */
  follow(state) {
    const { info, axes, window } = state;
    if (!info || [info, axes, window].every((part, index) => part === this.#groundOf[index])) return;
    this.#groundOf = [info, axes, window];
    this.#fetchGround(state);
  }

  /** Goes on after the service was away. */
  reconnect() {
    const { state } = this.#store;
    if (state.grid) return;
    this.#groundOf = [];
    this.follow(state);
  }

  /** Lets the next drawing be of everything: it looks different, or was hidden. */
  restyle() {
    this.#look += 1;
  }

  /** Stops what moves by itself. */
  stop() {
    this.#picture.stop();
  }

  /**
   * Returns the point that a place on the map stands for; its other coordinates are those of the old point.
   * @param {number} x
   * @param {number|null} y
   * @param {number[]|null} [old]
   */
  pointAt(x, y, old = null) {
    const { info, axes } = this.#store.state;
    return pointAt(x, y, info, axes, old);
  }

  /**
   * Shows what there is instead of a picture: that something is not there, or is on its way.
   * @param {any} state
   * @returns {boolean} whether there is a picture
   */
  isOpen({ info, deadEnd }) {
    const instead = deadEnd ?? (info ? null : LOADING);
    this.#deadEnd.update(instead);
    this.element.classList.toggle("closed", instead !== null);
    return instead === null;
  }

  /**
   * Draws a state.
   * @param {any} state of the view, of which `info` is known
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
    this.#noteSlice(info, shown, names);
    if (!grid || Boolean(grid.y) !== info.dim > 1) return;
    this.#picture.draw({
      grid,
      paths,
      slopes: this.#slopes,
      minima: this.#memory.once("minima", [info, axes], () => minimaIn(info, shown)),
      starts: starts
        .map((start) => placed(start, shown))
        .filter((start) => Number.isFinite(start.x) && Number.isFinite(start.y)),
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

  /**
   * Returns what there is instead of a picture of a function that cannot be had.
   * @param {import("../service").Reference} reference
   * @param {any} problem
   */
  #deadEndOf(reference, problem) {
    if (problem instanceof Disconnected) return { text: problem.message };
    if (reference.expression !== undefined)
      return { text: "There is nothing to draw until the formula is mended." };
    if (problem.status === 404) return noFunction(reference.name ?? "", this.#chooseFunction);
    return {
      title: "This function cannot be drawn",
      text: inWords(problem.message),
      ways: [{ text: "Choose a function", go: this.#chooseFunction }, LESSON],
    };
  }

  /**
   * Says where the coordinates are held that are not looked at.
   * @param {import("../service").FunctionInfo} info
   * @param {number[]} shown
   * @param {string[]} names
   */
  #noteSlice(info, shown, names) {
    this.#sliceNote.hidden = info.dim <= 2;
    if (info.dim > 2) this.#sliceNote.textContent = sliceNote(middle(info), shown, names, info.minima.length > 0);
  }

  get #window() {
    const { window, info, axes } = this.#store.state;
    return window ?? domainWindow(info, axesOf(info, axes));
  }

  /** @param {any} state */
  async #fetchGround(state) {
    const { info, axes, window } = state;
    this.#grounding?.abort();
    this.#grounding = new AbortController();
    const { signal } = this.#grounding;
    try {
      const grid = await fetchGround(
        this.#api,
        this.#referenceOf(state),
        info,
        { axes: axesOf(info, axes), window },
        signal,
      );
      if (!signal.aborted) this.#store.set({ grid });
    } catch (problem) {
      if (!signal.aborted) this.#store.set({ problem });
    }
  }

  /**
   * @param {any[]} runs
   * @param {import("../service").FunctionInfo} info
   * @param {number[]} axes
   */
  #pathsOf(runs, info, axes) {
    const trajectories = runs.map((run) => run.trajectory);
    return this.#memory.once("paths", [info, axes, ...trajectories, ...runs.map((run) => run.outcome)], () =>
      runs.map(({ trajectory, name, color, outcome }) =>
        pathOf(trajectory, axesOf(info, axes), { name, color, outcome }),
      ),
    );
  }
}

/** @param {{point: number[], color: string}} start @param {number[]} axes */
function placed({ point, color }, [across, along]) {
  return { x: point[across], y: along === undefined ? 0 : point[along], f: null, point, color };
}

/**
 * Returns where a slice lies. Paths outside it are projected onto it.
 * @param {number[]} through
 * @param {number[]} shown
 * @param {string[]} names
 * @param {boolean} isMinimum
 */
function sliceNote(through, shown, names, isMinimum) {
  const held = through.map((value, axis) => ({ value, axis })).filter(({ axis }) => !shown.includes(axis));
  const values = held.slice(0, HELD).map(({ value, axis }) => `${names[axis]} = ${short(value)}`);
  const more = held.length > HELD ? `, and ${held.length - HELD} more` : "";
  const where = isMinimum ? "through a known minimum" : "through the middle of the domain";
  return `A slice ${where}, with ${values.join(", ")}${more} held. Paths and starts are projected onto it.`;
}

/** @param {any} problem */
function inFunction(problem) {
  return {
    message: problem.message,
    errors: problem.errors?.map((/** @type {import("../service").Complaint} */ each) => ({
      ...each,
      pointer: "#/function",
    })),
  };
}
