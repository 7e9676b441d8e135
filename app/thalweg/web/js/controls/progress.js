/** How far a job is, and what stands in its way. */

import { h } from "../dom.js";
import { duration } from "../numbers.js";
import { stateOf, stepOf } from "../words.js";

export class Progress {
  #bar = h("progress", { max: 1, value: 0, "aria-label": "Progress of the job" });
  #state = h("span");
  #text = h("span", { class: "progress-text", role: "status" });
  #cancel;

  /** @param {() => void} onCancel */
  constructor(onCancel) {
    this.#cancel = h("button", { type: "button", onclick: onCancel }, "Cancel");
    this.element = h("div", { class: "progress", hidden: true }, this.#bar, this.#text, this.#cancel);
  }

  /**
   * @param {{status: string, step: number, steps: number}|null} progress
   * @param {{lost?: boolean, took?: number|null, job?: import("../service").Job|null}} more whether the connection is lost, for how many
   *   milliseconds the job ran, and the job, if it is known
   */
  update(progress, { lost = false, took = null, job = null } = {}) {
    this.element.hidden = progress === null;
    if (progress === null) return;
    const { status, step, steps } = progress;
    const goesOn = status === "queued" || status === "running";
    this.#bar.max = steps;
    this.#bar.value = step;
    this.#bar.textContent = stepOf(progress);
    this.#cancel.hidden = !goesOn;
    const { text, kind } = stateOf(status, { nDiverged: job?.n_diverged, nRuns: job?.n_runs });
    const time = took === null || goesOn ? "" : `, in ${duration(took)}`;
    this.#state.textContent = lost ? "connection lost, trying again" : text;
    this.#state.className = lost ? "bad" : kind;
    this.#text.replaceChildren(`${stepOf(progress)} · `, this.#state, lost ? "" : time);
  }
}
