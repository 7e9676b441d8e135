/** A network: its data set, its layers, and all else that the service's JSON Schema says it can be told. */

import { h, replace } from "../dom.js";
import { capitalized } from "../words.js";
import { choice, field, numberInput, numbersIn } from "./field.js";
import { schemaFields } from "./schema_form.js";

const AT = "#/function/mlp";
const FIRST = ["activation", "loss"];
const ELSEWHERE = ["layers", "dataset"];

export class NetworkForm {
  #onChange;
  /** @type {any} */
  #settings = null;
  /** @type {string|null} */
  #said = null;
  #dataset = h("div");
  #data = h("details", null);
  #hidden = h("input", {
    type: "text",
    autocomplete: "off",
    onchange: (event) => this.#onChange({ hidden: numbersIn(event.target.value) }),
  });
  #first = h("div");
  #rest = h("details");
  #seed = numberInput(null, (seed) => this.#onChange({ seed: seed ?? 0 }), { inputmode: "numeric" });

  /** @param {(patch: Object) => void} onChange given what of the settings is different */
  constructor(onChange) {
    this.#onChange = onChange;
    this.element = h(
      "fieldset",
      null,
      h("legend", null, "Network"),
      this.#dataset,
      this.#data,
      field({
        label: "Hidden layers",
        control: this.#hidden,
        hint: "Units per layer, e.g. 4, 3",
        pointer: `${AT}/layers`,
      }),
      this.#first,
      field({ label: "Weight seed", control: this.#seed, pointer: "#/init/seed" }),
      this.#rest,
    );
  }

  /** @param {import("../service").Offer} offer @param {any} settings */
  update(offer, settings) {
    this.#settings = settings;
    put(this.#hidden, settings.hidden.join(", "));
    put(this.#seed, settings.seed);
    const said = JSON.stringify(settings.network);
    if (said === this.#said) return;
    this.#said = said;
    this.#makeDataset(offer, settings.network.dataset);
    const { properties } = offer.parameters;
    const rest = Object.keys(properties).filter((name) => !FIRST.includes(name) && !ELSEWHERE.includes(name));
    replace(this.#first, this.#fields(offer.parameters, FIRST));
    replace(this.#rest, h("summary", null, "More network options"), this.#fields(offer.parameters, rest));
  }

  /** @param {import("../service").Offer} offer @param {{name?: string, [fact: string]: any}} dataset */
  #makeDataset({ datasets, parameters }, dataset) {
    const entry = datasets.find((each) => each.name === dataset.name);
    const options = datasets.map((each) => [each.name, each.name]);
    const other =
      dataset.name === undefined
        ? ["", "the job’s own samples"]
        : [dataset.name, `${dataset.name}: not known here`];
    const control = choice(entry ? options : [other, ...options], dataset.name ?? "", (name) =>
      this.#onChange({ network: { ...this.#settings.network, dataset: { name } } }),
    );
    const hadFocus = this.#dataset.contains(document.activeElement);
    replace(
      this.#dataset,
      field({
        label: "Data set",
        control,
        hint: entry ? capitalized(entry.title) : null,
        pointer: `${AT}/dataset`,
      }),
    );
    if (hadFocus) control.focus();
    this.#data.hidden = !entry;
    if (!entry) return;
    const { name: _, ...values } = dataset;
    const leftOut = entry.any_classes ? ["name"] : ["name", "classes"];
    replace(
      this.#data,
      h("summary", null, "Samples"),
      schemaFields(
        withUsual(parameters.$defs.GeneratedData, entry),
        values,
        (changed) => this.#changeNetwork({ dataset: { name: entry.name, ...changed } }),
        `${AT}/dataset`,
        leftOut,
      ),
    );
  }

  /**
   * Returns the fields of some of the parameters of a network.
   * @param {import("../service").Schema} schema
   * @param {string[]} names
   */
  #fields(schema, names) {
    const properties = Object.fromEntries(names.map((name) => [name, schema.properties[name]]));
    const own = Object.entries(this.#settings.network).filter(([name]) => names.includes(name));
    return schemaFields(
      { properties },
      Object.fromEntries(own),
      (changed) =>
        this.#changeNetwork({ ...Object.fromEntries(names.map((name) => [name, undefined])), ...changed }),
      AT,
    );
  }

  /** A field that was used is not made anew: it would lose the focus. @param {Record<string, any>} patch */
  #changeNetwork(patch) {
    const network = { ...this.#settings.network, ...patch };
    this.#said = JSON.stringify(network);
    this.#onChange({ network });
  }
}

/**
 * Returns the schema of a data set with the defaults of this one.
 * @param {import("../service").Schema} schema
 * @param {Record<string, any>} entry
 */
function withUsual(schema, entry) {
  const properties = Object.entries(schema.properties).map(([name, property]) => [
    name,
    { ...property, default: entry[name] ?? property.default },
  ]);
  return { properties: Object.fromEntries(properties) };
}

/** @param {HTMLInputElement} input @param {string} value */
function put(input, value) {
  if (input !== document.activeElement) input.value = value;
}
