/** The Run view: a job, from its form to its picture. */

import { coordinateNames } from "../catalogue.js";
import { FunctionPicker } from "../controls/function_picker.js";
import { showProblem } from "../controls/field.js";
import { jobActions } from "../controls/job_actions.js";
import { JobForm } from "../controls/job_form.js";
import { Progress } from "../controls/progress.js";
import { Results } from "../controls/results.js";
import { pointsOf } from "../controls/starts.js";
import { h, replace } from "../dom.js";
import { Memory } from "../memory.js";
import * as permalink from "../permalink.js";
import { fetchGround, minimaIn } from "../plots/ground.js";
import { pathColor } from "../plots/palette.js";
import { pathOf } from "../plots/paths.js";
import { Picture } from "../plots/picture.js";
import { around, axesOf, domainWindow, pointAt, scaled, withDim } from "../plots/slice.js";
import { FIRST_CAMERA } from "../plots/camera.js";
import { ViewBar } from "../plots/view_bar.js";
import { Store, changed } from "../store.js";
import { hasEnded, watch } from "../watch.js";
import { addressed, draftOf, FIRST_STATE, inDimension, stateFrom, withoutEmpty } from "./run_state.js";

export class RunView {
  title = "Run";
  #api;
  #catalogue;
  #store = new Store(FIRST_STATE);
  #form;
  #picture;
  #viewBar;
  #results = new Results();
  #actions = h("div", { class: "run-actions" });
  #progress = new Progress(() => this.#cancel());
  #alert = h("div", { class: "error", role: "alert", hidden: true });
  #notice = h("p", { class: "notice", role: "status", hidden: true });
  #run = h("button", { class: "primary", type: "submit" }, "Run");
  #watching = null;
  #grounding = null;
  #memory = new Memory();
  #visible = false;
  #look = 0;

