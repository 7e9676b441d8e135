/** The bar that plays the steps, or goes to one. */

import { h } from "../dom.js";
import { count } from "../numbers.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const SECONDS = 8; // for all steps, at speed 1

export class PlayBar {
  #onStep;
  #last = 0;
  #step = 0;
  #frame = 0;
  #play = h("button", { type: "button", class: "icon", onclick: () => this.#toggle() });
  #slider = h("input", { type: "range", min: 0, step: 1, "aria-label": "Step", oninput: () => this.#moved() });
  #speed = h(
    "select",
    { "aria-label": "Speed" },
    SPEEDS.map((speed) => h("option", { value: speed, selected: speed === 1 }, `${speed}×`)),
  );
  #readout = h("output", { class: "readout" });

  /** @param {(step: number) => void} onStep */
  constructor(onStep) {
    this.#onStep = onStep;
    this.element = h(
      "div",
      { class: "play-bar", role: "group", "aria-label": "Play the steps" },
      this.#play,
      this.#slider,
      this.#speed,
      this.#readout,
    );
    this.#label();
  }

  /** Shows a step of so many. @param {number} step @param {number} last */
  update(step, last) {
    this.#last = last;
    this.#step = step;
    this.#slider.max = String(last);
    this.#slider.value = String(step);
    this.#slider.disabled = this.#play.disabled = last === 0;
    this.#readout.textContent = `step ${count(step)} of ${count(last)}`;
  }

  /** Stops playing. */
  stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#label();
  }

  #toggle() {
    if (this.#frame) this.stop();
    else this.#start(this.#step >= this.#last ? 0 : this.#step);
  }

  /** @param {number} from */
  #start(from) {
    let [place, before] = [from, performance.now()];
    const go = (/** @type {number} */ now) => {
      place += ((now - before) / 1000 / SECONDS) * this.#last * Number(this.#speed.value);
      before = now;
      this.#onStep(Math.min(Math.round(place), this.#last));
      if (place >= this.#last) this.stop();
      else this.#frame = requestAnimationFrame(go);
    };
    this.#frame = requestAnimationFrame(go);
    this.#label();
  }

  #moved() {
    this.stop();
    this.#onStep(Number(this.#slider.value));
  }

  #label() {
    const playing = this.#frame !== 0;
    this.#play.textContent = playing ? "❚❚" : "▶";
    this.#play.setAttribute("aria-label", playing ? "Pause" : "Play");
  }
}
