/** The page's words for states, outcomes and methods, and for what the service says in its own terms. */

import { count, short } from "./numbers.js";

export const DAMAGED = "Part of this link could not be read. The usual settings stand in its place.";

/** @type {Record<string, string>} */
const OUTCOMES = {
  max_steps: "reached step limit",
  converged: "converged",
  diverged: "diverged",
  timed_out: "timed out",
  cancelled: "cancelled",
};
/** @type {Record<string, string>} */
export const STATUSES = {
  queued: "waiting for a worker",
  running: "running",
  succeeded: "done",
  failed: "failed",
  cancelled: "cancelled",
};

/** Returns how a run ended. @param {{outcome: string|null, diverged_at: number|null}} run */
export function outcomeOf(run) {
  if (run.outcome === "diverged" && run.diverged_at !== null) return `diverged at step ${count(run.diverged_at)}`;
  return run.outcome === null ? "" : (OUTCOMES[run.outcome] ?? run.outcome);
}

/**
 * Returns the text for a job's state, and its kind: `good`, `bad`, or neither.
 * @param {string} status
 * @param {{nDiverged?: number|null, nRuns?: number}} [runs] how many of its runs diverged; null where nobody counted
 * @returns {{text: string, kind: "good"|"bad"|""}}
 */
export function stateOf(status, { nDiverged = null, nRuns = 0 } = {}) {
  const text = STATUSES[status] ?? status;
  if (status === "failed") return { text, kind: "bad" };
  if (status !== "succeeded") return { text, kind: "" };
  if (nDiverged)
    return {
      text: nDiverged < nRuns ? `${text}, ${count(nDiverged)} of ${count(nRuns)} diverged` : "diverged",
      kind: "bad",
    };
  return { text, kind: nDiverged === 0 ? "good" : "" };
}

/** Returns how far something is. @param {{step: number, steps: number}} progress */
export function stepOf({ step, steps }) {
  return `step ${count(step)} of ${count(steps)}`;
}

/**
 * Returns what a method is called: its optimizer and its learning rate.
 * @param {import("./service").Method} method
 * @param {import("./service").Methods} catalogue
 */
export function methodOf({ optimizer, lr = null }, catalogue) {
  const entry = catalogue.optimizers.find((each) => each.name === optimizer.name);
  const rate = lr ?? entry?.parameters.properties.lr?.default ?? null;
  const name = entry ? entry.title.split(":")[0] : optimizer.name;
  return rate === null ? name : `${name}, lr ${typeof rate === "number" ? short(rate) : rate}`;
}

/**
 * Returns what made some results, in short.
 * @param {import("./service").Method & {steps: any}} spec
 * @param {import("./service").Methods} catalogue
 */
export function madeBy(spec, catalogue) {
  const steps = typeof spec.steps === "number" ? count(spec.steps) : spec.steps;
  return `${methodOf(spec, catalogue)}, ${steps} steps`;
}

/**
 * Returns what is wrong with a method that names something the service does not have, or null.
 * @param {import("./service").Method} method
 * @param {import("./service").Methods} catalogue
 * @param {string} [at] where the method stands, as problems have it
 * @returns {{message: string, errors: import("./service").Complaint[]}|null}
 */
export function unknownMethod({ optimizer, scheduler }, catalogue, at = "#") {
  /** @type {Array<[string, {name: string}|null|undefined, Array<{name: string}>, string]>} */
  const parts = [
    [
      "optimizer",
      optimizer,
      catalogue.optimizers,
      `There is no optimizer called “${optimizer.name}” here. Choose another.`,
    ],
    [
      "scheduler",
      scheduler,
      catalogue.schedulers,
      `There is no schedule called “${scheduler?.name}” here. Choose another.`,
    ],
  ];
  const errors = parts
    .filter(([, value, entries]) => value && !entries.some((each) => each.name === value.name))
    .map(([part, , , detail]) => ({ pointer: `${at}/${part}`, detail }));
  return errors.length ? { message: errors[0].detail, errors } : null;
}

/** @type {Record<string, string>} */
const FAMILIES = { torch: "PyTorch", zoo: "More, of pytorch_optimizer" };

/**
 * Returns optimizers as options, in a group for each family where there are several.
 * @template {import("./service").Entry} E
 * @param {E[]} optimizers
 * @param {(optimizer: E) => any[]} option
 * @returns {Array<any[]|{label: string, options: Array<any[]>}>}
 */
export function byFamily(optimizers, option) {
  const families = [...new Set(optimizers.map(familyOf))];
  if (families.length < 2) return optimizers.map(option);
  return families.map((family) => ({
    label: FAMILIES[family] ?? family,
    options: optimizers.filter((each) => familyOf(each) === family).map(option),
  }));
}

/** @param {import("./service").Entry} optimizer */
function familyOf({ family = "torch" }) {
  return family;
}

/** @type {Array<[RegExp, (...groups: string[]) => string]>} */
const REPHRASED = [
  [
    /^Input should be a valid (integer|number).*/s,
    (_, kind) => `This should be a ${kind === "integer" ? "whole number" : "number"}.`,
  ],
  [
    /^(Too many points to record\. Set )record_every( to \S+ or more).*/s,
    (_, before, after) => `${before}Record every${after}.`,
  ],
  [/\brecord_every\b/g, () => "Record every"],
  [/\s*\((?:max_\w+(?:, )?)+\)/g, () => ""], // names of settings of the operator
];

/** Returns a sentence of the service in the words of the form. @param {string} detail */
export function inWords(detail) {
  return capitalized(REPHRASED.reduce((text, [pattern, words]) => text.replace(pattern, words), detail));
}

/** Returns a description for programmers without its marks. @param {string|null|undefined} text */
export function plain(text) {
  return text === undefined || text === null ? null : capitalized(text.split("\n\n")[0].replaceAll("`", ""));
}

/** Capitalizes a sentence; names of fields and functions stay as they are. @param {string} text */
export function capitalized(text) {
  return /^[a-z]+(?=[\s,;:]|$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

const NUMBERS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];
const EXAMPLE = ["1.5", "−2", "0", "3"];

/** Returns what a point of so many coordinates looks like when it is typed. @param {number} dim */
export function pointHint(dim) {
  if (dim === 1) return 'One number, e.g. "1.5"';
  const example = EXAMPLE.slice(0, dim).join(", ") + (dim > EXAMPLE.length ? ", …" : "");
  return `${NUMBERS[dim] ?? dim} numbers, e.g. "${example}"`;
}

/**
 * Returns what is wrong with typed points, or null.
 * @param {any[]} points
 * @param {number} dim
 * @param {(index: number) => string} at
 * @returns {{message: string, errors: import("./service").Complaint[]}|null}
 */
export function wrongPoints(points, dim, at) {
  const errors = points.flatMap((x, index) =>
    x.length === dim && x.every((/** @type {unknown} */ value) => typeof value === "number")
      ? []
      : [{ pointer: at(index), detail: pointHint(dim) }],
  );
  return errors.length ? { message: errors[0].detail, errors } : null;
}