  /** @param {{api: import("../api.js").Api, catalogue: import("../catalogue.js").Catalogue, thumbnails: Object}} page */
  constructor({ api, catalogue, thumbnails }) {
    this.#api = api;
    this.#catalogue = catalogue;
    const picker = new FunctionPicker({
      thumbnails,
      functions: catalogue.functions,
      onChoose: (name) => this.#choose({ name }),
      onDim: (dim) => this.#choose({ name: this.#state.spec.function.name, dim }),
      onFormula: (reference) => this.#choose(reference),
    });
    this.#form = new JobForm({
      picker,
      catalogue,
      onChange: (patch) => this.#draft(patch),
      onRun: () => this.#post(),
      foot: h("div", { class: "form-foot" }, this.#alert, this.#run, this.#progress.element),
    });
    this.#viewBar = new ViewBar({
      log: (log) => this.#store.set({ log }),
      axes: (axes) => this.#store.set({ axes, window: null }),
      zoom: (factor) => this.#store.set({ window: scaled(this.#window, factor) }),
      whole: () => this.#store.set({ window: null }),
      fit: () => this.#store.set({ window: around(this.#paths(this.#state), this.#state.info.dim === 1) }),
      turn: () => this.#store.set({ camera: FIRST_CAMERA }),
    });
    this.#picture = new Picture({
      place: (x, y) => this.#draft({ init: [...this.#starts(), this.#pointAt(x, y)] }),
      move: (index, x, y) => this.#draft({ init: this.#starts().with(index, this.#pointAt(x, y, this.#starts()[index])) }),
      remove: (index) => this.#draft({ init: this.#starts().toSpliced(index, 1) }),
      window: (window) => this.#store.set({ window }),
      camera: (camera) => this.#store.set({ camera }),
      step: (step) => this.#store.set({ step }),
    });
    this.element = h(
      "div",
      { class: "run-view" },
      h("h1", { class: "visually-hidden" }, "Run an optimizer"),
      this.#form.element,
      h("section", { class: "stage", "aria-label": "Picture" }, this.#notice, this.#viewBar.element, this.#picture.element, this.#results.element, this.#actions),
    );
    this.#store.subscribe((state, before) => this.#follow(state, before));
  }

  /** Shows what an address asks for. */
  async show(values) {
    this.#visible = true;
    const wanted = stateFrom(values);
    this.#stopWatching();
    this.#store.set({ ...wanted, jobSpec: null });
    await this.#about(wanted.spec.function);
    if (typeof values.job === "string") await this.#open(values.job, isGiven(values.spec));
  }

  /** Stops what goes on only for who looks. */
  hide() {
    this.#visible = false;
    this.#picture.stop();
    this.#stopWatching();
  }

  /** Draws anew: the theme is another one, or the view was hidden. */
  restyle() {
    this.#look += 1;
    this.#render(this.#state);
  }

  /** Goes on after the service was away. */
  reconnect() {
    if (!this.#state.grid) this.#about(this.#state.spec.function);
  }

  get #state() {
    return this.#store.state;
  }

  get #window() {
    const { window, info, axes } = this.#state;
    return window ?? domainWindow(info, axesOf(info, axes));
  }

  /** What happens because the state is another one: the ground is fetched, the address is written, all is shown. */
  #follow(state, before) {
    if (!this.#visible) return;
    if (state.info && changed(state, before, "info", "axes", "window")) this.#fetchGround(state);
    permalink.write("run", addressed(state), { push: state.job?.id !== before.job?.id && state.job !== null });
    this.#render(state);
  }

  #draft(patch) {
    this.#store.set({ spec: { ...this.#state.spec, ...patch }, problem: null });
  }

  async #choose(reference) {
    const info = await this.#about(reference);
    if (!info) return;
    const { spec } = this.#state;
    this.#stopWatching();
    const { dim } = info;
    const isSameKind = reference.dim || (reference.expression && spec.function.expression);
    const kept = isSameKind ? inDimension(spec.init, info) : [];
    this.#store.set({
      ...cleared(),
      spec: { ...spec, function: withDim(reference, dim), init: kept },
      axes: [0, 1],
      window: null,
    });
  }

  /** Finds out what there is to know of a function, and says what is wrong with it otherwise. */
  async #about(reference) {
    try {
      const info = await this.#catalogue.about(reference);
      this.#store.set({ info, problem: null });
      return info;
    } catch (problem) {
      this.#store.set({ problem: reference.name ? inFunction(problem) : problem });
      return null;
    }
  }

  async #fetchGround({ spec, info, axes, window }) {
    this.#grounding?.abort();
    this.#grounding = new AbortController();
    const { signal } = this.#grounding;
    try {
      const grid = await fetchGround(this.#api, spec.function, info, { axes: axesOf(info, axes), window }, signal);
      if (!signal.aborted) this.#store.set({ grid });
    } catch (problem) {
      if (!signal.aborted) this.#store.set({ problem });
    }
  }

  async #post() {
    const { spec } = this.#state;
    if (Array.isArray(spec.init) && spec.init.length === 0) {
      this.#store.set({ problem: asked("#/init", "Place at least one start: click on the map.") });
      return;
    }
    this.#stopWatching();
    const { trajectories, slopes } = this.#state; // what is seen stays until there is something new
    this.#store.set({ ...cleared(), trajectories, slopes, progress: { status: "queued", step: 0, steps: Number(spec.steps) || 1 } });
    const began = performance.now();
    try {
      const job = await this.#api.postJob(withoutEmpty(spec));
      this.#store.set({ job, jobSpec: spec });
      await this.#watch(job, began);
    } catch (problem) {
      this.#store.set({ ...cleared(), problem });
    }
  }

  async #open(id, hasDraft) {
    try {
      const job = await this.#api.job(id);
      if (job.spec.function.mlp) {
        location.replace(permalink.hashOf("network", { job: id }));
        return;
      }
      const spec = hasDraft ? this.#state.spec : draftOf(job.spec);
      const info = await this.#catalogue.about(job.spec.function);
      this.#store.set({ job, info, spec, jobSpec: hasDraft ? null : spec, progress: { ...job.progress, status: job.status } });
      await this.#watch(job, null);
    } catch (problem) {
      if (problem.name !== "AbortError") this.#store.set({ problem, progress: null });
    }
  }

  async #watch(job, began) {
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    try {
      const tell = (news) => {
        if (signal.aborted) return;
        const took = began !== null && news.job ? { took: performance.now() - began } : {};
        this.#store.set({ ...news, ...took });
      };
      await watch(this.#api, job, tell, signal);
    } catch (problem) {
      if (!signal.aborted) this.#store.set({ problem });
    }
  }

  #stopWatching() {
    this.#watching?.abort();
    this.#watching = null;
  }

  async #cancel() {
    const { job } = this.#state;
    if (!job) return;
    try {
      await this.#api.cancel(job.id);
    } catch (problem) {
      this.#store.set({ problem });
    }
  }

  #starts() {
    return pointsOf(this.#state.spec.init);
  }

  #pointAt(x, y, old = null) {
    return pointAt(x, y, this.#state.info, this.#state.axes, old);
  }

  #paths({ trajectories, info, axes }) {
    const shown = axesOf(info, axes);
    return this.#memory.once("paths", [trajectories, info, axes], () =>
      trajectories.map((trajectory) =>
        pathOf(trajectory, shown, { name: `run ${trajectory.run + 1}`, color: this.#colorOf(trajectory.run) }),
      ),
    );
  }

  #colorOf(run) {
    const { job } = this.#state;
    return pathColor(run, job?.n_runs ?? this.#starts().length, job?.runs?.[run]?.minimum?.index ?? null);
  }

  #render(state) {
    const { info, spec, grid, axes, job, progress, lost, took, problem } = state;
    if (!info) return;
    const names = coordinateNames(info);
    const shown = axesOf(info, axes);
    const paths = this.#paths(state);
    this.#form.update(info, spec);
    this.#progress.update(progress, lost, took);
    this.#viewBar.update({ log: state.log, names, axes, hasPaths: paths.length > 0 });
    this.#results.update(job && hasEnded(job) ? job : null, (run) => this.#colorOf(run));
    this.#memory.once("actions", [job], () => replace(this.#actions, job && hasEnded(job) ? this.#actionsFor(job) : []));
    this.#say(problem, job);
    if (!grid || Boolean(grid.y) !== info.dim > 1) return;
    this.#picture.draw({
      grid,
      paths,
      slopes: state.slopes,
      minima: this.#memory.once("minima", [info, axes], () => minimaIn(info, shown)),
      starts: this.#startsOn(shown),
      names: this.#memory.once("names", [info, axes], () => shown.map((axis) => names[axis])),
      log: state.log,
      step: state.step,
      camera: state.camera,
      canPlace: Array.isArray(spec.init),
      isWhole: info.dim === 2,
      look: this.#look,
    });
  }

  #actionsFor(job) {
    return jobActions(
      this.#api,
      job,
      {
        onChange: (changed) => {
          this.#store.set({ job: changed, progress: { ...changed.progress, status: changed.status }, took: null });
          this.#watch(changed, null);
        },
        onDelete: () => this.#store.set(cleared()),
        onProblem: (problem) => this.#store.set({ problem }),
      },
      { pictures: true },
    );
  }

  #startsOn([across, along]) {
    const points = this.#starts();
    return points
      .map((x, index) => ({ x: x[across], y: along === undefined ? 0 : x[along], f: null, point: x, color: pathColor(index, points.length) }))
      .filter((start) => Number.isFinite(start.x) && Number.isFinite(start.y));
  }

  #say(problem, job) {
    const rest = showProblem(this.#form.element, problem);
    this.#alert.hidden = rest.length === 0;
    replace(this.#alert, rest.map((text) => h("p", null, text)));
    const note = noteOn(job);
    this.#notice.hidden = note === null;
    this.#notice.textContent = note ?? "";
  }
}

function cleared() {
  const { job, progress, lost, took, problem, trajectories, slopes, step } = FIRST_STATE;
  return { job, progress, lost, took, problem, trajectories, slopes, step, jobSpec: null };
}

function isGiven(value) {
  return value !== undefined && value !== null;
}

function asked(pointer, detail) {
  return { message: detail, errors: [{ pointer, detail }] };
}

function inFunction(problem) {
  return { message: problem.message, errors: problem.errors?.map((each) => ({ ...each, pointer: "#/function" })) };
}

function noteOn(job) {
  if (job?.status === "failed") return `The job failed: ${job.error}`;
  if (job && job.n_runs > 64) return `The first 64 of ${job.n_runs} runs are drawn.`;
  return null;
}
