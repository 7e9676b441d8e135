/** The Run view: a job, from its form to its picture. */

import { Disconnected } from "../api.js";
import { ALL_JOBS, LESSON, noJob } from "../controls/dead_end.js";
import { FunctionPicker } from "../controls/function_picker.js";
import { jobActions } from "../controls/job_actions.js";
import { JobForm } from "../controls/job_form.js";
import { Outdated } from "../controls/outdated.js";
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
import { hasEnded, watch } from "../watch.js";
import { madeBy, unknownMethod, wrongPoints } from "../words.js";
import {
  addressed,
  draftOf,
  FIRST_STATE,
  inDimension,
  isLesson,
  isOutdated,
  isShowable,
  LESSON_SPEC,
  NO_RESULTS,
  stateFrom,
  withoutEmpty,
} from "./run_state.js";
import { Stage } from "./stage.js";
import { StagedView } from "./staged_view.js";

export class RunView extends StagedView {
  title = "Run";
  #api;
  #catalogue;
  #picker;
  #form;
  #results = new Results((page) => this.store.set({ page }));
  #actions = h("div", { class: "run-actions" });
  #progress = new Progress(() => this.#cancel());
  #outdated = new Outdated("Run again", { again: () => this.#post(), undo: () => this.#draft(this.state.made) });
  #run = h("button", { class: "primary", type: "submit" }, "Run");
  #memory = new Memory();
  /** @type {unknown[]} */
  #runsOf = [];

