/** The contenders of a race: methods, each with a colour. */

import { h, replace } from "../dom.js";
import { short } from "../numbers.js";
import { colorAt } from "../plots/palette.js";
import { same } from "../same.js";
import { MethodForm } from "./method_form.js";

const MOST = 12;

/**
 * Returns what a method is called: its optimizer, the rate, and what else was changed.
 * @param {import("../service").Method} method
 * @param {import("../service").Methods} catalogue
 */
export function methodName({ optimizer, lr, scheduler }, catalogue) {
  const entry = catalogue.optimizers.find((each) => each.name === optimizer.name);
  const rate = lr ?? entry?.parameters.properties.lr?.default;
  const { name, ...others } = optimizer;
  const changes = Object.entries(others).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [name, short(rate), ...changes, ...(scheduler ? [scheduler.name] : [])].join(", ");
}

export class Contenders {
  #catalogue;
  #onChange;
  #list = h("ol", { class: "contenders" });
  #more = h(
    "button",
    {
      type: "button",
      onclick: () => this.#add([this.#methods.at(-1) ?? { optimizer: { name: "adam" }, lr: null }]),
    },
    "Add",
  );
  #rates = h("button", { type: "button", onclick: () => this.#add(this.#otherRates()) }, "Add rates");
  /** @type {Array<{form: MethodForm, title: HTMLElement, dot: HTMLElement}>} */
  #forms = [];
  /** @type {import("../service").Method[]} */
  #methods = [];

  /** @param {import("../service").Methods} catalogue @param {(methods: import("../service").Method[]) => void} onChange */
  constructor(catalogue, onChange) {
    this.#catalogue = catalogue;
    this.#onChange = onChange;
    this.element = h(
      "fieldset",
      { "data-pointer": "#/contenders" },
      h("legend", null, "Contenders"),
      this.#list,
      h("p", { class: "error", role: "alert", hidden: true }),
      h("div", { class: "buttons" }, this.#more, this.#rates),
    );
  }

  /** Shows the methods. @param {import("../service").Method[]} methods */
  update(methods) {
    const isSameLength = this.#methods.length === methods.length;
    this.#methods = methods;
    if (!isSameLength || this.#forms.length !== methods.length) this.#remake();
    methods.forEach((method, index) => {
      const { form, title, dot } = this.#forms[index];
      form.update(method);
      title.textContent = methodName(method, this.#catalogue);
      dot.style.background = colorAt(index);
    });
    this.#labelButtons();
  }

  #remake() {
    const open = [
      .../** @type {NodeListOf<HTMLDetailsElement>} */ (this.#list.querySelectorAll(":scope > li > details")),
    ].map((each) => each.open);
    this.#forms = this.#methods.map((_, index) => {
      const form = new MethodForm(this.#catalogue, (patch) =>
        this.#onChange(this.#methods.with(index, { ...this.#methods[index], ...patch })),
      );
      return { form, title: h("span"), dot: h("span", { class: "dot" }) };
    });
    replace(
      this.#list,
      this.#forms.map(({ form, title, dot }, index) =>
        h(
          "li",
          { "data-pointer": `#/contenders/${index}` },
          h("details", { open: Boolean(open[index]) }, h("summary", null, dot, title), form.element),
          h(
            "button",
            {
              type: "button",
              class: "plain",
              "aria-label": `Remove contender ${index + 1}`,
              onclick: () => this.#onChange(this.#methods.toSpliced(index, 1)),
            },
            "✕",
          ),
          h("p", { class: "error", role: "alert", hidden: true }),
        ),
      ),
    );
  }

  /** @param {import("../service").Method[]} methods */
  #add(methods) {
    this.#onChange([...this.#methods, ...methods].slice(0, MOST));
  }

  /** Returns the last contender whose rate matters, at a tenth of the lowest rate it has here and at ten times the highest. */
  #otherRates() {
    const method = this.#methods.findLast(hasRate);
    if (!method) return [];
    const alike = this.#methods.filter((each) => same({ ...each, lr: null }, { ...method, lr: null }));
    const rates = alike.map((each) => Number(each.lr ?? this.#usualRate(each))).filter((rate) => rate > 0);
    if (rates.length === 0) return [];
    return [Math.min(...rates) / 10, Math.max(...rates) * 10].map((lr) => ({
      ...method,
      lr: Number(lr.toPrecision(6)),
    }));
  }

  /** @param {import("../service").Method} method */
  #usualRate({ optimizer }) {
    return this.#catalogue.optimizers.find((each) => each.name === optimizer.name)?.parameters.properties.lr
      ?.default;
  }

  #labelButtons() {
    const isFull = this.#methods.length >= MOST;
    const more = this.#otherRates();
    this.#more.disabled = isFull;
    this.#rates.disabled = isFull || more.length === 0;
    const full = `At most ${MOST} contenders can race`;
    this.#more.title = isFull ? full : "";
    const offer = more.length
      ? `Add ${more.map((each) => methodName(each, this.#catalogue)).join(" and ")}`
      : "None of these methods depends on its learning rate";
    this.#rates.title = isFull ? full : offer;
  }
}

/**
 * Whether a method at another rate is another method. A line search finds by itself how far L-BFGS goes; Rprop adapts
 * its step sizes, and the rate is only where they begin; and two of the schedules set the rate themselves.
 * @param {import("../service").Method} method
 */
function hasRate({ optimizer, scheduler }) {
  if (optimizer.name === "rprop" || (optimizer.name === "lbfgs" && optimizer.line_search_fn)) return false;
  return !["cyclic_lr", "one_cycle_lr"].includes(scheduler?.name ?? "");
}
