/** The pictures of a training: the answers of the network, the landscape of its loss, the loss by step. */

import { PlayBar } from "../controls/play_bar.js";
import { h } from "../dom.js";
import { FIRST_CAMERA } from "../plots/camera.js";
import { CurvePlot } from "../plots/curve.js";
import { Heights } from "../plots/heights.js";
import { colorAt } from "../plots/palette.js";
import { entryAt } from "../plots/path.js";
import { SurfacePlot } from "../plots/surface.js";
import { hasEnded } from "../watch.js";
import { inWords } from "../words.js";
import { Boundary } from "./boundary.js";
import { partsOf } from "./forward.js";
import { Panel } from "./panel.js";

export class Training {
  #bar;
  #boundary = new Boundary();
  #surface = new SurfacePlot({ onCamera: () => {}, onHover: () => {} });
  #curve = new CurvePlot(
    "Loss by step",
    (path) => path.f,
    () => {},
  );
  #answers = new Panel(this.#boundary.element);
  #landscape = new Panel(this.#surface.element);
  #loss = new Panel(this.#curve.element);
  /** @type {import("../service").Trajectory|null} */
  #drawnLoss = null;
  /** @type {any} */
  #drawnLandscape = null;

  /** @param {(step: number) => void} onStep */
  constructor(onStep) {
    this.#bar = new PlayBar(onStep);
    this.element = h(
      "div",
      { class: "training", hidden: true },
      h("h2", null, "Training"),
      this.#bar.element,
      h("div", { class: "views" }, this.#answers.element, this.#landscape.element),
      h(
        "p",
        { class: "hint" },
        "Left: the network’s output over its inputs, and the samples. Right: the loss on the plane that holds most of the path’s variance, and the path projected onto it.",
      ),
      this.#loss.element,
    );
  }

  /** Stops playing. */
  stop() {
    this.#bar.stop();
  }

  /** Draws everything again next time, in another theme. */
  restyle() {
    this.#drawnLoss = this.#drawnLandscape = null;
  }

  /** @param {any} state of the view: all of it is of the job, or null */
  draw(state) {
    const { job, trajectory, step } = state;
    this.element.hidden = job === null;
    if (!job) return;
    const hasSteps = Boolean(trajectory?.step.length);
    const last = hasSteps ? trajectory.step.at(-1) : 0;
    const at = Math.min(step ?? last, last);
    this.#bar.update(at, last);
    this.#answers.say(this.#drawAnswers(state, at));
    this.#landscape.say(this.#drawLandscape(state, at));
    this.#loss.say(hasSteps ? null : waiting(job));
    if (hasSteps) this.#drawLoss(state, at);
  }

  /**
   * Draws what the network answers at a step; returns why not, if it cannot.
   * @param {any} state
   * @param {number} at
   * @returns {string|null}
   */
  #drawAnswers({ job, trajectory, samples }, at) {
    if (!trajectory?.step.length || !samples) return waiting(job);
    if (samples.x[0].length > 2)
      return `The output is drawn over one or two inputs; this network has ${samples.x[0].length}.`;
    const network = job.spec.function.mlp;
    const point = trajectory.x[entryAt(trajectory, at)];
    if (point.includes(null)) return "The weights are not finite at this step: the training has diverged.";
    this.#boundary.draw(partsOf(point, network.layers), network, samples);
    return null;
  }

  /**
   * Draws the landscape of the loss; returns why not, if it cannot.
   * @param {any} state
   * @param {number} at
   * @returns {string|null}
   */
  #drawLandscape({ job, landscape, landscapeProblem }, at) {
    if (landscapeProblem) return `The loss landscape could not be computed. ${inWords(landscapeProblem.message)}`;
    if (!landscape)
      return hasEnded(job)
        ? "Computing the loss landscape …"
        : "The loss landscape is computed once training has ended.";
    const path = {
      name: "path",
      color: colorAt(0),
      step: landscape.step,
      x: landscape.path.map((/** @type {number[]} */ [x]) => x),
      y: landscape.path.map((/** @type {number[]} */ [, y]) => y),
      points: landscape.path,
      f: landscape.f,
    };
    if (this.#drawnLandscape !== landscape) {
      const heights = new Heights(landscape.z, [], true);
      this.#surface.draw({
        grid: landscape,
        heights,
        paths: [path],
        minima: [],
        names: ["1st direction", "2nd direction"],
        camera: FIRST_CAMERA,
        isWhole: true,
      });
    }
    this.#drawnLandscape = landscape;
    const entry = entryAt(path, at);
    this.#surface.mark([{ x: path.x[entry], y: path.y[entry], f: path.f[entry], color: path.color }]);
    return null;
  }

  /** @param {any} state @param {number} at */
  #drawLoss({ job, trajectory }, at) {
    const { step, x: points, f } = trajectory;
    const path = { name: "loss", color: colorAt(0), step, x: [], y: [], points, f };
    if (this.#drawnLoss !== trajectory)
      this.#curve.draw({
        paths: [path],
        log: true,
        base: 0,
        title: job.spec.function.mlp.batch_size ? "loss of the mini-batch" : "loss",
      });
    this.#drawnLoss = trajectory;
    this.#curve.mark(at);
  }
}

/** @param {{status: string}} job */
function waiting(job) {
  return job.status === "queued" ? "Waiting for a worker …" : "Waiting for the first steps …";
}
