/** Which function: the one that is chosen, and a gallery of all to choose from. */

import { h, replace, unique } from "../dom.js";
import { field, numberInput } from "./field.js";
import { formula } from "./formula.js";
import { FormulaInput } from "./formula_input.js";

export class FunctionPicker {
  #thumbnails;
  #functions;
  #onChoose;
  #onDim;
  #chosen = h("div", { class: "chosen-function", "data-pointer": "#/function" });
  #search = h("input", {
    type: "search",
    "aria-label": "Search functions",
    placeholder: "Search",
    oninput: () => this.#filter(),
  });
  #grid = h("ul", { class: "gallery", role: "list" });
  #none = h("p", { class: "notice", hidden: true }, "No function matches.");
  /** @type {HTMLDialogElement} */
  #dialog;
  /** @type {Object|null} */
  #shown = null;
  #formula;

  /**
   * @param {Object} options
   * @param {import("./thumbnail.js").Thumbnails} options.thumbnails
   * @param {import("../service").FunctionInfo[]} options.functions of the catalogue
   * @param {(name: string) => void} options.onChoose
   * @param {(dim: number) => void} options.onDim
   * @param {(reference: Object) => void} options.onFormula
   */
  constructor({ thumbnails, functions, onChoose, onDim, onFormula }) {
    this.#thumbnails = thumbnails;
    this.#functions = functions;
    this.#onChoose = onChoose;
    this.#onDim = onDim;
    const title = unique("gallery");
    this.#dialog = h(
      "dialog",
      {
        class: "gallery-dialog",
        "aria-labelledby": title,
        onclick: (event) => event.target === this.#dialog && this.#dialog.close(),
      },
      h(
        "header",
        null,
        h("h2", { id: title }, "Functions"),
        this.#search,
        h(
          "button",
          { type: "button", class: "plain", "aria-label": "Close", onclick: () => this.#dialog.close() },
          "✕",
        ),
      ),
      this.#grid,
      this.#none,
    );
    this.#formula = new FormulaInput(onFormula);
    this.element = h("div", { class: "function-picker" }, this.#chosen, this.#formula.element, this.#dialog);
  }

  /**
   * Shows which function is chosen.
   * @param {import("../service").FunctionInfo|null} info about it; null if it is not there
   * @param {import("../service").Reference} reference as a job has it
   */
  update(info, reference) {
    this.#formula.update(reference);
    const shown = info ?? reference;
    if (this.#shown === shown) return;
    this.#shown = shown;
    const isCatalogue = Boolean(info?.name);
    const size = info ? `${info.dim} coordinate${info.dim === 1 ? "" : "s"} · change` : "Choose a function";
    const title = info?.title ?? (reference.name ? `“${reference.name}”` : "Your formula");
    replace(
      this.#chosen,
      h(
        "button",
        { type: "button", class: "function-button", "aria-haspopup": "dialog", onclick: () => this.open() },
        info && isCatalogue ? this.#thumbnails.of(info) : null,
        h("span", null, h("strong", null, title), h("span", { class: "hint" }, size)),
      ),
      info?.formula
        ? h("div", { class: "formula", tabindex: 0, role: "group", "aria-label": "Formula" }, formula(info.formula))
        : null,
      (info?.dim ?? 0) > 2 && /x_/.test(info?.formula ?? "")
        ? h("p", { class: "hint" }, "The formula counts coordinates from 1, this page and the API from 0.")
        : null,
      info?.any_dim
        ? field({
            label: "Coordinates",
            control: numberInput(info.dim, (value) => this.#onDim(value), { inputmode: "numeric" }),
            pointer: "#/function/dim",
          })
        : null,
      h("p", { class: "error", role: "alert", hidden: true }),
    );
  }

  /** Opens the gallery. */
  open() {
    if (!this.#grid.childElementCount) this.#fillGallery();
    this.#dialog.showModal();
    this.#search.focus();
  }

  #fillGallery() {
    replace(
      this.#grid,
      this.#functions.map((info) =>
        h(
          "li",
          {
            "data-words": `${info.name} ${info.title} ${info.any_dim ? "any n" : info.dim}d`
              .toLowerCase()
              .replaceAll("_", " "),
          },
          h(
            "button",
            { type: "button", onclick: () => this.#choose(info.name ?? "") },
            this.#thumbnails.of(info),
            h("span", null, info.title),
            h("span", { class: "hint" }, info.any_dim ? "n-D" : `${info.dim}-D`),
          ),
        ),
      ),
    );
  }

  /** @param {string} name */
  #choose(name) {
    this.#dialog.close();
    this.#onChoose(name);
  }

  #filter() {
    const words = this.#search.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const item of /** @type {NodeListOf<HTMLElement>} */ (this.#grid.querySelectorAll("li"))) {
      item.hidden = !words.every((word) => item.dataset.words?.includes(word));
      shown += item.hidden ? 0 : 1;
    }
    this.#none.hidden = shown > 0;
  }
}
