/** The Run view: a job, from its form to its picture. */

import { FunctionPicker } from "../controls/function_picker.js";
import { showProblem } from "../controls/field.js";
import { jobActions } from "../controls/job_actions.js";
import { JobForm } from "../controls/job_form.js";
import { Progress } from "../controls/progress.js";
import { Results, ROWS } from "../controls/results.js";
import { pointsOf } from "../controls/starts.js";
import { h, replace } from "../dom.js";
import { Memory } from "../memory.js";
import { count } from "../numbers.js";
import * as permalink from "../permalink.js";
import { pathColor } from "../plots/palette.js";
import { MOST_PATHS } from "../plots/paths.js";
import { withDim } from "../plots/slice.js";
import { Runs } from "../runs.js";
import { Store, changed } from "../store.js";
import { hasEnded, watch } from "../watch.js";
import { addressed, draftOf, FIRST_STATE, inDimension, stateFrom, withoutEmpty } from "./run_state.js";
import { Stage } from "./stage.js";

export class RunView {
  title = "Run";
  #api;
  #catalogue;
  #store = new Store(FIRST_STATE);
  #form;
  #stage;
  #results = new Results((page) => this.#store.set({ page }));
  #actions = h("div", { class: "run-actions" });
  #progress = new Progress(() => this.#cancel());
  #alert = h("div", { class: "error", role: "alert", hidden: true });
  #notice = h("p", { class: "notice", role: "status", hidden: true });
  #run = h("button", { class: "primary", type: "submit" }, "Run");
  #watching = null;
  #memory = new Memory();
  #visible = false;

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
    this.#stage = new Stage({
      api,
      catalogue,
      store: this.#store,
      referenceOf: (state) => state.spec.function,
      on: {
        place: (x, y) => this.#draft({ init: [...this.#starts(), this.#stage.pointAt(x, y)] }),
        move: (index, x, y) => this.#draft({ init: this.#starts().with(index, this.#stage.pointAt(x, y, this.#starts()[index])) }),
        remove: (index) => this.#draft({ init: this.#starts().toSpliced(index, 1) }),
      },
    });
    this.#stage.element.prepend(this.#notice);
    this.#stage.element.append(this.#results.element, this.#actions);
    this.element = h(
      "div",
      { class: "run-view" },
      h("h1", { class: "visually-hidden" }, "Run an optimizer"),
      this.#form.element,
      this.#stage.element,
    );
    this.#store.subscribe((state, before) => this.#follow(state, before));
  }

  /** Shows what an address asks for. */
  async show(values) {
    this.#visible = true;
    const wanted = stateFrom(values);
    this.#stopWatching();
    this.#store.set({ ...wanted, jobSpec: null });
    await this.#stage.about(wanted.spec.function);
    if (typeof values.job === "string") await this.#open(values.job, isGiven(values.spec));
  }

  /** Stops what goes on only for who looks. */
  hide() {
    this.#visible = false;
    this.#stage.stop();
    this.#stopWatching();
  }

  /** Draws anew: the theme is another one, or the view was hidden. */
  restyle() {
    this.#stage.restyle();
    this.#render(this.#state);
  }

  /** Goes on after the service was away. */
  reconnect() {
    this.#stage.reconnect();
  }

  get #state() {
    return this.#store.state;
  }

  /** What happens because the state is another one: the ground is fetched, the address is written, all is shown. */
  #follow(state, before) {
    if (!this.#visible) return;
    this.#stage.follow(state, before);
    if (state.job && hasEnded(state.job) && changed(state, before, "job", "page")) this.#fetchRuns(state);
    permalink.write("run", addressed(state), { push: state.job?.id !== before.job?.id && state.job !== null });
    this.#render(state);
  }

  #draft(patch) {
    this.#store.set({ spec: { ...this.#state.spec, ...patch }, problem: null });
  }

  async #choose(reference) {
    const info = await this.#stage.about(reference);
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

  /** Fetches the runs of the page of the table that is looked at. */
  async #fetchRuns({ job, page }) {
    const runs = this.#memory.once("runs", [job], () => new Runs(this.#api, job));
    try {
      const found = await runs.upTo((page + 1) * ROWS);
      if (this.#state.job === job) this.#store.set({ runs: found });
    } catch (problem) {
      if (this.#state.job === job) this.#store.set({ problem });
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

  #colorOf(index, run = this.#state.job?.runs?.[index]) {
    return pathColor(index, this.#state.job?.n_runs ?? this.#starts().length, run?.minimum?.index ?? null);
  }

  #render(state) {
    const { info, spec, job, progress, lost, took, problem, trajectories, slopes } = state;
    if (!info) return;
    const starts = this.#starts();
    this.#form.update(info, spec);
    this.#progress.update(progress, lost, took);
    this.#results.update(job && hasEnded(job) ? job : null, state, (run) => this.#colorOf(run.run, run));
    this.#memory.once("actions", [job], () => replace(this.#actions, job && hasEnded(job) ? this.#actionsFor(job) : []));
    this.#say(problem, job);
    this.#stage.draw(state, {
      runs: trajectories.map((trajectory) => ({ trajectory, name: `run ${trajectory.run + 1}`, color: this.#colorOf(trajectory.run), outcome: job?.runs?.[trajectory.run]?.outcome })),
      slopes,
      starts: starts.map((point, index) => ({ point, color: pathColor(index, starts.length) })),
      canPlace: Array.isArray(spec.init),
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
  const { job, progress, lost, took, problem, trajectories, slopes, step, page, runs } = FIRST_STATE;
  return { job, progress, lost, took, problem, trajectories, slopes, step, page, runs, jobSpec: null };
}

function isGiven(value) {
  return value !== undefined && value !== null;
}

function asked(pointer, detail) {
  return { message: detail, errors: [{ pointer, detail }] };
}

function noteOn(job) {
  if (job?.status === "failed") return `The job failed: ${job.error}`;
  if (job && job.n_runs > MOST_PATHS) return `The first ${MOST_PATHS} of ${count(job.n_runs)} runs are drawn; the table has all of them.`;
  return null;
}
