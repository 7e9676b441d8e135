/** How far a job is, and what stands in its way. */

import { h } from "../dom.js";
import { count } from "../numbers.js";

const WORDS = { queued: "waiting for a worker", running: "running", succeeded: "done", failed: "failed", cancelled: "cancelled" };

export class Progress {
  #bar = h("progress", { max: 1, value: 0, "aria-label": "Progress of the job" });
  #text = h("span", { class: "progress-text", role: "status" });
  #cancel;

  /** @param {() => void} onCancel */
  constructor(onCancel) {
    this.#cancel = h("button", { type: "button", onclick: onCancel }, "Cancel");
    this.element = h("div", { class: "progress", hidden: true }, this.#bar, this.#text, this.#cancel);
  }

  /** @param {{status: string, step: number, steps: number}|null} progress @param {boolean} lost @param {number|null} milliseconds */
  update(progress, lost, milliseconds = null) {
    this.element.hidden = progress === null;
    if (progress === null) return;
    const { status, step, steps } = progress;
    const goesOn = status === "queued" || status === "running";
    this.#bar.max = steps;
    this.#bar.value = step;
    this.#bar.textContent = `${step} of ${steps}`;
    this.#cancel.hidden = !goesOn;
    const place = `${count(step)} of ${count(steps)} steps`;
    const took = milliseconds === null || goesOn ? "" : `, in ${milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`}`;
    this.#text.textContent = lost ? `${place} · the connection is lost, trying again` : `${place} · ${WORDS[status] ?? status}${took}`;
    this.element.classList.toggle("lost", lost);
  }
}
