/** Says of results that they are of other settings than those that the form has now. */

import { h } from "../dom.js";

export class Outdated {
  #text = h("span");
  element;

  /**
   * @param {string} again what the button says that computes them anew
   * @param {{again: () => void, undo: () => void}} on
   */
  constructor(again, on) {
    this.element = h(
      "p",
      { class: "outdated-mark", role: "status", hidden: true },
      this.#text,
      " ",
      h("button", { type: "button", onclick: on.again }, again),
      " ",
      h("button", { type: "button", class: "plain", onclick: on.undo }, "Undo changes"),
    );
  }

  /** @param {string|null} madeBy what made the results; null where that is what the form has */
  update(madeBy) {
    this.element.hidden = madeBy === null;
    if (madeBy !== null) this.#text.textContent = `These results are from ${madeBy} — settings have changed since.`;
  }
}
