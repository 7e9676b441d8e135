/** How to descend: an optimizer with its parameters, a learning rate, a schedule. Made from what the service lists. */

import { h, replace } from "../dom.js";
import { short } from "../numbers.js";
import { byFamily, plain } from "../words.js";
import { choice, field, numberInput } from "./field.js";
import { schemaFields } from "./schema_form.js";

export class MethodForm {
  #catalogue;
  #onChange;
  #isForNetwork;
  /** @type {any} */
  #shown = null;
  element = h("div", { class: "method" });

  /**
   * @param {import("../service").Methods} catalogue
   * @param {(patch: Partial<import("../service").Method>) => void} onChange
   * @param {{isForNetwork?: boolean}} [options] whether what is minimised is the loss of a network
   */
  constructor(catalogue, onChange, { isForNetwork = false } = {}) {
    this.#catalogue = catalogue;
    this.#onChange = onChange;
    this.#isForNetwork = isForNetwork;
  }

  /** @param {import("../service").Method} method */
  update({ optimizer, lr = null, scheduler = null }) {
    const shown = [optimizer.name, scheduler?.name ?? null];
    const own = this.#shown;
    this.#shown = { optimizer, lr, scheduler, names: shown };
    // a field that was typed into is not made anew: it would lose the focus
    if (
      own?.names.every((/** @type {string|null} */ name, /** @type {number} */ index) => name === shown[index]) &&
      own.said === this.#said(optimizer, lr, scheduler)
    ) {
      this.#shown.said = own.said;
      return;
    }
    this.#shown.said = this.#said(optimizer, lr, scheduler);
    replace(this.element, ...this.#optimizerFields(optimizer, lr), ...this.#schedulerFields(scheduler));
  }

  /** @param {...unknown} parts */
  #said(...parts) {
    return JSON.stringify(parts);
  }

  /** @param {Record<string, any>} patch */
  #change(patch) {
    this.#shown = { ...this.#shown, ...patch };
    const { optimizer, lr, scheduler } = this.#shown;
    if (!("names" in patch) && !patch.remake) this.#shown.said = this.#said(optimizer, lr, scheduler);
    this.#onChange(patch);
  }

  /** @param {import("../service").Method["optimizer"]} optimizer @param {any} lr */
  #optimizerFields(optimizer, lr) {
    const { optimizers } = this.#catalogue;
    const entry = optimizers.find((each) => each.name === optimizer.name) ?? unknown(optimizer.name);
    const { name: _, ...values } = optimizer;
    const usual = entry.parameters.properties.lr?.default;
    const parameters = schemaFields(
      entry.parameters,
      values,
      (changed) => this.#change({ optimizer: { name: entry.name, ...changed } }),
      "#/optimizer",
      ["lr"],
    );
    return [
      field({
        label: "Optimizer",
        control: choice(
          byFamily(withChosen(optimizers, optimizer.name), (each) => this.#option(each)),
          optimizer.name,
          (name) => this.#onChange({ optimizer: { name }, lr: null }),
        ),
        hint: plain(entry.parameters.description),
        pointer: "#/optimizer",
      }),
      field({
        label: "Learning rate",
        control: numberInput(lr, (value) => this.#change({ lr: value }), {
          placeholder: usual === undefined ? null : short(usual),
        }),
        pointer: "#/lr",
      }),
      parameters.length
        ? h(
            "details",
            { open: Object.keys(values).length > 0 && Boolean(this.element.querySelector("details[open]")) },
            h("summary", null, "Parameters"),
            parameters,
          )
        : null,
    ];
  }

  /** @param {import("../service").Entry} entry */
  #option({ name, title, matrices_only }) {
    return matrices_only && !this.#isForNetwork ? [name, `${title} (for networks only)`, true] : [name, title];
  }

  /** @param {import("../service").Method["scheduler"]} scheduler */
  #schedulerFields(scheduler) {
    const { schedulers } = this.#catalogue;
    const entry = schedulers.find((each) => each.name === scheduler?.name) ?? null;
    const { name: _, ...values } = scheduler ?? {};
    const chosen = (/** @type {string} */ name) =>
      this.#onChange({
        scheduler: name === "" ? null : { name, ...needed(schedulers.find((each) => each.name === name)) },
      });
    return [
      field({
        label: "Learning-rate schedule",
        control: choice(
          [
            ["", "Constant"],
            ...withChosen(schedulers, scheduler?.name ?? null).map((each) => [each.name, each.title]),
          ],
          scheduler?.name ?? "",
          chosen,
        ),
        hint: plain(entry?.parameters.description),
        pointer: "#/scheduler",
      }),
      ...(entry
        ? schemaFields(
            entry.parameters,
            values,
            (changed) => this.#change({ scheduler: { name: entry.name, ...changed } }),
            "#/scheduler",
          )
        : []),
    ];
  }
}

/**
 * Stands for an optimizer or a schedule that the service does not have: a link may name any.
 * @param {string} name
 * @returns {import("../service").Entry}
 */
function unknown(name) {
  return { name, title: `${name}: not known here`, parameters: { properties: {} } };
}

/**
 * Returns the entries to choose from, and the chosen one if it is none of them.
 * @param {import("../service").Entry[]} entries
 * @param {string|null} name
 */
function withChosen(entries, name) {
  return name === null || entries.some((each) => each.name === name) ? entries : [unknown(name), ...entries];
}

/**
 * Returns first values for the parameters of a schedule that have no default.
 * @param {import("../service").Entry|undefined} entry
 * @returns {Record<string, number>}
 */
function needed(entry) {
  /** @type {Record<string, number>} */
  const first = { integer: 1000, number: 0.5 };
  const { properties, required = [] } = entry?.parameters ?? { properties: {} };
  return Object.fromEntries(
    required
      .filter((name) => (properties[name].type ?? "") in first)
      .map((name) => [name, first[properties[name].type ?? ""]]),
  );
}
