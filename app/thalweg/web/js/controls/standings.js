/** The standings of a race: which minimum each contender reached, and at what cost. */

import { h, replace } from "../dom.js";
import { count, point, short } from "../numbers.js";
import { hasEnded } from "../watch.js";
import { outcomeOf, stepOf } from "../words.js";

const HEAD = ["Contender", "Minimum", "Evaluations to get there", "Steps", "Final f", "Lowest f", "Outcome"];

export class Standings {
  element = h("section", { class: "results", "aria-label": "Standings" });
  /** @type {string|null} */
  #shown = null;

  /**
   * @param {Array<{name: string, color: string, job: any, progress?: {step: number}|null, arrival: number|null|undefined,
   *   error: string|null}>} racers
   * @param {number|null} radius how near a known minimum is; null where none is known
   */
  update(racers, radius) {
    const said = JSON.stringify([
      radius,
      ...racers.map((each) => [
        each.name,
        each.color,
        each.job?.id,
        each.job?.status,
        each.job?.progress.step,
        each.progress?.step,
        each.arrival,
        each.error,
      ]),
    ]);
    if (said === this.#shown) return;
    this.#shown = said;
    replace(this.element, racers.some((each) => each.job || each.error) ? this.#table(ranked(racers), radius) : []);
  }

  /** @param {any[]} racers @param {number|null} radius */
  #table(racers, radius) {
    return [
      h("h2", null, "Standings"),
      h(
        "div",
        { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table of contenders" },
        h(
          "table",
          null,
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              HEAD.map((name) => h("th", { scope: "col" }, name)),
            ),
          ),
          h(
            "tbody",
            null,
            racers.map((each) => this.#row(each)),
          ),
        ),
      ),
      h(
        "p",
        { class: "hint" },
        `A contender is there from the step after which it stays ${radius ? `within ${short(radius)} of` : "at"} a known minimum. `,
        "It is ranked by how often f and its gradient were computed up to then. Where a step takes several evaluations, as in L-BFGS, that is at most the number given.",
      ),
    ];
  }

  /** @param {any} racer */
  #row({ name, color, job, progress, arrival, error }) {
    const run = job && hasEnded(job) ? job.runs?.[0] : null;
    const minimum = run?.minimum;
    const going = job && !run ? stepOf({ ...job.progress, ...progress }) : "";
    const outcome = error ?? job?.error ?? (run ? outcomeOf(run) : going);
    const cost = run && Number.isInteger(arrival) ? evaluationsUpTo(run, arrival) : null;
    return h(
      "tr",
      null,
      h("th", { scope: "row" }, h("span", { class: "dot", style: `background:${color}` }), name),
      h("td", null, minimum ? `no. ${minimum.index + 1} ${point(minimum.x)}` : run ? "none" : "–"),
      h("td", null, cost ? `${cost.isExact ? "" : "≤ "}${count(cost.n)}` : "–"),
      h("td", null, Number.isInteger(arrival) ? count(arrival) : "–"),
      h("td", null, run ? short(run.f) : "–"),
      h("td", null, run?.best ? short(run.best.f) : "–"),
      h("td", { class: `outcome ${error ? "diverged" : (run?.outcome ?? "")}` }, outcome),
    );
  }
}

/**
 * Returns how many evaluations a run had taken when it was at a step: each step after it took at least one.
 * @param {{n_steps: number, n_evaluations: number|null}} run
 * @param {number} step
 * @returns {{n: number, isExact: boolean}|null} null where nobody counted
 */
export function evaluationsUpTo({ n_steps, n_evaluations }, step) {
  if (n_evaluations === null || n_evaluations === undefined) return null;
  return { n: n_evaluations - (n_steps - step), isExact: n_evaluations === n_steps + 1 };
}

/**
 * Those that arrived, by evaluations; then those that ended elsewhere, the lowest first; then those that diverged.
 * @param {any[]} racers
 * @returns {any[]}
 */
function ranked(racers) {
  const key = (/** @type {any} */ { job, arrival, error }) => {
    const run = job?.runs?.[0];
    if (error) return [4, 0];
    if (!run || run.outcome === null) return [2, 0];
    if (run.outcome === "diverged") return [3, -run.diverged_at];
    if (Number.isInteger(arrival)) return [0, evaluationsUpTo(run, arrival)?.n ?? Infinity, arrival];
    return [1, run.best?.f ?? Infinity];
  };
  return racers.toSorted((a, b) => {
    const [first, second] = [key(a), key(b)];
    return first[0] - second[0] || compared(first[1], second[1]) || (first[2] ?? 0) - (second[2] ?? 0);
  });
}

/** @param {number} a @param {number} b */
function compared(a, b) {
  return a === b ? 0 : a - b; // two infinities are alike
}
