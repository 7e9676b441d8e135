/** The Network view: a network that learns, what it answers, and how its gradients come about. */

import { field, numberInput, showProblem } from "../controls/field.js";
import { formula as set } from "../controls/formula.js";
import { MethodForm } from "../controls/method_form.js";
import { NetworkForm } from "../controls/network_form.js";
import { PlayBar } from "../controls/play_bar.js";
import { Progress } from "../controls/progress.js";
import { h, replace } from "../dom.js";
import { Growth } from "../growth.js";
import { Boundary } from "../networks/boundary.js";
import { derivation } from "../networks/derivation.js";
import { NetworkDiagram } from "../networks/diagram.js";
import { partsOf } from "../networks/forward.js";
import { short } from "../numbers.js";
import * as permalink from "../permalink.js";
import { FIRST_CAMERA } from "../plots/camera.js";
import { CurvePlot } from "../plots/curve.js";
import { Heights } from "../plots/heights.js";
import { entryAt } from "../plots/path.js";
import { pathColor } from "../plots/palette.js";
import { SurfacePlot } from "../plots/surface.js";
import { Store, changed } from "../store.js";
import { hasEnded } from "../watch.js";
import { addressed, FIRST_STATE, networkOf, outputActivationOf, settingsOf, specOf, stateFrom } from "./network_state.js";

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
  #progress = new Progress(() => this.#api.cancel(this.#state.job.id).catch((problem) => this.#store.set({ problem })));
  #diagram = new NetworkDiagram((chosen) => this.#store.set({ chosen }));
  #derivation = h("dl", { class: "derivation", "aria-live": "polite" });
  #caption = h("p", { class: "hint" });
  #back = h("button", { type: "button", onclick: () => this.#uncover(-1) }, "Step backwards");
  #forth = h("button", { type: "button", onclick: () => this.#uncover(1) }, "Undo a step");
  #sample = numberInput(0, (sample) => this.#store.set({ sample: sample ?? 0 }), { inputmode: "numeric" });
  #boundary = new Boundary();
  #bar = new PlayBar((step) => this.#store.set({ step }));
  #curve = new CurvePlot("Loss by step", (path) => path.f, () => {});
  #surface = new SurfacePlot({ onCamera: () => {}, onHover: () => {} });
  #training = h("div", { class: "training", hidden: true });
  #watching = null;
  #asking = null;
  #visible = false;
  #drawn = null;

  constructor({ api, catalogue }) {
    this.#api = api;
    this.#catalogue = catalogue;
    const set = (patch) => this.#store.set({ settings: { ...this.#state.settings, ...patch }, job: null, trajectory: null, landscape: null, step: null, shown: null, chosen: null, problem: null });
    this.#network = new NetworkForm(set);
    this.#method = new MethodForm(catalogue, set, { isForNetwork: true });
    this.#steps = numberInput(1000, (steps) => set({ steps }), { inputmode: "numeric" });
    this.#form = this.#makeForm();
    replace(
      this.#training,
      h("h2", null, "Training"),
      this.#bar.element,
      h("div", { class: "views" }, this.#boundary.element, this.#surface.element),
      h("p", { class: "hint" }, "Left: what the network answers, and the samples. Right: the loss on the plane that holds most of the path’s variance, with the path’s shadow."),
      this.#curve.element,
    );
    this.element = h(
      "div",
      { class: "network-view" },
      h("h1", { class: "visually-hidden" }, "Train a network"),
      this.#form,
      h(
        "section",
        { class: "stage", "aria-label": "Picture" },
        h("div", { class: "view-bar" }, h("h2", null, "Backpropagation"), h("span", { class: "buttons" }, this.#back, this.#forth), h("label", { class: "switch" }, "sample ", this.#sample)),
        this.#caption,
        h("div", { class: "backprop" }, this.#diagram.element, this.#derivation),
        this.#training,
      ),
    );
    this.#store.subscribe((state, before) => this.#follow(state, before));
  }

  async show(values) {
    this.#visible = true;
    this.#stop();
    const { offer } = this.#state;
    this.#store.set({ ...stateFrom(values), offer });
    if (!offer && !(await this.#learn())) return;
    if (typeof values.job === "string") await this.#open(values.job);
    else await this.#ask(this.#state);
  }

  hide() {
    this.#visible = false;
    this.#bar.stop();
    this.#stop();
  }

  restyle() {
    if (this.#state.landscape) this.#drawTraining(this.#state, true);
  }

  async reconnect() {
    if (this.#state.offer || (await this.#learn())) this.#ask(this.#state);
  }

  get #state() {
    return this.#store.state;
  }

  #makeForm() {
    return h(
      "form",
      { class: "job-form", novalidate: true, "aria-label": "The training", onsubmit: (event) => (event.preventDefault(), this.#train()) },
      this.#network.element,
      h("fieldset", null, h("legend", null, "Method"), this.#method.element, field({ label: "Steps", control: this.#steps, pointer: "#/steps" })),
      h("div", { class: "form-foot" }, this.#alert, h("button", { class: "primary", type: "submit" }, "Train"), this.#progress.element),
    );
  }

  #follow(state, before) {
    if (!this.#visible) return;
    permalink.write("network", addressed(state), { push: state.job !== null && state.job.id !== before.job?.id });
    const asks = state.job ? changed(state, before, "step", "sample", "trajectory") : changed(state, before, "settings", "sample", "job");
    if (asks) this.#ask(state);
    this.#render(state);
    if (changed(state, before, "trajectory", "step", "landscape", "samples")) this.#drawTraining(state, changed(state, before, "landscape"));
  }

  /** Finds out what networks can be told. */
  async #learn() {
    try {
      this.#store.set({ offer: await this.#catalogue.networks() });
      return true;
    } catch (problem) {
      this.#store.set({ problem });
      return false;
    }
  }

  /** Asks for both passes: of the job's network at its step, or of one that is yet to be trained. */
  async #ask({ offer, job, settings, step, sample, trajectory }) {
    if (!offer) return;
    this.#asking?.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    try {
      let pass;
      if (job) {
        const at = trajectory && step !== null ? trajectory.step[entryAt(trajectory, step)] : undefined;
        pass = await this.#api.jobBackprop(job.id, { step: at, sample }, signal);
        pass = { ...pass, network: job.spec.function.mlp };
      } else {
        const { dataset: _, batch_size: __, ...network } = networkOf(settings, offer);
        network.output_activation = outputActivationOf(settings.network, offer);
        const input = Array.from({ length: network.layers[0] }, (_, index) => 1 / (index + 1));
        const target = Array.from({ length: network.layers.at(-1) }, (_, index) => (index === 0 ? 1 : 0));
        pass = await this.#api.backprop({ ...network, seed: settings.seed, input, target }, signal);
        pass = { ...pass, network, input, target };
      }
      if (!signal.aborted) this.#store.set({ pass });
    } catch (problem) {
      if (!signal.aborted) this.#store.set({ problem: inNetwork(problem) });
    }
  }

  async #train() {
    this.#stop();
    this.#store.set({ job: null, trajectory: null, landscape: null, step: null, problem: null });
    try {
      const job = await this.#api.postJob(specOf(this.#state.settings, this.#state.offer));
      this.#store.set({ job, progress: { ...job.progress, status: job.status } });
      await this.#watch(job);
    } catch (problem) {
      this.#store.set({ problem, progress: null });
    }
  }

  async #open(id) {
    try {
      const job = await this.#api.job(id);
      if (!job.spec.function.mlp) {
        location.replace(permalink.hashOf("run", { job: id }));
        return;
      }
      this.#store.set({ job, settings: settingsOf(job.spec, this.#state.offer), progress: { ...job.progress, status: job.status } });
      await this.#watch(job);
    } catch (problem) {
      this.#store.set({ problem });
    }
  }

  async #watch(job) {
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const set = (patch) => !signal.aborted && this.#store.set(patch);
    try {
      set({ samples: await this.#api.samples(job.id, signal) });
      let busyUntil = 0;
      const growth = new Growth(this.#api, job.id, { nRuns: 1, entries: ENTRIES });
      const look = async (step) => {
        if (performance.now() < busyUntil) return;
        busyUntil = Infinity;
        const [trajectory] = await growth.fetch(step, signal).catch(() => [null]);
        if (trajectory && busyUntil === Infinity) set({ trajectory });
        busyUntil = performance.now() + LIVE_MS;
      };
      let ended = job;
      if (!hasEnded(job)) {
        const progress = (news) => (set({ progress: news }), news.step > 0 && look(news.step));
        ended = await this.#api.follow(job.id, { progress, lost: () => set({ lost: true }), found: () => set({ lost: false }) }, signal);
      }
      const trajectory = await this.#api.trajectory(job.id, { run: 0, max_points: ENTRIES }, signal);
      set({ job: ended, progress: { ...ended.progress, status: ended.status }, trajectory, lost: false });
      set({ landscape: await this.#api.landscape(job.id, { points: 45 }, signal) });
    } catch (problem) {
      set({ problem });
    }
  }

  #stop() {
    this.#watching?.abort();
    this.#watching = null;
  }

  /** Uncovers the backward pass of one more layer towards the inputs, or covers one up again. */
  #uncover(by) {
    const { pass, shown } = this.#state;
    if (!pass) return;
    const n = pass.layers.length;
    const next = Math.min(Math.max((shown ?? n) + by, 0), n);
    const layer = Math.min(next, n - 1);
    this.#store.set({ shown: next, chosen: { layer, node: 0 } });
  }

  #render(state) {
    const { offer, settings, pass, progress, lost, problem, sample, job } = state;
    if (offer) this.#network.update(offer, settings);
    if (this.#steps !== document.activeElement) this.#steps.value = settings.steps ?? "";
    this.#method.update(settings);
    this.#progress.update(progress, lost);
    if (this.#sample !== document.activeElement) this.#sample.value = sample;
    this.#sample.parentElement.hidden = !job;
    this.#training.hidden = !job;
    const rest = showProblem(this.#form, problem);
    this.#alert.hidden = rest.length === 0;
    replace(this.#alert, rest.map((text) => h("p", null, text)));
    if (pass) this.#renderPass(state);
  }

  #renderPass({ pass, shown: wanted, chosen: picked, job }) {
    const n = pass.layers.length;
    const shown = Math.min(wanted ?? n, n);
    const isThere = picked && pass.layers[picked.layer]?.output.length > picked.node;
    const chosen = isThere ? picked : { layer: n - 1, node: 0 };
    this.#back.disabled = shown === 0;
    this.#forth.disabled = shown === n;
    this.#diagram.draw(pass, pass.input, shown, chosen);
    const of = job ? `at step ${pass.step}, sample ${pass.sample}` : "before any training";
    this.#caption.textContent = `${of}: input (${pass.input.map((each) => short(each)).join(", ")}), target (${pass.target.map((each) => short(each)).join(", ")}), error ${short(pass.error)}. The delta rule and autograd differ by ${short(pass.autograd_max_abs_difference, 2)} at most.`;
    const steps = derivation(pass, pass.network, pass.input, pass.target, chosen);
    const seen = chosen.layer >= shown ? steps : steps.slice(0, 2);
    replace(
      this.#derivation,
      h("dt", { class: "where" }, `Layer ${chosen.layer + 1}, node ${chosen.node + 1}`),
      seen.flatMap(({ what, formula, numbers }) => [h("dt", null, what), h("dd", null, h("span", { class: "formula-line" }, set(formula)), h("span", null, numbers))]),
    );
  }

  #drawTraining({ job, trajectory, step, samples, landscape }, isNewLandscape) {
    if (!job || !trajectory?.step.length || !samples) return;
    const last = trajectory.step.at(-1);
    const at = Math.min(step ?? last, last);
    const network = job.spec.function.mlp;
    const point = trajectory.x[entryAt(trajectory, at)];
    this.#bar.update(at, last);
    if (!point.includes(null)) this.#boundary.draw(partsOf(point, network.layers), network, samples);
    const path = { name: "loss", color: pathColor(0, 8), step: trajectory.step, f: trajectory.f };
    if (this.#drawn !== trajectory) this.#curve.draw({ paths: [path], log: true, base: 0, title: network.batch_size ? "loss of the mini-batch" : "loss" });
    this.#drawn = trajectory;
    this.#curve.mark(at);
    if (!landscape) return;
    const way = { name: "path", color: pathColor(0, 8), step: landscape.step, x: landscape.path.map(([x]) => x), y: landscape.path.map(([, y]) => y), f: landscape.f };
    if (isNewLandscape) {
      const heights = new Heights(landscape.z, [], true);
      this.#surface.draw({ grid: landscape, heights, paths: [way], minima: [], names: ["1st direction", "2nd direction"], camera: FIRST_CAMERA, isWhole: true });
    }
    const entry = entryAt(way, at);
    this.#surface.mark([{ x: way.x[entry], y: way.y[entry], f: way.f[entry], color: way.color }]);
  }
}

/** Complaints about a network that is yet to be trained point at the same fields as those about its job. */
function inNetwork(problem) {
  const pointer = (at) => (at === "#/seed" ? "#/init/seed" : at.replace("#/", "#/function/mlp/"));
  return { message: problem.message, errors: problem.errors?.map((each) => ({ ...each, pointer: pointer(each.pointer) })) };
}
