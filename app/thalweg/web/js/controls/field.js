/** Labelled controls, and problems beside the control whose value they are about. */

import { h, unique } from "../dom.js";
import { inWords } from "../words.js";

/**
 * Returns a control with its label, hint and room for an error.
 * @param {Object} options
 * @param {string} options.label
 * @param {HTMLInputElement|HTMLSelectElement|HTMLTextAreaElement} options.control
 * @param {string|null} [options.hint]
 * @param {string} [options.pointer] JSON Pointer of the value, as problems have it: "#/lr"
 */
export function field({ label, control, hint, pointer }) {
  control.id ||= unique("field");
  const { id } = control;
  const hintId = hint ? `${id}-hint` : null;
  control.setAttribute("aria-describedby", [hintId, `${id}-error`].filter(Boolean).join(" "));
  const isCheck = control.type === "checkbox";
  const name = h("label", { for: id }, label);
  return h(
    "div",
    { class: isCheck ? "field check" : "field", "data-pointer": pointer },
    isCheck ? [control, name] : [name, control],
    hint ? h("p", { class: "hint", id: hintId }, hint) : null,
    h("p", { class: "error", id: `${id}-error`, role: "alert", hidden: true }),
  );
}

/**
 * Returns a text control for a number: people write 1e-3, and the wheel is for scrolling.
 * @param {any} value
 * @param {(value: any) => void} onChange
 * @param {Record<string, any>} [attributes]
 */
export function numberInput(value, onChange, attributes = {}) {
  return h("input", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    spellcheck: "false",
    value: value ?? "",
    onchange: (event) => onChange(numberOf(event.target.value)),
    ...attributes,
  });
}

/**
 * Returns a control that chooses among `[value, text]`, or `[value, text, true]` where it cannot be chosen. Options may
 * stand in groups, `{label, options}`.
 * @param {Array<any[]|{label: string, options: Array<any[]>}>} options
 * @param {string} value
 * @param {(value: string) => void} onChange
 * @param {Record<string, any>} [attributes]
 */
export function choice(options, value, onChange, attributes = {}) {
  return h(
    "select",
    { onchange: (event) => onChange(event.target.value), ...attributes },
    options.map((each) =>
      Array.isArray(each)
        ? option(each, value)
        : h("optgroup", { label: each.label }, ...each.options.map((inside) => option(inside, value))),
    ),
  );
}

/** @param {any[]} option @param {string} chosen */
function option([value, text, disabled], chosen) {
  return h("option", { value, selected: value === chosen, disabled }, text);
}

/**
 * Returns what was typed as a number, or as it stands, for the service to say what is wrong with it.
 * @param {string} text
 * @returns {any}
 */
export function numberOf(text) {
  const trimmed = text.trim().replaceAll("−", "-");
  if (trimmed === "") return null;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : trimmed;
}

/**
 * Returns the numbers of a typed list, between commas, semicolons or spaces.
 * @param {string} text
 * @returns {any[]}
 */
export function numbersIn(text) {
  return text
    .split(/[,;\s]+/)
    .filter(Boolean)
    .map(numberOf);
}

/**
 * Puts the complaints of a problem beside their fields within `root`, and returns what has no field there.
 * @param {HTMLElement} root
 * @param {{message: string, errors?: Array<{pointer: string, detail: string, column?: number}>}|null} problem
 * @returns {string[]}
 */
export function showProblem(root, problem) {
  const places = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-pointer]"));
  for (const place of places) say(place, []);
  if (!problem) return [];
  const rest = [];
  const byField = new Map();
  for (const complaint of problem.errors ?? []) {
    const place = closest(root, complaint.pointer);
    if (place) byField.set(place, [...(byField.get(place) ?? []), complaint]);
    else rest.push(inWords(complaint.detail));
  }
  for (const [place, complaints] of byField) say(place, complaints);
  return problem.errors?.length ? rest : [inWords(problem.message)];
}

/**
 * @param {HTMLElement} root
 * @param {string} pointer
 * @returns {HTMLElement|null}
 */
function closest(root, pointer) {
  for (let at = pointer; at.length > 1; at = at.slice(0, at.lastIndexOf("/"))) {
    const place = root.querySelector(`[data-pointer="${CSS.escape(at)}"]`);
    if (place) return /** @type {HTMLElement} */ (place);
    if (!at.includes("/")) return null;
  }
  return null;
}

/** @param {HTMLElement} place @param {import("../service").Complaint[]} complaints */
function say(place, complaints) {
  const error = /** @type {HTMLElement|null} */ (place.querySelector(":scope > .error"));
  if (!error) return;
  error.hidden = complaints.length === 0;
  error.textContent = complaints.map((complaint) => inWords(complaint.detail)).join(" ");
  place.querySelector("input, select, textarea")?.setAttribute("aria-invalid", String(complaints.length > 0));
  place.dispatchEvent(new CustomEvent("complaints", { detail: complaints }));
  if (complaints.length) place.closest("details")?.setAttribute("open", "");
}
