/** An input for a formula, with a mark under the column of an error. */

import { h } from "../dom.js";
import { field, numberInput, numberOf } from "./field.js";

const PAUSE_MS = 350; // after the last key, before the service is asked
const FIRST = { expression: "(x**2 + y - 11)**2 + (x + y**2 - 7)**2", variables: ["x", "y"] };
const BEFORE = 30; // columns that are shown before the wrong one

export class FormulaInput {
  #onChange;
  #text = h("textarea", {
    rows: 3,
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    class: "formula-text",
  });
  #variables = h("input", { type: "text", spellcheck: "false", autocomplete: "off" });
  #domain = h("input", { type: "text", autocomplete: "off", placeholder: "-5, 5" });
  #dim = numberInput(null, () => this.#changed(), { inputmode: "numeric", placeholder: "one per variable" });
  #where = h("pre", { class: "column", hidden: true, "aria-hidden": "true" });
  #timer = 0;
  /** @type {import("../service").Reference|null} */
  #shown = null;

  /** @param {(reference: {expression: string, variables: string[]}) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    const formula = field({
      label: "Formula",
      control: this.#text,
      hint: "In Python’s notation: x**2, sin(x), sqrt(abs(y)), pi",
      pointer: "#/function/expression",
    });
    formula.querySelector(".error")?.before(this.#where);
    formula.addEventListener("complaints", (event) => this.#pointAt(/** @type {CustomEvent} */ (event).detail[0]));
    for (const control of [this.#text, this.#variables, this.#domain])
      control.addEventListener("input", () => this.#soon());
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.#changed();
      }
    });
    this.#fill(FIRST);
    this.element = h(
      "details",
      { class: "formula-input" },
      h("summary", null, "Type a formula"),
      formula,
      field({ label: "Variables", control: this.#variables, pointer: "#/function/variables" }),
      field({ label: "Domain: low, high for each variable", control: this.#domain, pointer: "#/function/domain" }),
      field({ label: "Length, if the variable is a vector", control: this.#dim, pointer: "#/function/dim" }),
    );
  }

  /** Shows a formula, if that is what is chosen. @param {import("../service").Reference} reference */
  update(reference) {
    if (reference === this.#shown) return;
    this.#shown = reference;
    if (!reference.expression) {
      this.element.open = false;
      return;
    }
    this.element.open = true;
    if (this.element.contains(document.activeElement)) return; // it is being typed
    this.#fill(reference);
  }

  /** @param {any} reference */
  #fill({ expression, variables, domain = null, dim = null }) {
    this.#text.value = expression;
    this.#variables.value = variables.join(", ");
    this.#domain.value = (domain ?? []).flat().join(", ");
    this.#dim.value = dim ?? "";
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#changed(), PAUSE_MS);
  }

  #changed() {
    clearTimeout(this.#timer);
    const ends = this.#domain.value
      .split(/[,;\s]+/)
      .filter(Boolean)
      .map(numberOf);
    const pairs = Array.from({ length: Math.ceil(ends.length / 2) }, (_, i) => ends.slice(2 * i, 2 * i + 2));
    const dim = numberOf(this.#dim.value);
    this.#onChange({
      expression: this.#text.value,
      variables: this.#variables.value.split(/[,;\s]+/).filter(Boolean),
      ...(pairs.length ? { domain: pairs } : {}),
      ...(dim === null ? {} : { dim }),
    });
  }

  /**
   * Shows the line of the formula with a mark under the column of a complaint.
   * @param {import("../service").Complaint|undefined} complaint
   */
  #pointAt(complaint) {
    const column = complaint?.column ?? null;
    this.#where.hidden = column === null;
    if (column === null) return;
    const text = this.#text.value.replaceAll("\n", " ");
    const from = Math.max(0, column - 1 - BEFORE);
    const dots = from > 0 ? "…" : "";
    this.#where.replaceChildren(
      `${dots}${text.slice(from, column + BEFORE)}\n`,
      h("span", { class: "caret" }, `${" ".repeat(dots.length + column - 1 - from)}▲`),
    );
  }
}
