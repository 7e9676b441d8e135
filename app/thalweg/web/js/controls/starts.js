/** The starts as text, beside the map, for typing. */

import { h, replace } from "../dom.js";
import { given } from "../given.js";
import { toPixelPrecision } from "../numbers.js";
import { pathColor } from "../plots/palette.js";
import { pointHint } from "../words.js";
import { numbersIn } from "./field.js";

const AT_RANDOM = 5;
const MOST_ROWS = 40;

export class Starts {
  #onChange;
  #rows = h("ol", { class: "starts-list" });
  #note = h("p", { class: "hint" });
  /** @type {{dim: number, domain: number[][]|null}|null} */
  #info = null;
  /** @type {any} */
  #init = [];

  /** @param {(init: number[][]) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    this.element = h(
      "fieldset",
      { "data-pointer": "#/init" },
      h("legend", null, "Starts"),
      this.#rows,
      this.#note,
      h("p", { class: "error", role: "alert", hidden: true }),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", onclick: () => this.#add([this.#middle()]) }, "Add"),
        h("button", { type: "button", onclick: () => this.#add(this.#random()) }, `${AT_RANDOM} at random`),
        h("button", { type: "button", onclick: () => onChange([]) }, "Clear"),
      ),
    );
  }

  /** @param {{dim: number, domain: number[][]|null}} info @param {number[][]|Object} init as a job has it */
  update(info, init) {
    if (init === this.#init && info === this.#info) return;
    this.#info = info;
    this.#init = init;
    const points = pointsOf(init);
    replace(
      this.#rows,
      points.slice(0, MOST_ROWS).map((x, index) => this.#row(x, index, points.length)),
    );
    this.#note.textContent = noteOn(init, points.length);
    this.#note.hidden = this.#note.textContent === "";
  }

  /** @param {any} x @param {number} index @param {number} n */
  #row(x, index, n) {
    const text = h("input", {
      type: "text",
      value: x.join(", "),
      "aria-label": `Start ${index + 1}`,
      placeholder: pointHint(given(this.#info).dim),
      autocomplete: "off",
      onchange: (event) => this.#replaceAt(index, numbersIn(event.target.value)),
    });
    return h(
      "li",
      { "data-pointer": `#/init/${index}` },
      h("span", { class: "dot", style: `background:${pathColor(index, n)}` }),
      text,
      h(
        "button",
        {
          type: "button",
          class: "plain",
          "aria-label": `Remove start ${index + 1}`,
          onclick: () => this.#replaceAt(index, null),
        },
        "✕",
      ),
      h("p", { class: "error", role: "alert", hidden: true }),
    );
  }

  /** @param {number} index @param {any} x */
  #replaceAt(index, x) {
    const points = pointsOf(this.#init);
    this.#onChange(x === null ? points.toSpliced(index, 1) : points.with(index, x));
  }

  /** @param {any[]} points */
  #add(points) {
    this.#onChange([...pointsOf(this.#init), ...points]);
  }

  #middle() {
    return this.#domain().map(([low, high]) => toPixelPrecision((low + high) / 2, high - low));
  }

  #random() {
    const one = () =>
      this.#domain().map(([low, high]) => toPixelPrecision(low + Math.random() * (high - low), high - low));
    return Array.from({ length: AT_RANDOM }, one);
  }

  #domain() {
    return given(this.#info).domain ?? Array(given(this.#info).dim).fill([-1, 1]);
  }
}

/**
 * Returns the points of an `init` that lists them; none of one that says how to make them.
 * @param {any} init
 * @returns {any[]}
 */
export function pointsOf(init) {
  if (!Array.isArray(init)) return [];
  return Array.isArray(init[0]) || init.length === 0 ? init : [init];
}

/** @param {any} init @param {number} nPoints */
function noteOn(init, nPoints) {
  if (!Array.isArray(init)) {
    const kind =
      "random" in init
        ? `${init.random} at random, seed ${init.seed}`
        : `A grid of ${init.grid?.shape?.join(" × ")}`;
    return `${kind}. Clear them to place starts by hand.`;
  }
  if (nPoints === 0) return "Click on the map, or add a start here.";
  return nPoints > MOST_ROWS ? `And ${nPoints - MOST_ROWS} more.` : "";
}
