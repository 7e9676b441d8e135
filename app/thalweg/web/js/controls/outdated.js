/** A mark on results whose settings differ from those in the form. */

import { h } from "../dom.js";

export class Outdated {
  #text = h("span");
  element;

  /**
   * @param {string} again the text of the button that computes them again
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

  /** @param {string|null} madeBy the settings of the results; null where they are those of the form */
  update(madeBy) {
    this.element.hidden = madeBy === null;
    if (madeBy !== null) this.#text.textContent = `These results are from ${madeBy} — settings have changed since.`;
  }
}
