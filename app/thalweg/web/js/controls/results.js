/** Where the runs of a job ended, as a table. */

import { h, replace } from "../dom.js";
import { count, point, short } from "../numbers.js";
import { outcomeOf } from "../words.js";

export const ROWS = 100; // on a page of the table

const HEAD = ["Run", "Start", "End", "f", "‖∇f‖", "Known minimum", "Steps", "Outcome"];
export class Results {
  #onPage;
  #rows = h("tbody");
  #page = 0;
  #before = h("button", { type: "button", onclick: () => this.#onPage(this.#page - 1) }, "Previous");
  #next = h("button", { type: "button", onclick: () => this.#onPage(this.#page + 1) }, "Next");
  #place = h("span", { role: "status" });
  #pager = h(
    "div",
    { class: "pager", role: "group", "aria-label": "Pages of the table" },
    this.#before,
    this.#next,
    this.#place,
  );
  /** @type {unknown[]} */
  #shown = [];

  /** @param {(page: number) => void} onPage */
  constructor(onPage) {
    this.#onPage = onPage;
    this.element = h(
      "section",
      { class: "results", "aria-label": "Results", hidden: true },
      h("h2", null, "Where the runs ended"),
      h(
        "div",
        { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table of runs" },
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
          this.#rows,
        ),
      ),
      this.#pager,
    );
  }

  /**
   * @param {import("../service").Job|null} job that has ended
   * @param {{page: number, runs: import("../service").Run[]|null}} view the page of the table, and the job's runs as far as they are there
   * @param {(run: import("../service").Run) => string} colorOf
   */
  update(job, { page, runs }, colorOf) {
    const shown = [job, page, runs];
    if (shown.every((part, index) => part === this.#shown[index])) return;
    this.#shown = shown;
    const all = (runs ?? job?.runs ?? []).filter((run) => run.outcome !== null);
    this.element.hidden = all.length === 0;
    if (!job || all.length === 0) {
      replace(this.#rows);
      return;
    }
    const last = Math.ceil(job.n_runs / ROWS) - 1;
    this.#page = Math.min(page, last);
    const from = this.#page * ROWS;
    const rows = all.slice(from, from + ROWS);
    if (rows.length)
      replace(
        this.#rows,
        rows.map((run) => this.#row(run, colorOf(run))),
      );
    this.#pager.hidden = last === 0;
    this.#before.disabled = this.#page === 0;
    this.#next.disabled = this.#page === last;
    this.#place.textContent = rows.length
      ? `Runs ${count(from + 1)}–${count(from + rows.length)} of ${count(job.n_runs)}`
      : "Loading …";
  }

  /** @param {import("../service").Run} run @param {string} color */
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
      h(
        "td",
        { class: `outcome ${run.outcome}` },
        outcomeOf(run),
        run.raised ? h("span", { class: "hint" }, run.raised) : null,
      ),
    );
  }
}
