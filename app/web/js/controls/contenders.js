/** Who races: methods, each with a colour. */

import { h, replace } from "../dom.js";
import { short } from "../numbers.js";
import { pathColor } from "../plots/palette.js";
import { MethodForm } from "./method_form.js";

const MOST = 12;

/** Returns what a method is called: its optimizer, the rate, and what else was changed. */
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
  #forms = [];
  #methods = [];

  /** @param {Object} catalogue @param {(methods: Array) => void} onChange */
  constructor(catalogue, onChange) {
    this.#catalogue = catalogue;
    this.#onChange = onChange;
    this.element = h(
      "fieldset",
      { "data-pointer": "#/contenders" },
      h("legend", null, "Contenders"),
      this.#list,
      h("p", { class: "error", role: "alert", hidden: true }),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", onclick: () => this.#add([this.#methods.at(-1) ?? { optimizer: { name: "adam" }, lr: null }]) }, "Add"),
        h("button", { type: "button", title: "The last one again, at a tenth and at ten times its rate", onclick: () => this.#addRates() }, "Add rates"),
      ),
    );
  }

  /** Shows the methods. */
  update(methods) {
    const isSameLength = this.#methods.length === methods.length;
    this.#methods = methods;
    if (!isSameLength || this.#forms.length !== methods.length) this.#remake();
    methods.forEach((method, index) => {
      const { form, title, dot } = this.#forms[index];
      form.update(method);
      title.textContent = methodName(method, this.#catalogue);
      dot.style.background = pathColor(index % 8, 8);
    });
  }

  #remake() {
    const open = [...this.#list.querySelectorAll(":scope > li > details")].map((each) => each.open);
    this.#forms = this.#methods.map((_, index) => {
      const form = new MethodForm(this.#catalogue, (patch) => this.#onChange(this.#methods.with(index, { ...this.#methods[index], ...patch })));
      return { form, title: h("span"), dot: h("span", { class: "dot" }) };
    });
    replace(
      this.#list,
      this.#forms.map(({ form, title, dot }, index) =>
        h(
          "li",
          { "data-pointer": `#/contenders/${index}` },
          h("details", { open: Boolean(open[index]) }, h("summary", null, dot, title), form.element),
          h("button", { type: "button", class: "plain", "aria-label": `Remove contender ${index + 1}`, onclick: () => this.#onChange(this.#methods.toSpliced(index, 1)) }, "✕"),
          h("p", { class: "error", role: "alert", hidden: true }),
        ),
      ),
    );
  }

  #add(methods) {
    this.#onChange([...this.#methods, ...methods].slice(0, MOST));
  }

  #addRates() {
    const last = this.#methods.at(-1);
    if (!last) return;
    const usual = this.#catalogue.optimizers.find((each) => each.name === last.optimizer.name)?.parameters.properties.lr?.default;
    const rate = Number(last.lr ?? usual);
    this.#add([rate / 10, rate * 10].map((lr) => ({ ...last, lr: Number(lr.toPrecision(6)) })));
  }
}
