/** The Race view: several methods from one start on one surface, and their standings. */

import { arrival } from "../arrival.js";
import { Contenders, methodName } from "../controls/contenders.js";
import { ALL_JOBS, LESSON, noJob } from "../controls/dead_end.js";
import { field, numberInput, numbersIn } from "../controls/field.js";
import { FunctionPicker } from "../controls/function_picker.js";
import { Outdated } from "../controls/outdated.js";
import { Standings } from "../controls/standings.js";
import { h, instead } from "../dom.js";
import { FACTS } from "../facts.js";
import { Memory } from "../memory.js";
import { count, point } from "../numbers.js";
import { colorAt } from "../plots/palette.js";
import { middle, withDim } from "../plots/slice.js";
import { hasEnded, watch } from "../watch.js";
import { unknownMethod, wrongPoints } from "../words.js";
import { addressed, courseOf, FIRST_STATE, isOutdated, NO_RACE, raceOf, specsOf, stateFrom } from "./race_state.js";
import { Stage } from "./stage.js";
import { StagedView } from "./staged_view.js";

export class RaceView extends StagedView {
  title = "Race";
  #api;
  #catalogue;
  #picker;
  #contenders;
  #standings = new Standings();
  #start;
  #steps;
  #outdated = new Outdated("Race again", {
    again: () => this.#race(),
    undo: () => this.store.set({ ...this.state.raced, problem: null }),
  });
  #button = h("button", { class: "primary", type: "submit" }, "Race");
  #memory = new Memory();

  /**
   * @param {{api: import("../api.js").Api, catalogue: import("../catalogue.js").Catalogue,
   *          thumbnails: import("../controls/thumbnail.js").Thumbnails}} page
   */
  constructor({ api, catalogue, thumbnails }) {
    super("race", FIRST_STATE, { addressed, stateFrom });
    this.#api = api;
    this.#catalogue = catalogue;
    this.#picker = new FunctionPicker({
      thumbnails,
      functions: catalogue.functions,
      onChoose: (name) => this.#choose({ name }),
      onDim: (dim) => this.#choose({ ...this.state.reference, dim }),
      onFormula: (reference) => this.#choose(reference),
    });
    this.#contenders = new Contenders(catalogue, (contenders) => this.store.set({ contenders, problem: null }));
    this.#start = h("input", {
      type: "text",
      autocomplete: "off",
      onchange: (event) => this.#setStart(numbersIn(event.target.value)),
    });
    this.#steps = numberInput(null, (steps) => this.store.set({ steps, problem: null }), { inputmode: "numeric" });
    const place = (/** @type {number} */ x, /** @type {number|null} */ y) =>
      this.#setStart(this.stage.pointAt(x, y, this.state.start));
    this.stage = new Stage({
      api,
      catalogue,
      store: this.store,
      referenceOf: (/** @type {any} */ state) => state.reference,
      chooseFunction: () => this.#picker.open(),
      on: { place, move: (_, x, y) => place(x, y), remove: () => {} },
    });
    this.stage.element.prepend(this.#outdated.element, this.notice);
    this.stage.element.append(this.#standings.element);
    this.form = this.#makeForm();
    this.element = h(
      "div",
      { class: "race-view" },
      h("h1", { class: "visually-hidden" }, "Race optimizers"),
      this.form,
      this.stage.element,
    );
  }

  #makeForm() {
    return h(
      "form",
      { class: "job-form", novalidate: true, "aria-label": "Race settings", onsubmit: instead(() => this.#race()) },
      h("fieldset", null, h("legend", null, "Function"), this.#picker.element),
      this.#contenders.element,
      h(
        "fieldset",
        null,
        h("legend", null, "Course"),
        field({ label: "Start", control: this.#start, hint: "Or click on the map.", pointer: "#/init" }),
        field({ label: "Steps", control: this.#steps, pointer: "#/steps" }),
      ),
      h("div", { class: "form-foot" }, this.alert, this.#button),
    );
  }

  /** @param {number[]} start */
  #setStart(start) {
    const { info } = this.state;
    this.store.set({ start, problem: info && wrongPoints([start], info.dim, () => "#/init") });
  }

  /** @param {Record<string, any>} values @param {AbortSignal} signal */
  async load(values, signal) {
    if (Array.isArray(values.jobs) && values.jobs.length) {
      await this.#open(values.jobs.map(String), signal);
      return;
    }
    const { reference, contenders } = this.state;
    const info = await this.stage.about(reference);
    if (info && !signal.aborted) this.store.set({ info, problem: unknownAmong(contenders, this.#catalogue) });
  }

  /** @param {import("../service").Reference} reference */
  #choose(reference) {
    return this.choose(reference, (info) => ({
      ...NO_RACE,
      reference: withDim(reference, info.dim),
      start: startIn(info),
    }));
  }

  hasResults() {
    return this.state.raced !== null;
  }

  async #race() {
    const { contenders } = this.state;
    if (!contenders.length) {
      this.store.set({
        problem: { message: "", errors: [{ pointer: "#/contenders", detail: "Add at least one contender." }] },
      });
      return;
    }
    const problem = wrongPoints([this.state.start], this.state.info?.dim, () => "#/init");
    if (problem) {
      this.store.set({ problem });
      return;
    }
    this.errand.stop();
    const isWanted = this.posting();
    const raced = courseOf(this.state);
    this.leave({
      ...NO_RACE,
      raced,
      racers: contenders.map(() => NOT_YET),
      isPosting: true,
      problem: null,
      deadEnd: null,
      notice: null,
    });
    const racers = await Promise.all(
      specsOf(raced).map(async (/** @type {Object} */ spec) => {
        try {
          const job = await this.#api.postJob(spec);
          return { ...NOT_YET, id: job.id, job };
        } catch (/** @type {any} */ problem) {
          return { ...NOT_YET, error: problem.message, problem };
        }
      }),
    );
    if (!isWanted()) return;
    this.store.set({ racers, isPosting: false, problem: refusals(racers) });
    this.errand.start((signal) => this.#watchAll(signal));
  }

  /** @param {string[]} ids @param {AbortSignal} signal */
  async #open(ids, signal) {
    const answers = await Promise.all(
      ids.map((id) => this.#api.job(id, signal).catch((/** @type {Error} */ problem) => problem)),
    );
    if (signal.aborted) return;
    /** @type {any} */
    const away = answers.find((each) => each instanceof Error && /** @type {any} */ (each).status !== 404);
    if (away) {
      this.store.set({ problem: away, deadEnd: { text: away.message } });
      return;
    }
    const jobs = answers.flatMap((each) => (each instanceof Error ? [] : [each]));
    const race = jobs.length ? raceOf(jobs, this.#catalogue) : null;
    if (!race) {
      const info = await this.stage.about(this.state.reference);
      this.store.set({ info, deadEnd: this.#noRace(jobs, ids) });
      return;
    }
    const racers = race.jobs.map((job) => ({ ...NOT_YET, id: job.id, job }));
    this.store.set({
      ...race.course,
      raced: race.course,
      racers,
      notice: noteOn(ids.length, jobs.length, racers.length),
    });
    const info = await this.stage.about(race.course.reference);
    if (signal.aborted) return;
    if (info) this.store.set({ info });
    this.errand.start((next) => this.#watchAll(next));
  }

  /** @param {import("../service").Job[]} jobs @param {string[]} ids */
  #noRace(jobs, ids) {
    const way = { text: "Set up a new race", go: () => this.store.set({ deadEnd: null }) };
    if (jobs.length === 0 && ids.length === 1) return noJob(way);
    if (jobs.length === 0)
      return {
        title: "The jobs of this race are not here",
        text: "They have been deleted, or the link belongs to another service.",
        ways: [way, LESSON, ALL_JOBS],
      };
    return {
      title: "These jobs are no race",
      text: "A race is of jobs with one start each, on the same function, for as many steps.",
      ways: [way, ALL_JOBS],
    };
  }

  /** Watches the contenders that have not ended yet. @param {AbortSignal} signal */
  async #watchAll(signal) {
    await Promise.all(
      this.state.racers.map(async (/** @type {any} */ { job, arrival: known }, /** @type {number} */ index) => {
        if (!job || known !== undefined) return;
        try {
          await this.#watch(index, job, signal);
        } catch (/** @type {any} */ problem) {
          this.#tell(index, { error: problem.status === 404 ? "deleted" : problem.message }, signal);
        }
      }),
    );
  }

  /** @param {number} index @param {import("../service").Job} job @param {AbortSignal} signal */
  async #watch(index, job, signal) {
    /** @type {import("../service").Trajectory|null} */
    let trajectory = null;
    let ended = hasEnded(job) ? job : null;
    const tell = (/** @type {any} */ news) => {
      trajectory = news.trajectories?.[0] ?? trajectory;
      ended = news.job ?? ended;
      const { trajectories, slopes, ...rest } = news;
      this.#tell(
        index,
        { ...rest, ...(trajectories ? { trajectory } : {}), ...(slopes ? { slope: slopes[0] } : {}) },
        signal,
      );
    };
    await watch(this.#api, job, tell, signal);
    const { info } = this.state;
    if (ended && trajectory && info)
      this.#tell(index, { arrival: await arrival(this.#api, ended, info, trajectory, signal) }, signal);
  }

  /** @param {number} index @param {Object} news @param {AbortSignal} signal */
  #tell(index, news, signal) {
    if (signal.aborted) return;
    const { racers } = this.state;
    this.store.set({ racers: racers.with(index, { ...racers[index], ...news }) });
  }

  /** @param {any} state */
  render(state) {
    const { info, reference, racers, contenders, raced, start, isPosting } = state;
    const methods = raced?.contenders ?? contenders;
    const named = racers.map((/** @type {any} */ racer, /** @type {number} */ index) => ({
      ...racer,
      name: methodName(methods[index], this.#catalogue),
      color: colorAt(index),
      outcome: racer.job?.runs?.[0]?.outcome,
    }));
    this.#picker.update(info, reference);
    this.#contenders.update(contenders);
    if (this.#start !== document.activeElement) this.#start.value = start.join(", ");
    if (this.#steps !== document.activeElement) this.#steps.value = state.steps ?? "";
    this.#button.disabled = isPosting;
    this.#standings.update(named, info?.minimum_radius ?? null);
    this.say(state.problem, state.notice);
    this.#markOutdated(state);
    if (!this.stage.isOpen(state)) return;
    const drawn = named.filter((/** @type {any} */ racer) => racer.trajectory);
    const slopes = drawn.map((/** @type {any} */ racer) => racer.slope ?? null);
    this.stage.draw(state, {
      runs: drawn.length || !racers.length ? drawn : null,
      slopes: this.#memory.once("slopes", slopes, () => slopes),
      starts: [{ point: start, color: FACTS.colors.ink }],
      canPlace: true,
    });
  }

  /** @param {any} state */
  #markOutdated(state) {
    const isOld = isOutdated(state);
    this.#outdated.update(isOld ? racedBy(state.raced) : null);
    const isWaiting = state.racers.length > 0 && !state.racers.some((/** @type {any} */ racer) => racer.trajectory);
    this.stage.element.classList.toggle("outdated", isOld || isWaiting);
  }
}

const NOT_YET = {
  id: null,
  job: null,
  progress: null,
  trajectory: null,
  slope: null,
  arrival: undefined,
  error: null,
};

/** Returns a start away from the middle of a function's domain. @param {import("../service").FunctionInfo} info */
function startIn(info) {
  return info.domain.map(([low, high], axis) => {
    if (info.dim > 2) return middle(info)[axis] + 0.2 * (high - low);
    return Number((low + (high - low) * (axis ? 0.2 : 0.35)).toPrecision(3));
  });
}

/** @param {any} course */
function racedBy({ start, steps, contenders }) {
  const n = contenders.length;
  return `a race of ${n} contender${n === 1 ? "" : "s"} from ${point(start)}, ${count(steps)} steps`;
}

/**
 * @param {number} nAsked
 * @param {number} nThere
 * @param {number} nRacing
 */
function noteOn(nAsked, nThere, nRacing) {
  const [gone, others] = [nAsked - nThere, nThere - nRacing];
  const said = [
    gone ? `${gone} of the ${nAsked} jobs of this race ${gone === 1 ? "is" : "are"} not here any more.` : null,
    others ? `${others} of them ran another race, and ${others === 1 ? "is" : "are"} left out.` : null,
  ].filter(Boolean);
  return said.length ? said.join(" ") : null;
}

/** @param {import("../service").Method[]} contenders @param {import("../service").Methods} catalogue */
function unknownAmong(contenders, catalogue) {
  const problems = contenders
    .map((method, index) => unknownMethod(method, catalogue, `#/contenders/${index}`))
    .filter((each) => each !== null);
  return problems.length ? { message: problems[0].message, errors: problems.flatMap((each) => each.errors) } : null;
}

/**
 * A problem with a contender stands beside it; what is wrong with all of them is said once.
 * @param {any[]} racers
 */
function refusals(racers) {
  /** @type {import("../service").Complaint[]} */
  const errors = [];
  let message = /** @type {string|null} */ (null);
  racers.forEach(({ problem }, index) => {
    if (!problem) return;
    message ??= problem.message;
    for (const each of problem.errors ?? []) {
      const pointer = /^#\/(optimizer|lr|scheduler)/.test(each.pointer) ? `#/contenders/${index}` : each.pointer;
      if (!errors.some((other) => other.pointer === pointer && other.detail === each.detail))
        errors.push({ ...each, pointer });
    }
  });
  return message === null ? null : { message, errors };
}
