/** The Run view: a job, from its form to its picture. */

import { Disconnected } from "../api.js";
import { ALL_JOBS, LESSON, noJob } from "../controls/dead_end.js";
import { showProblem } from "../controls/field.js";
import { FunctionPicker } from "../controls/function_picker.js";
import { jobActions } from "../controls/job_actions.js";
import { JobForm } from "../controls/job_form.js";
import { Outdated } from "../controls/outdated.js";
import { Progress } from "../controls/progress.js";
import { Results, ROWS } from "../controls/results.js";
import { pointsOf } from "../controls/starts.js";
import { h, replace } from "../dom.js";
import { Errand } from "../errand.js";
import { Memory } from "../memory.js";
import { count } from "../numbers.js";
import * as permalink from "../permalink.js";
import { pathColor } from "../plots/palette.js";
import { MOST_PATHS } from "../plots/paths.js";
import { withDim } from "../plots/slice.js";
import { Runs } from "../runs.js";
import { Store } from "../store.js";
import { hasEnded, watch } from "../watch.js";
import { DAMAGED, madeBy, unknownMethod, wrongPoints } from "../words.js";
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

export class RunView {
  title = "Run";
  #api;
  #catalogue;
  #store = new Store(FIRST_STATE);
  #picker;
  #form;
  #stage;
  #results = new Results((page) => this.#store.set({ page }));
  #actions = h("div", { class: "run-actions" });
  #progress = new Progress(() => this.#cancel());
  #alert = h("div", { class: "error", role: "alert", hidden: true });
  #notice = h("p", { class: "notice", role: "status", hidden: true });
  #outdated = new Outdated("Run again", { again: () => this.#post(), undo: () => this.#draft(this.#state.made) });
  #run = h("button", { class: "primary", type: "submit" }, "Run");
  #errand = new Errand();
  #memory = new Memory();
  #asked = {};
  #runsOf = [];
  #posting = null;
  #isVisible = false;

