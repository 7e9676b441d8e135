/** The Network view: training a network, its answers, and its backpropagation. */

import { Disconnected } from "../api.js";
import { DeadEnd, noJob } from "../controls/dead_end.js";
import { field, numberInput, showProblem } from "../controls/field.js";
import { MethodForm } from "../controls/method_form.js";
import { NetworkForm } from "../controls/network_form.js";
import { Outdated } from "../controls/outdated.js";
import { Progress } from "../controls/progress.js";
import { h, instead, replace } from "../dom.js";
import { Errand } from "../errand.js";
import { Growth } from "../growth.js";
import { Backprop } from "../networks/backprop.js";
import { Training } from "../networks/training.js";
import * as permalink from "../permalink.js";
import { entryAt } from "../plots/path.js";
import { changed, Store } from "../store.js";
import { hasEnded } from "../watch.js";
import { DAMAGED, madeBy } from "../words.js";
import {
  addressed,
  FIRST_STATE,
  isOutdated,
  NO_TRAINING,
  networkOf,
  outputActivationOf,
  settingsOf,
  specOf,
  stateFrom,
  unknownIn,
} from "./network_state.js";

const ENTRIES = 400;
const LIVE_MS = 250;

export class NetworkView {
  title = "Network";
  #api;
  #store = new Store(FIRST_STATE);
  #catalogue;
  #network;
  #method;
  #steps;
  #form;
  #alert = h("div", { class: "error", role: "alert", hidden: true });
  #notice = h("p", { class: "notice", role: "status", hidden: true });
  #outdated = new Outdated("Train again", {
    again: () => this.#train(),
    undo: () => this.#store.set({ settings: this.#state.made, problem: null }),
  });
  #progress = new Progress(() =>
    this.#api.cancel(this.#state.job.id).catch((/** @type {Error} */ problem) => this.#store.set({ problem })),
  );
  #button = h("button", { class: "primary", type: "submit" }, "Train");
  #deadEnd = new DeadEnd();
  #backprop;
  #training;
  #stage;
  #errand = new Errand();
  /** @type {AbortController|null} */
  #asking = null;
  /** @type {Record<string, any>} */
  #asked = {};
  /** @type {Object|null} */
  #posting = null;
  #isVisible = false;

  /** @param {{api: import("../api.js").Api, catalogue: import("../catalogue.js").Catalogue}} page */
  constructor({ api, catalogue }) {
    this.#api = api;
    this.#catalogue = catalogue;
    const set = (/** @type {Object} */ patch) => this.#set(patch);
    this.#network = new NetworkForm(set);
    this.#method = new MethodForm(catalogue, set, { isForNetwork: true });
    this.#steps = numberInput(1000, (steps) => set({ steps }), { inputmode: "numeric" });
    this.#backprop = new Backprop({
      uncover: (patch) => this.#store.set(patch),
      sample: (sample) => this.#store.set({ sample }),
    });
    this.#training = new Training((step) => this.#store.set({ step }));
    this.#form = this.#makeForm();
    this.#stage = h(
      "section",
      { class: "stage", "aria-label": "Picture" },
      this.#outdated.element,
      this.#notice,
      this.#deadEnd.element,
      this.#backprop.element,
      this.#training.element,
    );
    this.element = h(
      "div",
      { class: "network-view" },
      h("h1", { class: "visually-hidden" }, "Train a network"),
      this.#form,
      this.#stage,
    );
    this.#store.subscribe((state, before) => this.#follow(state, before));
  }

  /** The address of what is shown, or was when the view was hidden. */
  get hash() {
    return permalink.hashOf("network", addressed(this.#state));
  }

  /** Shows what an address asks for. @param {Record<string, any>} values */
  show(values) {
    this.#isVisible = true;
    this.#asked = values;
    this.#posting = null;
    this.#asking?.abort();
    const { offer } = this.#state;
    const { state, isDamaged } = stateFrom(values);
    this.#store.set({ ...state, offer, isOpening: true, notice: isDamaged ? DAMAGED : null });
    this.#errand.resume();
    this.#errand.start((signal) => this.#load(values, signal));
  }

  /** Shows what was shown when the view was hidden, and continues it. */
  resume() {
    this.#isVisible = true;
    this.#training.restyle();
    permalink.write("network", addressed(this.#state));
    this.#render(this.#state);
    this.#errand.resume();
  }

  hide() {
    this.#isVisible = false;
    this.#training.stop();
    this.#errand.pause();
  }

  restyle() {
    this.#training.restyle();
    this.#training.draw(this.#state);
  }

  reconnect() {
    if (this.#state.isOpening) this.show(this.#asked);
    else this.#ask(this.#state);
  }

  get #state() {
    return this.#store.state;
  }

  #makeForm() {
    return h(
      "form",
      {
        class: "job-form",
        novalidate: true,
        "aria-label": "Training settings",
        onsubmit: instead(() => this.#train()),
      },
      this.#network.element,
      h(
        "fieldset",
        null,
        h("legend", null, "Method"),
        this.#method.element,
        field({ label: "Steps", control: this.#steps, pointer: "#/steps" }),
      ),
      h("div", { class: "form-foot" }, this.#alert, this.#button, this.#progress.element),
    );
  }

  /** Another network has no results yet; those of another method stay, and say so. @param {Object} patch */
  #set(patch) {
    const isOther = "network" in patch || "hidden" in patch;
    this.#leave({
      settings: { ...this.#state.settings, ...patch },
      problem: null,
      ...(isOther ? NO_TRAINING : {}),
    });
  }

  /** Changes the state; results that have an address of their own stay in the history. @param {any} patch */
  #leave(patch) {
    const next = { ...this.#state, ...patch };
    if (this.#isVisible && this.#state.job && this.#state.job.id !== next.job?.id) {
      this.#posting = null;
      this.#errand.stop();
      permalink.write("network", addressed(next), { push: true });
    }
    this.#store.set(patch);
  }

  /** @param {any} state @param {any} before */
  #follow(state, before) {
    const asks = state.job
      ? changed(state, before, "step", "sample", "trajectory")
      : changed(state, before, "settings", "job");
    if (asks && !state.isOpening) this.#ask(state);
    if (!this.#isVisible) return;
    if (!state.isOpening && !state.deadEnd) permalink.write("network", addressed(state));
    this.#render(state);
  }

  /** @param {Record<string, any>} values @param {AbortSignal} signal */
  async #load(values, signal) {
    try {
      const offer = await this.#catalogue.networks();
      if (signal.aborted) return;
      if (values.job === undefined) {
        this.#store.set({
          offer,
          isOpening: false,
          problem: unknownIn(this.#state.settings, offer, this.#catalogue),
        });
        if (!this.#state.problem) this.#ask(this.#state);
        return;
      }
      const job = await this.#api.job(String(values.job), signal);
      if (!job.spec.function?.mlp) {
        location.replace(permalink.hashOf("run", { job: job.id }));
        return;
      }
      const settings = settingsOf(job.spec, offer);
      this.#store.set({ offer, job, settings, made: settings, progress: progressOf(job), isOpening: false });
      this.#errand.start((next) => this.#watch(next));
    } catch (problem) {
      if (!signal.aborted) this.#notFound(problem);
    }
  }

  /** @param {any} problem */
  #notFound(problem) {
    if (problem.status === 404) {
      const way = { text: "Set up a new network", go: () => this.#begin() };
      this.#catalogue.networks().then(
        (offer) => this.#store.set({ offer, deadEnd: noJob(way) }),
        () => {},
      );
    } else {
      this.#store.set({ problem, deadEnd: problem instanceof Disconnected ? { text: problem.message } : null });
    }
  }

  /** Begins with a network of the form, where the address named a job that is not here. */
  #begin() {
    this.#store.set({ deadEnd: null, isOpening: false });
    this.#ask(this.#state);
  }

  /**
   * Asks for both passes: of the network of the job at its step, or of one that is yet to be trained.
   * @param {any} state
   */
  async #ask(state) {
    const { offer, job, sample, trajectory, step } = state;
    this.#asking?.abort();
    if (!offer || (job && !trajectory)) return;
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    try {
      let pass;
      if (job) {
        const at = step === null ? undefined : trajectory.step[entryAt(trajectory, step)];
        pass = {
          ...(await this.#api.jobBackprop(job.id, { step: at, sample }, signal)),
          network: job.spec.function.mlp,
          isTrained: true,
        };
      } else {
        pass = await this.#untrained(state, signal);
      }
      if (!signal.aborted) this.#store.set({ pass });
    } catch (problem) {
      if (!signal.aborted) this.#store.set({ pass: null, problem: job ? problem : inNetwork(problem) });
    }
  }

  /**
   * Asks for both passes of a network before any training, at some input.
   * @param {any} state
   * @param {AbortSignal} signal
   */
  async #untrained({ settings, offer }, signal) {
    const { dataset: _, batch_size: __, ...network } = networkOf(settings, offer);
    network.output_activation = outputActivationOf(settings.network, offer);
    const input = Array.from({ length: network.layers[0] }, (_each, index) => 1 / (index + 1));
    const target = Array.from({ length: network.layers.at(-1) }, (_each, index) => (index === 0 ? 1 : 0));
    const pass = await this.#api.backprop({ ...network, seed: settings.seed, input, target }, signal);
    return { ...pass, network, input, target, isTrained: false };
  }

  async #train() {
    const { settings, offer } = this.#state;
    if (!offer) return;
    const posting = {};
    this.#posting = posting;
    this.#store.set({ isPosting: true, problem: null, deadEnd: null, notice: null });
    try {
      const job = await this.#api.postJob(specOf(settings, offer));
      if (this.#posting !== posting) return;
      const pass = this.#state.pass?.isTrained ? null : this.#state.pass; // an untrained pass is where this training begins
      this.#leave({
        ...NO_TRAINING,
        pass,
        job,
        made: settings,
        progress: progressOf(job),
        isPosting: false,
        isOpening: false,
      });
      this.#errand.start((signal) => this.#watch(signal));
    } catch (problem) {
      if (this.#posting === posting) this.#store.set({ problem, isPosting: false });
    }
  }

  /** @param {AbortSignal} signal */
  async #watch(signal) {
    const { job } = this.#state;
    const set = (/** @type {Object} */ patch) => !signal.aborted && this.#store.set(patch);
    try {
      set({ samples: await this.#api.samples(job.id, signal) });
      const ended = hasEnded(job) ? job : await this.#followJob(job, set, signal);
      const trajectory = await this.#api.trajectory(job.id, { run: 0, max_points: ENTRIES }, signal);
      set({ job: ended, progress: progressOf(ended), trajectory, lost: false });
    } catch (/** @type {any} */ problem) {
      if (problem.status === 404)
        set({
          ...NO_TRAINING,
          deadEnd: noJob({ text: "Keep its settings", go: () => this.#store.set({ deadEnd: null }) }),
        });
      else set({ problem });
      return;
    }
    try {
      set({ landscape: await this.#api.landscape(job.id, { points: 45 }, signal), landscapeProblem: null });
    } catch (problem) {
      set({ landscapeProblem: problem });
    }
  }

  /**
   * Follows a job to its end and shows its progress; returns it as it ended.
   * @param {import("../service").Job} job
   * @param {(patch: Object) => void} set
   * @param {AbortSignal} signal
   */
  #followJob(job, set, signal) {
    let busyUntil = 0;
    const growth = new Growth(this.#api, job.id, { nRuns: 1, entries: ENTRIES });
    const look = async (/** @type {number} */ step) => {
      if (performance.now() < busyUntil) return;
      busyUntil = Infinity;
      const [trajectory] = await growth.fetch(step, signal).catch(() => [null]);
      if (trajectory && busyUntil === Infinity && !hasEnded(this.#state.job)) set({ trajectory });
      busyUntil = performance.now() + LIVE_MS;
    };
    const progress = (/** @type {import("../service").Progress} */ news) => {
      set({ progress: news, ...(news.status === job.status ? {} : { job: { ...job, status: news.status } }) });
      if (news.step > 0) look(news.step);
    };
    return this.#api.follow(
      job.id,
      { progress, lost: () => set({ lost: true }), found: () => set({ lost: false }) },
      signal,
    );
  }

  /** @param {any} state */
  #render(state) {
    const { offer, settings, made, progress, lost, problem, job, isPosting, deadEnd, isOpening, notice } = state;
    if (offer) this.#network.update(offer, settings);
    if (this.#steps !== document.activeElement) this.#steps.value = settings.steps ?? "";
    this.#method.update(settings);
    this.#button.disabled = isPosting || !offer;
    this.#progress.update(
      isPosting ? { status: "queued", step: 0, steps: Number(settings.steps) || 1 } : progress,
      { lost, job },
    );
    const rest = showProblem(this.#form, problem);
    this.#alert.hidden = rest.length === 0;
    replace(
      this.#alert,
      rest.map((text) => h("p", null, text)),
    );
    this.#notice.hidden = notice === null;
    this.#notice.textContent = notice ?? "";
    const instead = deadEnd ?? (isOpening ? LOADING : null);
    this.#deadEnd.update(instead);
    this.#stage.classList.toggle("closed", instead !== null);
    const isOld = isOutdated(state);
    this.#outdated.update(isOld ? madeBy(made, this.#catalogue) : null);
    this.#stage.classList.toggle("outdated", isOld);
    this.#backprop.draw(state);
    this.#training.draw(state);
  }
}

const LOADING = { text: "Loading …" };

/** @param {import("../service").Job} job */
function progressOf(job) {
  return { ...job.progress, status: job.status };
}

/**
 * Complaints about a network that is yet to be trained point at the same fields as those about its job.
 * @param {any} problem
 */
function inNetwork(problem) {
  const pointer = (/** @type {string} */ at) =>
    at === "#/seed" ? "#/init/seed" : at.replace("#/", "#/function/mlp/");
  return {
    message: problem.message,
    errors: problem.errors?.map((/** @type {import("../service").Complaint} */ each) => ({
      ...each,
      pointer: pointer(each.pointer),
    })),
  };
}
