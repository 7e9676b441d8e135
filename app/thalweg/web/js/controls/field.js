/** Labelled controls, and problems beside the control whose value they are about. */

import { h, unique } from "../dom.js";
import { inWords } from "../words.js";

/**
 * Returns a control with its label, what is said about it, and room for a complaint.
 * @param {Object} options
 * @param {string} options.label
 * @param {HTMLElement} options.control
 * @param {string} [options.hint]
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

/** Returns a control for a number: text, as people write 1e-3 and the wheel is for scrolling. */
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

/** Returns a control that chooses one of some options: `[value, text]`, or `[value, text, true]` where it cannot be chosen. */
export function choice(options, value, onChange, attributes = {}) {
  return h(
    "select",
    { onchange: (event) => onChange(event.target.value), ...attributes },
    options.map(([each, text, disabled]) => h("option", { value: each, selected: each === value, disabled }, text)),
  );
}

/** Returns what was typed as a number, or as it stands, for the service to say what is wrong with it. */
export function numberOf(text) {
  const trimmed = text.trim().replaceAll("−", "-");
  if (trimmed === "") return null;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : trimmed;
}

/** Returns the numbers of a list as it is typed, between commas, semicolons or spaces. */
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
  for (const place of root.querySelectorAll("[data-pointer]")) say(place, []);
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

function closest(root, pointer) {
  for (let at = pointer; at.length > 1; at = at.slice(0, at.lastIndexOf("/"))) {
    const place = root.querySelector(`[data-pointer="${CSS.escape(at)}"]`);
    if (place) return place;
    if (!at.includes("/")) return null;
  }
  return null;
}

function say(place, complaints) {
  const error = place.querySelector(":scope > .error");
  if (!error) return;
  error.hidden = complaints.length === 0;
  error.textContent = complaints.map((complaint) => inWords(complaint.detail)).join(" ");
  place.querySelector("input, select, textarea")?.setAttribute("aria-invalid", String(complaints.length > 0));
  place.dispatchEvent(new CustomEvent("complaints", { detail: complaints }));
  if (complaints.length) place.closest("details")?.setAttribute("open", "");
}