  /**
   * @param {{api: import("../api.js").Api, catalogue: import("../catalogue.js").Catalogue,
   *          thumbnails: import("../controls/thumbnail.js").Thumbnails}} page
   */
  constructor({ api, catalogue, thumbnails }) {
    super("run", FIRST_STATE, { addressed, stateFrom });
    this.#api = api;
    this.#catalogue = catalogue;
    this.#picker = new FunctionPicker({
      thumbnails,
      functions: catalogue.functions,
      onChoose: (name) => this.#choose({ name }),
      onDim: (dim) => this.#choose({ name: this.state.spec.function.name, dim }),
      onFormula: (reference) => this.#choose(reference),
    });
    this.#form = new JobForm({
      picker: this.#picker,
      catalogue,
      onChange: (patch) => this.#draft(patch),
      onRun: () => this.#post(),
      foot: h("div", { class: "form-foot" }, this.alert, this.#run, this.#progress.element),
    });
    this.form = this.#form.element;
    this.stage = new Stage({
      api,
      catalogue,
      store: this.store,
      referenceOf: (/** @type {any} */ state) => state.spec.function,
      chooseFunction: () => this.#picker.open(),
      on: {
        place: (x, y) => this.#draft({ init: [...this.#starts(), this.stage.pointAt(x, y)] }),
        move: (index, x, y) =>
          this.#draft({ init: this.#starts().with(index, this.stage.pointAt(x, y, this.#starts()[index])) }),
        remove: (index) => this.#draft({ init: this.#starts().toSpliced(index, 1) }),
      },
    });
    this.stage.element.prepend(this.#outdated.element, this.notice);
    this.stage.element.append(this.#results.element, this.#actions);
    this.element = h(
      "div",
      { class: "run-view" },
      h("h1", { class: "visually-hidden" }, "Run an optimizer"),
      this.form,
      this.stage.element,
    );
  }

  /** @param {any} state */
  follow(state) {
    if (state.job && hasEnded(state.job)) this.#fetchRuns(state);
  }

  /** @param {any} patch */
  #draft(patch) {
    const spec = { ...this.state.spec, ...patch };
    this.store.set({ spec, problem: patch.init?.length ? this.#problemWith(spec) : null });
  }

  /**
   * Returns what is wrong with the starts, or null; the service checks the rest.
   * @param {{init: any}} spec
   */
  #problemWith({ init }) {
    const { info } = this.state;
    if (!Array.isArray(init) || !info) return null;
    if (init.length === 0) return asked("#/init", "Place at least one start: click on the map.");
    return wrongPoints(pointsOf(init), info.dim, (index) => `#/init/${index}`);
  }

  /** @param {Record<string, any>} values @param {AbortSignal} signal */
  async load(values, signal) {
    const { spec } = this.state;
    if (values.job !== undefined) {
      await this.#open(() => this.#api.job(String(values.job), signal), signal);
      return;
    }
    if (values.spec === undefined) {
      await this.#open(() => this.#api.lesson(signal), signal);
      return;
    }
    const info = await this.stage.about(spec.function);
    if (info && !signal.aborted) this.store.set({ info, problem: unknownMethod(spec, this.#catalogue) });
  }

  /**
   * Shows the job that `fetchJob` gives.
   * @param {() => Promise<import("../service").Job>} fetchJob
   * @param {AbortSignal} signal
   */
  async #open(fetchJob, signal) {
    try {
      const job = await fetchJob();
      if (signal.aborted) return;
      if (job.spec.function?.mlp) {
        location.replace(permalink.hashOf("network", { job: job.id }));
        return;
      }
      if (!isShowable(job.spec)) {
        this.store.set({ job, progress: progressOf(job), deadEnd: OF_ANOTHER_VERSION });
        return;
      }
      const spec = draftOf(job.spec, this.#catalogue);
      this.store.set({ job, spec, made: spec, progress: progressOf(job) });
      const info = await this.stage.about(job.spec.function);
      if (signal.aborted) return;
      if (info) this.store.set({ info });
      this.errand.start((next) => this.#watch(next));
    } catch (problem) {
      if (signal.aborted) return;
      await this.#notFound(problem);
    }
  }

  /** A job that is not there leaves the form as it is at first, and says so. @param {any} problem */
  async #notFound(problem) {
    if (problem.status === 422) {
      // this service does not take jobs of the lesson's size
      this.store.set({ spec: LESSON_SPEC, info: await this.stage.about(LESSON_SPEC.function) });
      return;
    }
    if (problem.status !== 404) {
      this.store.set({ problem, deadEnd: problem instanceof Disconnected ? { text: problem.message } : null });
      return;
    }
    const info = await this.stage.about(FIRST_STATE.spec.function);
    this.store.set({
      info,
      deadEnd: noJob({ text: "Set up a new run", go: () => this.store.set({ deadEnd: null }) }),
    });
  }

  /** @param {import("../service").Reference} reference */
  #choose(reference) {
    return this.choose(reference, (info) => {
      const { spec } = this.state;
      const isSameKind = reference.dim || (reference.expression && spec.function.expression);
      const init = isSameKind ? inDimension(spec.init, info) : [];
      return { ...NO_RESULTS, spec: { ...spec, function: withDim(reference, info.dim), init } };
    });
  }

  hasResults() {
    return this.state.job !== null;
  }

  async #post() {
    const { spec } = this.state;
    const problem = this.#problemWith(spec);
    if (problem) {
      this.store.set({ problem });
      return;
    }
    const isWanted = this.posting();
    this.store.set({ isPosting: true, problem: null, deadEnd: null, notice: null });
    const began = performance.now();
    try {
      const job = await this.#api.postJob(withoutEmpty(spec));
      if (!isWanted()) return;
      const { trajectories, slopes, pathsOf } = this.state; // the old paths stay, paler, until there are new ones
      this.leave({
        ...NO_RESULTS,
        trajectories,
        slopes,
        pathsOf,
        job,
        made: spec,
        progress: progressOf(job),
        isPosting: false,
      });
      this.errand.start((signal) => this.#watch(signal, began));
    } catch (problem) {
      if (isWanted()) this.store.set({ problem, isPosting: false });
    }
  }

  /** @param {AbortSignal} signal @param {number|null} [began] when it was posted */
  async #watch(signal, began = null) {
    const { job } = this.state;
    const tell = (/** @type {any} */ news) => {
      if (signal.aborted) return;
      const took = began !== null && news.job ? { took: performance.now() - began } : {};
      const whose = news.trajectories ? { pathsOf: job.id } : {};
      this.store.set({ ...news, ...took, ...whose });
    };
    try {
      await watch(this.#api, job, tell, signal);
    } catch (/** @type {any} */ problem) {
      if (signal.aborted) return;
      if (problem.status === 404)
        this.store.set({
          ...NO_RESULTS,
          deadEnd: noJob({ text: "Keep its settings", go: () => this.store.set({ deadEnd: null }) }),
        });
      else this.store.set({ problem });
    }
  }

  /** Fetches the runs on the visible page of the table. @param {any} state */
  async #fetchRuns({ job, page }) {
    if (this.#runsOf[0] === job && this.#runsOf[1] === page) return;
    this.#runsOf = [job, page];
    const runs = this.#memory.once("runs", [job], () => new Runs(this.#api, job));
    try {
      const found = await runs.upTo((page + 1) * ROWS);
      if (this.state.job === job) this.store.set({ runs: found });
    } catch (problem) {
      if (this.state.job === job) this.store.set({ problem });
    }
  }

  async #cancel() {
    const { job } = this.state;
    if (!job) return;
    try {
      await this.#api.cancel(job.id);
    } catch (problem) {
      this.store.set({ problem });
    }
  }

  #starts() {
    return pointsOf(this.state.spec.init);
  }

  /** @param {number} index @param {any} [run] */
  #colorOf(index, run = this.state.job?.runs?.[index]) {
    return pathColor(index, this.state.job?.n_runs ?? this.#starts().length, run?.minimum?.index ?? null);
  }

  /** @param {any} state */
  render(state) {
    const { info, spec, made, job, isPosting, lost, took, problem, trajectories, slopes } = state;
    this.#form.update(info, spec);
    this.#run.disabled = isPosting;
    const progress = isPosting ? { status: "queued", step: 0, steps: Number(spec.steps) || 1 } : state.progress;
    this.#progress.update(progress, { lost, took, job });
    this.say(problem, this.#noticeOn(state));
    this.#outdated.update(isOutdated(state) ? madeBy(made, this.#catalogue) : null);
    this.stage.element.classList.toggle(
      "outdated",
      isOutdated(state) || (job !== null && state.pathsOf !== job.id),
    );
    this.#results.update(job && hasEnded(job) ? job : null, state, (run) => this.#colorOf(run.run, run));
    this.#memory.once("actions", [job], () =>
      replace(this.#actions, job && hasEnded(job) ? this.#actionsFor(job) : []),
    );
    if (!this.stage.isOpen(state)) return;
    const starts = this.#starts();
    this.stage.draw(state, {
      runs: trajectories.map((/** @type {import("../service").Trajectory} */ trajectory) => ({
        trajectory,
        name: `run ${trajectory.run + 1}`,
        color: this.#colorOf(trajectory.run),
        outcome: job?.runs?.[trajectory.run]?.outcome,
      })),
      slopes,
      starts: starts.map((point, index) => ({ point, color: pathColor(index, starts.length) })),
      canPlace: Array.isArray(spec.init),
    });
  }

  /** @param {import("../service").Job} job */
  #actionsFor(job) {
    return jobActions(
      this.#api,
      job,
      {
        onChange: (changed) => {
          const made = draftOf(changed.spec, this.#catalogue);
          const spec = isOutdated(this.state) ? this.state.spec : made;
          this.store.set({ job: changed, spec, made, progress: progressOf(changed), took: null });
          this.errand.start((signal) => this.#watch(signal));
        },
        onDelete: () => this.store.set(NO_RESULTS),
        onProblem: (problem) => this.store.set({ problem }),
      },
      { pictures: true },
    );
  }

  /** @param {any} state */
  #noticeOn({ job, notice }) {
    return notice ?? noteOn(job) ?? (isLesson(job) && !isOutdated(this.state) ? FIRST_WORDS : null);
  }
}

const OF_ANOTHER_VERSION = {
  title: "This job was made by another version of the service",
  text: "What it was set up with cannot be shown here. Its results are below.",
  ways: [LESSON, ALL_JOBS],
};

const FIRST_WORDS =
  "Adam, from three starts: each path goes downhill to a minimum of its own. Play the steps below, click on the map to add a start, and press Run.";

/** @param {import("../service").Job} job */
function progressOf(job) {
  return { ...job.progress, status: job.status };
}

/** @param {string} pointer @param {string} detail */
function asked(pointer, detail) {
  return { message: detail, errors: [{ pointer, detail }] };
}

/** @param {import("../service").Job|null} job */
function noteOn(job) {
  if (job?.status === "failed") return `The job failed: ${job.error}`;
  if (job && job.n_runs > MOST_PATHS)
    return `The first ${MOST_PATHS} of ${count(job.n_runs)} runs are drawn; the table has all of them.`;
  return null;
}
