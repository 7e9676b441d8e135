/** A form made from a JSON Schema: whatever an optimizer or a scheduler can be told, it shows by itself. */

import { h } from "../dom.js";
import { plain } from "../words.js";
import { choice, field, numberInput, numberOf } from "./field.js";

/**
 * Returns the fields of a schema's properties.
 * @param {import("../service").Schema} schema of an object
 * @param {Record<string, any>} values those that differ from the defaults
 * @param {(values: Object) => void} onChange given all values that differ from the defaults
 * @param {string} pointer of the object
 * @param {string[]} [leftOut] properties that are shown elsewhere
 */
export function schemaFields(schema, values, onChange, pointer, leftOut = []) {
  let given = values;
  const set = (/** @type {string} */ name, /** @type {any} */ value, /** @type {any} */ property) => {
    const { [name]: _, ...others } = given;
    given = value === undefined || same(value, property.default) ? others : { ...others, [name]: value };
    onChange(given);
  };
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !leftOut.includes(name))
    .map(([name, property]) => {
      const required = schema.required?.includes(name);
      const control = controlFor(property, values[name] ?? property.default, (value) => set(name, value, property));
      return field({
        label: required ? `${name} (required)` : name,
        control,
        hint: plain(property.description),
        pointer: `${pointer}/${name}`,
      });
    });
}

/**
 * @param {any} property
 * @param {any} value
 * @param {(value: any) => void} onChange
 * @returns {HTMLInputElement|HTMLSelectElement|HTMLTextAreaElement}
 */
function controlFor(property, value, onChange) {
  const { schema, nullable } = withoutNull(property);
  const empty = nullable ? null : undefined;
  if (schema.type === "boolean") {
    return h("input", {
      type: "checkbox",
      checked: Boolean(value),
      onchange: (event) => onChange(event.target.checked),
    });
  }
  const options = schema.enum ?? ("const" in schema ? [schema.const] : null);
  if (options) {
    const shown = options.map((/** @type {any} */ option) => [option, String(option)]);
    if (nullable) shown.unshift(["", "none"]);
    return choice(shown, value ?? "", (text) => onChange(text === "" ? empty : text));
  }
  if (schema.type === "number" || schema.type === "integer") {
    return numberInput(value, (number) => onChange(number ?? empty), {
      placeholder: nullable ? "none" : null,
      inputmode: schema.type === "integer" ? "numeric" : "decimal",
    });
  }
  if (isNumbers(schema)) {
    return h("input", {
      type: "text",
      autocomplete: "off",
      value: (value ?? []).map((/** @type {any} */ part) => (part === null ? "null" : part)).join(", "),
      onchange: (event) => onChange(numbersOf(event.target.value) ?? empty),
    });
  }
  return h("textarea", {
    rows: 3,
    spellcheck: "false",
    value: value === undefined || value === null ? "" : JSON.stringify(value),
    placeholder: "JSON",
    onchange: (event) => onChange(jsonOf(event.target.value) ?? empty),
  });
}

/** @param {any} property @returns {{schema: any, nullable: boolean}} */
function withoutNull(property) {
  const kinds = property.anyOf ?? [property];
  const real = kinds.filter((/** @type {any} */ kind) => kind.type !== "null");
  return { schema: real.length === 1 ? real[0] : property, nullable: real.length < kinds.length };
}

/** @param {any} schema */
function isNumbers(schema) {
  const parts = schema.prefixItems ?? (schema.items ? [schema.items] : []);
  return (
    schema.type === "array" &&
    parts.length > 0 &&
    parts.every((/** @type {any} */ part) => isNumber(withoutNull(part).schema))
  );
}

/** @param {any} schema */
function isNumber(schema) {
  return schema.type === "number" || schema.type === "integer";
}

/** @param {string} text */
function numbersOf(text) {
  if (text.trim() === "") return null;
  return text.split(",").map((part) => (part.trim() === "null" ? null : numberOf(part)));
}

/** @param {string} text */
function jsonOf(text) {
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return text; // the service says what is wrong with it
  }
}

/** @param {unknown} a @param {unknown} b */
function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
