/** Short texts beside places in space. */

import { h, replace } from "../dom.js";
import { seenAt } from "./camera.js";

const GAP = 9; // pixels, to the right of a place and upwards

export class Labels {
  element = h("div", { class: "box-texts place-texts", "aria-hidden": "true" });
  /** @type {number[][]} */
  #places = [];

  /** @param {Array<{text: string|number, place: number[]|null}>} labels */
  set(labels) {
    const placed = labels.flatMap(({ text, place }) => (place ? [{ text, place }] : []));
    this.#places = placed.map(({ place }) => place);
    replace(
      this.element,
      placed.map(({ text }) => h("span", null, text)),
    );
  }

  /**
   * Puts the texts where their places are seen.
   * @param {Float32Array} lens
   * @param {{width: number, height: number}} size
   */
  show(lens, size) {
    this.#places.forEach((place, index) => {
      const label = /** @type {HTMLElement} */ (this.element.children[index]);
      const at = seenAt(lens, place, size);
      label.style.visibility = at ? "" : "hidden";
      if (at)
        label.style.transform = `translate(${(at[0] + GAP).toFixed(1)}px, ${(at[1] - GAP).toFixed(1)}px) translateY(-50%)`;
    });
  }
}
