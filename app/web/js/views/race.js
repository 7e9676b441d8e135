/** The Race view: several methods from one start, on one surface, and who got where. */

import { arrival } from "../arrival.js";
import { Contenders, methodName } from "../controls/contenders.js";
import { field, numberInput, numberOf, showProblem } from "../controls/field.js";
import { FunctionPicker } from "../controls/function_picker.js";
import { Standings } from "../controls/standings.js";
import { h, replace } from "../dom.js";
import { Memory } from "../memory.js";
import * as permalink from "../permalink.js";
import { pathColor } from "../plots/palette.js";
import { middle, withDim } from "../plots/slice.js";
import { Store } from "../store.js";
import { hasEnded, watch } from "../watch.js";
import { addressed, FIRST_STATE, specsOf, stateFrom } from "./race_state.js";
import { draftOf } from "./run_state.js";
import { Stage } from "./stage.js";

export class RaceView {
  title = "Race";
  #api;
  #catalogue;
  #store = new Store(FIRST_STATE);
  #picker;
  #contenders;
  #stage;
  #standings = new Standings();
  #start;
  #steps;
  #form;
  #alert = h("div", { class: "error", role: "alert", hidden: true });
  #memory = new Memory();
  #watching = null;
  #visible = false;

  /** @param {{api: import("../api.js").Api, catalogue: import("../catalogue.js").Catalogue, thumbnails: Object}} page */
  constructor({ api, catalogue, thumbnails }) {
    this.#api = api;
    this.#catalogue = catalogue;
    this.#picker = new FunctionPicker({
      thumbnails,
      functions: catalogue.functions,
      onChoose: (name) => this.#choose({ name }),
      onDim: (dim) => this.#choose({ ...this.#state.reference, dim }),
      onFormula: (reference) => this.#choose(reference),
    });
    this.#contenders = new Contenders(catalogue, (contenders) => this.#store.set({ contenders, problem: null }));
    this.#start = h("input", { type: "text", autocomplete: "off", onchange: (event) => this.#setStart(event.target.value.split(/[,;\s]+/).filter(Boolean).map(numberOf)) });
    this.#steps = numberInput(null, (steps) => this.#store.set({ steps, problem: null }), { inputmode: "numeric" });
    const place = (x, y) => this.#setStart(this.#stage.pointAt(x, y, this.#state.start));
    this.#stage = new Stage({
      api,
      catalogue,
      store: this.#store,
      referenceOf: (state) => state.reference,
      on: { place, move: (_, x, y) => place(x, y), remove: () => {} },
    });
    this.#stage.element.append(this.#standings.element);
    this.#form = this.#makeForm();
    this.element = h(
      "div",
      { class: "race-view" },
      h("h1", { class: "visually-hidden" }, "Race optimizers"),
      this.#form,
      this.#stage.element,
    );
    this.#store.subscribe((state, before) => this.#follow(state, before));
  }

  /** Shows what an address asks for. */
  async show(values) {
    this.#visible = true;
    this.#stopWatching();
    const wanted = stateFrom(values);
    this.#store.set({ ...wanted, racedAs: null });
    await this.#stage.about(wanted.reference);
    if (Array.isArray(values.jobs)) await this.#open(values.jobs, !values.contenders);
  }

  hide() {
    this.#visible = false;
    this.#stage.stop();
    this.#stopWatching();
  }

  restyle() {
    this.#stage.restyle();
    this.#render(this.#state);
  }

  reconnect() {
    this.#stage.reconnect();
  }

  get #state() {
    return this.#store.state;
  }

  #makeForm() {
    return h(
      "form",
      { class: "job-form", novalidate: true, "aria-label": "The race", onsubmit: (event) => (event.preventDefault(), this.#race()) },
      h("fieldset", null, h("legend", null, "Function"), this.#picker.element),
      this.#contenders.element,
      h(
        "fieldset",
        null,
        h("legend", null, "Course"),
        field({ label: "Start", control: this.#start, hint: "Or click on the map.", pointer: "#/init" }),
        field({ label: "Steps", control: this.#steps, pointer: "#/steps" }),
      ),
      h("div", { class: "form-foot" }, this.#alert, h("button", { class: "primary", type: "submit" }, "Race")),
    );
  }

  #follow(state, before) {
    if (!this.#visible) return;
    this.#stage.follow(state, before);
    permalink.write("race", addressed(state));
    this.#render(state);
  }

  #setStart(start) {
    this.#store.set({ start, problem: null });
  }

  async #choose(reference) {
    this.#stopWatching();
    const info = await this.#stage.about(reference);
    if (!info) return;
    const start = info.domain.map(([low, high], axis) => info.dim <= 2 ? Number((low + (high - low) * (axis ? 0.2 : 0.35)).toPrecision(3)) : middle(info)[axis] + 0.2 * (high - low));
    this.#store.set({ reference: withDim(reference, info.dim), start, racers: [], step: null, axes: [0, 1], window: null });
  }

  async #race() {
    this.#stopWatching();
    const { contenders } = this.#state;
    if (!contenders.length) {
      this.#store.set({ problem: { message: "", errors: [{ pointer: "#/contenders", detail: "Add at least one contender." }] } });
      return;
    }
    this.#store.set({ racers: contenders.map(() => NOT_YET), racedAs: contenders, step: null, problem: null });
    const signal = this.#startWatching();
    await Promise.all(
      specsOf(this.#state).map(async (spec, index) => {
        try {
          const job = await this.#api.postJob(spec);
          this.#tell(index, { id: job.id, job }, signal);
          await this.#watch(index, job, signal);
        } catch (problem) {
          this.#refused(index, problem, signal);
        }
      }),
    );
  }

  async #open(ids, needsContenders) {
    const signal = this.#startWatching();
    this.#store.set({ racers: ids.map((id) => ({ ...NOT_YET, id })) });
    const jobs = await Promise.all(
      ids.map(async (id, index) => {
        try {
          return await this.#api.job(id, signal);
        } catch (problem) {
          this.#refused(index, problem, signal);
          return null;
        }
      }),
    );
    if (signal.aborted) return;
    const methods = jobs.map((job) => job && methodOf(job));
    if (needsContenders && methods.every(Boolean)) this.#store.set({ contenders: methods, reference: jobs[0].spec.function, start: jobs[0].spec.init[0], steps: jobs[0].spec.steps });
    this.#store.set({ racedAs: this.#state.contenders });
    await Promise.all(
      jobs.map(async (job, index) => {
        if (!job) return;
        this.#tell(index, { job }, signal);
        await this.#watch(index, job, signal).catch((problem) => this.#refused(index, problem, signal));
      }),
    );
  }

  async #watch(index, job, signal) {
    let trajectory = null;
    let ended = hasEnded(job) ? job : null;
    const tell = (news) => {
      trajectory = news.trajectories?.[0] ?? trajectory;
      ended = news.job ?? ended;
      const { trajectories, slopes, ...rest } = news;
      this.#tell(index, { ...rest, ...(trajectories ? { trajectory } : {}), ...(slopes ? { slope: slopes[0] } : {}) }, signal);
    };
    await watch(this.#api, job, tell, signal);
    const { info } = this.#state;
    if (ended && trajectory && info.domain) this.#tell(index, { arrival: await arrival(this.#api, ended, info, trajectory, signal) }, signal);
  }

  #tell(index, news, signal) {
    if (signal.aborted) return;
    const { racers } = this.#state;
    this.#store.set({ racers: racers.with(index, { ...racers[index], ...news }) });
  }

  /** A problem with a contender stands beside it; what is wrong with all of them is said once. */
  #refused(index, problem, signal) {
    if (signal.aborted) return;
    this.#tell(index, { error: problem.message }, signal);
    const errors = (problem.errors ?? []).map((each) => ({
      ...each,
      pointer: /^#\/(optimizer|lr|scheduler)/.test(each.pointer) ? `#/contenders/${index}` : each.pointer,
    }));
    const known = this.#state.problem?.errors ?? [];
    const fresh = errors.filter((each) => !known.some((other) => other.pointer === each.pointer && other.detail === each.detail));
    this.#store.set({ problem: { message: problem.message, errors: [...known, ...fresh] } });
  }

  #startWatching() {
    this.#watching = new AbortController();
    return this.#watching.signal;
  }

  #stopWatching() {
    this.#watching?.abort();
    this.#watching = null;
  }

  #nameOf(method, index) {
    return method ? methodName(method, this.#catalogue) : `contender ${index + 1}`;
  }

  #render(state) {
    const { info, racers, contenders, racedAs, start } = state;
    if (!info) return;
    const methods = racedAs ?? contenders;
    const named = racers.map((racer, index) => ({ ...racer, name: this.#nameOf(methods[index], index), color: pathColor(index % 8, 8), outcome: racer.job?.runs?.[0]?.outcome }));
    this.#picker.update(info, state.reference);
    this.#contenders.update(contenders);
    if (this.#start !== document.activeElement) this.#start.value = start.join(", ");
    if (this.#steps !== document.activeElement) this.#steps.value = state.steps ?? "";
    this.#standings.update(named);
    const rest = showProblem(this.#form, state.problem);
    this.#alert.hidden = rest.length === 0;
    replace(this.#alert, rest.map((text) => h("p", null, text)));
    const drawn = named.filter((racer) => racer.trajectory);
    const slopes = drawn.map((racer) => racer.slope ?? null);
    this.#stage.draw(state, {
      runs: drawn.length || !racers.length ? drawn : null,
      slopes: this.#memory.once("slopes", slopes, () => slopes),
      starts: [{ point: start, color: "#16202e" }],
      canPlace: true,
    });
  }
}

const NOT_YET = { id: null, job: null, progress: null, trajectory: null, slope: null, arrival: undefined, error: null };

function methodOf(job) {
  const { optimizer, lr, scheduler } = draftOf(job.spec);
  return { optimizer, lr, ...(scheduler ? { scheduler } : {}) };
}
