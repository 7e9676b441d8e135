/** A form made from a JSON Schema: whatever an optimizer or a scheduler can be told, it shows by itself. */

import { h } from "../dom.js";
import { plain } from "../words.js";
import { choice, field, numberInput, numberOf } from "./field.js";

/**
 * Returns the fields of a schema's properties.
 * @param {Object} schema of an object
 * @param {Object} values those that are not the default
 * @param {(values: Object) => void} onChange given the values anew, without what is the default
 * @param {string} pointer of the object
 * @param {string[]} [leftOut] properties that are shown elsewhere
 */
export function schemaFields(schema, values, onChange, pointer, leftOut = []) {
  let given = values;
  const set = (name, value, property) => {
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
    const shown = options.map((option) => [option, String(option)]);
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
      value: (value ?? []).map((part) => (part === null ? "null" : part)).join(", "),
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

function withoutNull(property) {
  const kinds = property.anyOf ?? [property];
  const real = kinds.filter((kind) => kind.type !== "null");
  return { schema: real.length === 1 ? real[0] : property, nullable: real.length < kinds.length };
}

function isNumbers(schema) {
  const parts = schema.prefixItems ?? (schema.items ? [schema.items] : []);
  return schema.type === "array" && parts.length > 0 && parts.every((part) => isNumber(withoutNull(part).schema));
}

function isNumber(schema) {
  return schema.type === "number" || schema.type === "integer";
}

function numbersOf(text) {
  if (text.trim() === "") return null;
  return text.split(",").map((part) => (part.trim() === "null" ? null : numberOf(part)));
}

function jsonOf(text) {
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return text; // the service says what is wrong with it
  }
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
