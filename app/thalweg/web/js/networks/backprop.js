/** The forward pass through a network, and the backward pass as far as it is uncovered, with its numbers. */

import { numberInput } from "../controls/field.js";
import { formula as set } from "../controls/formula.js";
import { h, replace } from "../dom.js";
import { count, point, short } from "../numbers.js";
import { hasEnded } from "../watch.js";
import { derivation } from "./derivation.js";
import { NetworkDiagram } from "./diagram.js";

export class Backprop {
  #on;
  #diagram;
  #derivation = h("dl", { class: "derivation", "aria-live": "polite" });
  #caption = h("p", { class: "hint" });
  #back = h("button", { type: "button", onclick: () => this.#uncover(-1) }, "Step backwards");
  #forth = h("button", { type: "button", onclick: () => this.#uncover(1) }, "Undo a step");
  #sample;
  #switch;
  #content;
  /** @type {any} */
  #state = null;

  /** @param {{uncover: (patch: {shown?: number, chosen: Object}) => void, sample: (sample: number) => void}} on */
  constructor(on) {
    this.#on = on;
    this.#diagram = new NetworkDiagram((chosen) => on.uncover({ chosen }));
    this.#sample = numberInput(0, (sample) => on.sample(sample ?? 0), { inputmode: "numeric" });
    this.#switch = h("label", { class: "switch" }, "Sample ", this.#sample);
    this.#content = h("div", { class: "backprop" }, this.#diagram.element, this.#derivation);
    this.element = h(
      "div",
      { class: "backprop-part" },
      h(
        "div",
        { class: "view-bar" },
        h("h2", null, "Backpropagation"),
        h("span", { class: "buttons" }, this.#back, this.#forth),
        this.#switch,
      ),
      this.#caption,
      this.#content,
    );
  }

  /** @param {any} state of the view */
  draw(state) {
    this.#state = state;
    const { pass, job, sample } = state;
    if (this.#sample !== document.activeElement) this.#sample.value = sample;
    this.#switch.hidden = !job;
    this.#content.hidden = !pass;
    if (pass) this.#drawPass(state);
    else {
      this.#back.disabled = this.#forth.disabled = true;
      this.#caption.textContent = whyNone(state);
    }
  }

  /** @param {any} state */
  #drawPass({ pass, shown: wanted, chosen: picked }) {
    const n = pass.layers.length;
    const shown = Math.min(wanted ?? n, n);
    const isThere = picked && pass.layers[picked.layer]?.output.length > picked.node;
    const chosen = isThere ? picked : { layer: n - 1, node: 0 };
    this.#back.disabled = shown === 0;
    this.#forth.disabled = shown === n;
    this.#diagram.draw(pass, pass.input, shown, chosen);
    const when = pass.isTrained ? `At step ${count(pass.step)}, sample ${pass.sample}` : "Before training";
    this.#caption.textContent = `${when}: input ${point(pass.input)}, target ${point(pass.target)}, error ${short(pass.error)}. The delta rule and autograd agree to within ${short(pass.autograd_max_abs_difference, 2)}.`;
    const steps = derivation(pass, pass.network, pass.input, pass.target, chosen);
    const seen = chosen.layer >= shown ? steps : steps.slice(0, 2);
    replace(
      this.#derivation,
      h("dt", { class: "where" }, `Layer ${chosen.layer + 1}, node ${chosen.node + 1}`),
      seen.flatMap(({ what, formula, numbers }) => [
        h("dt", null, what),
        h("dd", null, h("span", { class: "formula-line" }, set(formula)), h("span", null, numbers)),
      ]),
    );
  }

  /** Uncovers the backward pass of one more layer towards the inputs, or covers one up again. @param {number} by */
  #uncover(by) {
    const { pass, shown } = this.#state;
    const n = pass.layers.length;
    const next = Math.min(Math.max((shown ?? n) + by, 0), n);
    this.#on.uncover({ shown: next, chosen: { layer: Math.min(next, n - 1), node: 0 } });
  }
}

/** @param {any} state */
function whyNone({ job, problem }) {
  if (job && !hasEnded(job))
    return job.status === "queued" ? "Waiting for a worker …" : "Waiting for the first steps …";
  return problem ? "There is nothing to show until the form is mended." : "Loading …";
}