  /** @param {{api: import("../api.js").Api, catalogue: import("../catalogue.js").Catalogue, thumbnails: Object}} page */
  constructor({ api, catalogue, thumbnails }) {
    this.#api = api;
    this.#catalogue = catalogue;
    this.#picker = new FunctionPicker({
      thumbnails,
      functions: catalogue.functions,
      onChoose: (name) => this.#choose({ name }),
      onDim: (dim) => this.#choose({ name: this.#state.spec.function.name, dim }),
      onFormula: (reference) => this.#choose(reference),
    });
    this.#form = new JobForm({
      picker: this.#picker,
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
      chooseFunction: () => this.#picker.open(),
      on: {
        place: (x, y) => this.#draft({ init: [...this.#starts(), this.#stage.pointAt(x, y)] }),
        move: (index, x, y) =>
          this.#draft({ init: this.#starts().with(index, this.#stage.pointAt(x, y, this.#starts()[index])) }),
        remove: (index) => this.#draft({ init: this.#starts().toSpliced(index, 1) }),
      },
    });
    this.#stage.element.prepend(this.#outdated.element, this.#notice);
    this.#stage.element.append(this.#results.element, this.#actions);
    this.element = h(
      "div",
      { class: "run-view" },
      h("h1", { class: "visually-hidden" }, "Run an optimizer"),
      this.#form.element,
      this.#stage.element,
    );
    this.#store.subscribe((state) => this.#follow(state));
  }

  /** The address of what is shown, or was when the view was hidden. */
  get hash() {
    return permalink.hashOf("run", addressed(this.#state));
  }

  /** Shows what an address asks for. */
  show(values) {
    this.#isVisible = true;
    this.#asked = values;
    this.#posting = null;
    const { state, isDamaged } = stateFrom(values);
    this.#store.set({ ...state, notice: isDamaged ? DAMAGED : null });
    this.#errand.resume();
    this.#errand.start((signal) => this.#load(values, signal));
  }

  /** Shows what was shown when the view was hidden, and goes on with it. */
  resume() {
    this.#isVisible = true;
    this.#stage.restyle();
    this.#follow(this.#state);
    this.#errand.resume();
  }

  /** Stops what goes on only for who looks. */
  hide() {
    this.#isVisible = false;
    this.#stage.stop();
    this.#errand.pause();
  }

  /** Draws anew: the theme is another one. */
  restyle() {
    this.#stage.restyle();
    this.#render(this.#state);
  }

  /** Goes on after the service was away. */
  reconnect() {
    if (this.#state.info) this.#stage.reconnect();
    else this.show(this.#asked);
  }

  get #state() {
    return this.#store.state;
  }

  /** What happens because the state is another one: what it needs is fetched, the address is written, all is shown. */
  #follow(state) {
    if (!this.#isVisible) return;
    this.#stage.follow(state);
    if (state.job && hasEnded(state.job)) this.#fetchRuns(state);
    if (state.info && !state.deadEnd) permalink.write("run", addressed(state));
    this.#render(state);
  }

  #draft(patch) {
    const spec = { ...this.#state.spec, ...patch };
    this.#store.set({ spec, problem: patch.init?.length ? this.#problemWith(spec) : null });
  }

  /** Returns what is wrong with the starts, or null; of all else the service knows more. */
  #problemWith({ init }) {
    const { info } = this.#state;
    if (!Array.isArray(init) || !info) return null;
    if (init.length === 0) return asked("#/init", "Place at least one start: click on the map.");
    return wrongPoints(pointsOf(init), info.dim, (index) => `#/init/${index}`);
  }

  async #load(values, signal) {
    const { spec } = this.#state;
    if (values.job !== undefined) {
      await this.#open(() => this.#api.job(String(values.job), signal), signal);
      return;
    }
    if (values.spec === undefined) {
      await this.#open(() => this.#api.lesson(signal), signal);
      return;
    }
    const info = await this.#stage.about(spec.function);
    if (info && !signal.aborted) this.#store.set({ info, problem: unknownMethod(spec, this.#catalogue) });
  }

  /** Shows the job that `fetchJob` gives. */
  async #open(fetchJob, signal) {
    try {
      const job = await fetchJob();
      if (signal.aborted) return;
      if (job.spec.function?.mlp) {
        location.replace(permalink.hashOf("network", { job: job.id }));
        return;
      }
      if (!isShowable(job.spec)) {
        this.#store.set({ job, progress: progressOf(job), deadEnd: OF_ANOTHER_VERSION });
        return;
      }
      const spec = draftOf(job.spec, this.#catalogue);
      this.#store.set({ job, spec, made: spec, progress: progressOf(job) });
      const info = await this.#stage.about(job.spec.function);
      if (signal.aborted) return;
      if (info) this.#store.set({ info });
      this.#errand.start((next) => this.#watch(next));
    } catch (problem) {
      if (signal.aborted) return;
      await this.#notFound(problem);
    }
  }

  /** A job that is not there leaves the form as it is at first, and says so. */
  async #notFound(problem) {
    if (problem.status === 422) {
      // this service does not take jobs of the lesson's size
      this.#store.set({ spec: LESSON_SPEC, info: await this.#stage.about(LESSON_SPEC.function) });
      return;
    }
    if (problem.status !== 404) {
      this.#store.set({ problem, deadEnd: problem instanceof Disconnected ? { text: problem.message } : null });
      return;
    }
    const info = await this.#stage.about(FIRST_STATE.spec.function);
    this.#store.set({
      info,
      deadEnd: noJob({ text: "Set up a new run", go: () => this.#store.set({ deadEnd: null }) }),
    });
  }

  async #choose(reference) {
    const info = await this.#stage.about(reference);
    if (!info) return;
    const { spec } = this.#state;
    this.#posting = null;
    this.#errand.stop();
    const { dim } = info;
    const isSameKind = reference.dim || (reference.expression && spec.function.expression);
    const kept = isSameKind ? inDimension(spec.init, info) : [];
    this.#leave({
      ...NO_RESULTS,
      info,
      deadEnd: null,
      problem: null,
      spec: { ...spec, function: withDim(reference, dim), init: kept },
      axes: [0, 1],
      window: null,
      isPosting: false,
    });
  }

  /** Takes over what has an address of its own, so that one can go back to what was there before. */
  #leave(patch) {
    if (this.#isVisible && this.#state.job)
      permalink.write("run", addressed({ ...this.#state, ...patch }), { push: true });
    this.#store.set(patch);
  }

  async #post() {
    const { spec } = this.#state;
    const problem = this.#problemWith(spec);
    if (problem) {
      this.#store.set({ problem });
      return;
    }
    const posting = {};
    this.#posting = posting;
    this.#store.set({ isPosting: true, problem: null, deadEnd: null, notice: null });
    const began = performance.now();
    try {
      const job = await this.#api.postJob(withoutEmpty(spec));
      if (this.#posting !== posting) return;
      const { trajectories, slopes, pathsOf } = this.#state; // what is seen stays, paler, until there is something new
      this.#leave({
        ...NO_RESULTS,
        trajectories,
        slopes,
        pathsOf,
        job,
        made: spec,
        progress: progressOf(job),
        isPosting: false,
      });
      this.#errand.start((signal) => this.#watch(signal, began));
    } catch (problem) {
      if (this.#posting === posting) this.#store.set({ problem, isPosting: false });
    }
  }

  async #watch(signal, began = null) {
    const { job } = this.#state;
    const tell = (news) => {
      if (signal.aborted) return;
      const took = began !== null && news.job ? { took: performance.now() - began } : {};
      const whose = news.trajectories ? { pathsOf: job.id } : {};
      this.#store.set({ ...news, ...took, ...whose });
    };
    try {
      await watch(this.#api, job, tell, signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (problem.status === 404)
        this.#store.set({
          ...NO_RESULTS,
          deadEnd: noJob({ text: "Keep its settings", go: () => this.#store.set({ deadEnd: null }) }),
        });
      else this.#store.set({ problem });
    }
  }

  /** Fetches the runs of the page of the table that is looked at. */
  async #fetchRuns({ job, page }) {
    if (this.#runsOf[0] === job && this.#runsOf[1] === page) return;
    this.#runsOf = [job, page];
    const runs = this.#memory.once("runs", [job], () => new Runs(this.#api, job));
    try {
      const found = await runs.upTo((page + 1) * ROWS);
      if (this.#state.job === job) this.#store.set({ runs: found });
    } catch (problem) {
      if (this.#state.job === job) this.#store.set({ problem });
    }
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
    const { info, spec, made, job, isPosting, lost, took, problem, trajectories, slopes } = state;
    this.#form.update(info, spec);
    this.#run.disabled = isPosting;
    const progress = isPosting ? { status: "queued", step: 0, steps: Number(spec.steps) || 1 } : state.progress;
    this.#progress.update(progress, { lost, took, job });
    this.#say(problem, state);
    this.#outdated.update(isOutdated(state) ? madeBy(made, this.#catalogue) : null);
    this.#stage.element.classList.toggle(
      "outdated",
      isOutdated(state) || (job !== null && state.pathsOf !== job.id),
    );
    this.#results.update(job && hasEnded(job) ? job : null, state, (run) => this.#colorOf(run.run, run));
    this.#memory.once("actions", [job], () =>
      replace(this.#actions, job && hasEnded(job) ? this.#actionsFor(job) : []),
    );
    if (!this.#stage.isOpen(state)) return;
    const starts = this.#starts();
    this.#stage.draw(state, {
      runs: trajectories.map((trajectory) => ({
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

  #actionsFor(job) {
    return jobActions(
      this.#api,
      job,
      {
        onChange: (changed) => {
          const made = draftOf(changed.spec, this.#catalogue);
          const spec = isOutdated(this.#state) ? this.#state.spec : made;
          this.#store.set({ job: changed, spec, made, progress: progressOf(changed), took: null });
          this.#errand.start((signal) => this.#watch(signal));
        },
        onDelete: () => this.#store.set(NO_RESULTS),
        onProblem: (problem) => this.#store.set({ problem }),
      },
      { pictures: true },
    );
  }

  #say(problem, { job, notice }) {
    const rest = showProblem(this.#form.element, problem);
    this.#alert.hidden = rest.length === 0;
    replace(
      this.#alert,
      rest.map((text) => h("p", null, text)),
    );
    const note = notice ?? noteOn(job) ?? (isLesson(job) && !isOutdated(this.#state) ? FIRST_WORDS : null);
    this.#notice.hidden = note === null;
    this.#notice.textContent = note ?? "";
  }
}

const OF_ANOTHER_VERSION = {
  title: "This job was made by another version of the service",
  text: "What it was set up with cannot be shown here. Its results are below.",
  ways: [LESSON, ALL_JOBS],
};

const FIRST_WORDS =
  "Adam, from three starts: each path goes downhill to a minimum of its own. Play the steps below, click on the map to add a start, and press Run.";

function progressOf(job) {
  return { ...job.progress, status: job.status };
}

function asked(pointer, detail) {
  return { message: detail, errors: [{ pointer, detail }] };
}

function noteOn(job) {
  if (job?.status === "failed") return `The job failed: ${job.error}`;
  if (job && job.n_runs > MOST_PATHS)
    return `The first ${MOST_PATHS} of ${count(job.n_runs)} runs are drawn; the table has all of them.`;
  return null;
}
