/** Where the runs of a job ended, as a table. */

import { h, replace } from "../dom.js";
import { count, point, short } from "../numbers.js";

const WORDS = {
  max_steps: "all steps",
  converged: "converged",
  diverged: "diverged",
  timed_out: "time was up",
  cancelled: "cancelled",
};

export class Results {
  element = h("section", { class: "results", "aria-label": "Results" });
  #shown = [];

  /** @param {Object|null} job @param {(run: number) => string} colorOf */
  update(job, colorOf) {
    if (this.#shown[0] === job) return;
    this.#shown = [job];
    const runs = (job?.runs ?? []).filter((run) => run.outcome !== null);
    replace(this.element, runs.length ? this.#table(job, runs, colorOf) : []);
  }

  #table(job, runs, colorOf) {
    const head = ["Run", "Start", "End", "f", "‖∇f‖", "Known minimum", "Steps", "Outcome"];
    return [
      h("h2", null, "Where they ended"),
      h(
        "div",
        { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table of runs" },
        h(
          "table",
          null,
          h("thead", null, h("tr", null, head.map((name) => h("th", { scope: "col" }, name)))),
          h("tbody", null, runs.map((run) => this.#row(run, colorOf(run.run)))),
        ),
      ),
      job.n_runs > runs.length ? h("p", { class: "hint" }, `The first ${runs.length} of ${count(job.n_runs)} runs.`) : null,
    ];
  }

  #row(run, color) {
    const { minimum } = run;
    return h(
      "tr",
      null,
      h("th", { scope: "row" }, h("span", { class: "dot", style: `background:${color}` }), run.run + 1),
      h("td", null, point(run.init)),
      h("td", null, point(run.x, 6)),
      h("td", null, short(run.f)),
      h("td", null, short(run.grad_norm, 3)),
      h("td", null, minimum ? `no. ${minimum.index + 1}, ${short(minimum.distance, 2)} away` : "none"),
      h("td", null, count(run.n_steps)),
      h("td", { class: `outcome ${run.outcome}` }, WORDS[run.outcome] ?? run.outcome),
    );
  }
}
