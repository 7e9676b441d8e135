/** What is looked at, and how: scale, window, and of many coordinates which two. */

import { choice } from "../controls/field.js";
import { h, replace } from "../dom.js";

export class ViewBar {
  #on;
  #axes = h("span", { class: "axes" });
  #log;
  #fit;
  #shown = "";

  /**
   * @param {{log: (log: boolean) => void, zoom: (factor: number) => void, whole: () => void, fit: () => void,
   *          axes: (axes: number[]) => void, turn: () => void}} on
   */
  constructor(on) {
    this.#on = on;
    this.#log = h("input", {
      type: "checkbox",
      role: "switch",
      id: "log-scale",
      onchange: (event) => on.log(event.target.checked),
    });
    this.#fit = button("Fit the paths", on.fit);
    this.element = h(
      "div",
      { class: "view-bar", role: "group", "aria-label": "View" },
      h("span", { class: "switch" }, this.#log, h("label", { for: "log-scale" }, "log scale")),
      this.#axes,
      h(
        "span",
        { class: "buttons" },
        button("−", () => on.zoom(1.5), "Zoom out", "Zoom out: −, or Ctrl and the wheel over the map"),
        button("+", () => on.zoom(1 / 1.5), "Zoom in", "Zoom in: +, or Ctrl and the wheel over the map"),
        button("Whole domain", on.whole),
        this.#fit,
        button("First view", on.turn, "Turn the surface back to its first view"),
      ),
    );
  }

  /** @param {{log: boolean, names: string[], axes: number[], hasPaths: boolean}} view */
  update({ log, names, axes, hasPaths }) {
    this.#log.checked = log;
    this.#fit.disabled = !hasPaths;
    const shown = JSON.stringify([names, axes]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (names.length <= 2) {
      replace(this.#axes);
      return;
    }
    const options = names.slice(0, 100).map((name, index) => [String(index), name]);
    const picker = (/** @type {number} */ place) =>
      choice(options, String(axes[place]), (text) => this.#on.axes(chosen(axes, place, Number(text))), {
        "aria-label": place ? "Vertical coordinate" : "Horizontal coordinate",
      });
    replace(this.#axes, "slice ", picker(0), " × ", picker(1));
  }
}

/**
 * Returns the axes after one is chosen; the two are swapped where both would be the same.
 * @param {number[]} axes
 * @param {number} place
 * @param {number} axis
 */
function chosen(axes, place, axis) {
  const next = axes.with(place, axis);
  return next[0] === next[1] ? next.with(1 - place, axes[place]) : next;
}

/** @param {string} text @param {() => void} onclick @param {string|null} [label] @param {string|null} [title] */
function button(text, onclick, label = null, title = label) {
  return h("button", { type: "button", onclick, "aria-label": label, title }, text);
}
