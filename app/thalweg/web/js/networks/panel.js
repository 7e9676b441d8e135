/** A picture, or a sentence that says why there is none. */

import { h } from "../dom.js";

export class Panel {
  #figure;
  #note = h("p", { class: "panel-note", role: "status", hidden: true });
  element;

  /** @param {HTMLElement} figure */
  constructor(figure) {
    this.#figure = figure;
    this.element = h("div", { class: "panel" }, figure, this.#note);
  }

  /** Shows the picture, or in its place a sentence. @param {string|null} text null where the picture is to be seen */
  say(text) {
    this.#figure.classList.toggle("away", text !== null); // it keeps its room
    this.#note.hidden = text === null;
    if (this.#note.textContent !== (text ?? "")) this.#note.textContent = text ?? "";
  }
}
