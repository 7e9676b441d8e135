/** The Jobs view: all jobs of the service, newest first, as they are now. */

import { choice } from "../controls/field.js";
import { jobActions } from "../controls/job_actions.js";
import { h, replace } from "../dom.js";
import { count, point } from "../numbers.js";
import * as permalink from "../permalink.js";
import { Store } from "../store.js";
import { hasEnded } from "../watch.js";
import { byFamily, methodOf, STATUSES, stateOf, stepOf } from "../words.js";

const PAGE = 50;
const LOOK_AGAIN_MS = 1500;
/** @type {Record<string, string>} */
const FILTER_NAMES = { status: "Status", function: "Function", optimizer: "Optimizer", tag: "Tag" };
const NO_FILTER = { status: null, function: null, optimizer: null, tag: null };

export class JobsView {
  title = "Jobs";
  #api;
  #catalogue;
  #store = new Store({ filter: NO_FILTER, items: null, next: null, problem: null });
  /** @type {Record<string, HTMLSelectElement|HTMLInputElement>} */
  #filters = {};
  #list = h("div", { class: "jobs-list" });
  #alert = h("p", { class: "error", role: "alert", hidden: true });
  #more = h("button", { type: "button", hidden: true, onclick: () => this.#older() }, "Older jobs");
  /** @type {number|null} */
  #timer = null;
  #rows = new Map();

  /** @param {{api: import("../api.js").Api, catalogue: import("../catalogue.js").Catalogue}} page */
  constructor({ api, catalogue }) {
    this.#api = api;
    this.#catalogue = catalogue;
    const named = (/** @type {Array<{name: string|null, title: string}>} */ items) => [
      ["", "all"],
      ...items.map((each) => [each.name, each.title]),
    ];
    this.#filters = {
      status: choice([["", "all"], ...Object.entries(STATUSES)], "", (value) =>
        this.#choose({ status: value || null }),
      ),
      function: choice(named(catalogue.functions), "", (value) => this.#choose({ function: value || null })),
      optimizer: choice(
        [["", "all"], ...byFamily(catalogue.optimizers, ({ name, title }) => [name, title])],
        "",
        (value) => this.#choose({ optimizer: value || null }),
      ),
      tag: h("input", {
        type: "text",
        autocomplete: "off",
        onchange: (event) => this.#choose({ tag: event.target.value || null }),
      }),
    };
    this.element = h(
      "div",
      { class: "jobs-view" },
      h(
        "div",
        { class: "jobs-head" },
        h("h1", null, "Jobs"),
        ...Object.entries(this.#filters).map(([name, control]) =>
          h("label", null, h("span", null, FILTER_NAMES[name]), control),
        ),
      ),
      this.#alert,
      this.#list,
      this.#more,
    );
    this.#store.subscribe((state) => this.#render(state));
  }

  /** @param {Record<string, any>} values */
  async show(values) {
    const filter = Object.fromEntries(
      Object.keys(NO_FILTER).map((name) => [name, typeof values[name] === "string" ? values[name] : null]),
    );
    this.#store.set({ filter, items: null });
    await this.#load();
  }

  /** The address of what is shown, or was when the view was hidden. */
  get hash() {
    return permalink.hashOf("jobs", this.#store.state.filter);
  }

  /** Shows the jobs as they are now, with the filter as it was. */
  async resume() {
    permalink.write("jobs", this.#store.state.filter);
    await this.#load();
  }

  hide() {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
  }

  restyle() {}

  reconnect() {
    this.#load();
  }

  /** @param {Record<string, string|null>} patch */
  #choose(patch) {
    const filter = { ...this.#store.state.filter, ...patch };
    permalink.write("jobs", filter, { push: true });
    this.#store.set({ filter, items: null });
    this.#load();
  }

  /** Fetches the newest jobs, and again soon while one of them is running. */
  async #load() {
    clearTimeout(this.#timer ?? undefined);
    const { filter } = this.#store.state;
    const own = setTimeout(() => {}, 0);
    this.#timer = own;
    try {
      const n = Math.max(this.#store.state.items?.length ?? 0, PAGE);
      const page = await this.#api.jobs({ ...filter, limit: Math.min(n, 1000) });
      if (this.#timer !== own) return; // hidden, or asked anew, in the meantime
      this.#store.set({ items: page.items, next: page.next_cursor, problem: null });
    } catch (problem) {
      if (this.#timer !== own) return;
      this.#store.set({ problem });
    }
    const goesOn = this.#store.state.items?.some((/** @type {import("../service").Job} */ job) => !hasEnded(job));
    this.#timer = setTimeout(() => this.#load(), goesOn ? LOOK_AGAIN_MS : 4 * LOOK_AGAIN_MS);
  }

  async #older() {
    const { filter, next, items } = this.#store.state;
    try {
      const page = await this.#api.jobs({ ...filter, limit: PAGE, cursor: next });
      this.#store.set({ items: [...items, ...page.items], next: page.next_cursor });
    } catch (problem) {
      this.#store.set({ problem });
    }
  }

  /** @param {any} state */
  #render({ filter, items, next, problem }) {
    for (const [name, control] of Object.entries(this.#filters)) {
      if (control !== document.activeElement) control.value = filter[name] ?? "";
    }
    this.#alert.hidden = !problem;
    this.#alert.textContent = problem?.message ?? "";
    this.#more.hidden = !next || !items;
    if (items === null) replace(this.#list, h("p", { class: "loading" }, "Loading …"));
    else if (items.length === 0) replace(this.#list, this.#empty(filter));
    else this.#table(items);
  }

  /** @param {Record<string, string|null>} filter */
  #empty(filter) {
    const filtered = Object.values(filter).some(Boolean);
    return h(
      "div",
      { class: "empty" },
      h("h2", null, filtered ? "No job matches" : "No jobs yet"),
      h(
        "p",
        null,
        filtered
          ? "Loosen the filters above."
          : ["Start one in the ", h("a", { href: "#/run" }, "Run"), " view, or post it to the API."],
      ),
    );
  }

  /**
   * Keeps the rows of unchanged jobs: focus, and what was pressed once, stay.
   * @param {import("../service").Job[]} items
   */
  #table(items) {
    const rows = new Map();
    for (const job of items) {
      const version = `${job.status} ${job.progress.step} ${job.progress.steps} ${job.n_diverged}`;
      const known = this.#rows.get(job.id);
      rows.set(job.id, known?.version === version ? known : { version, element: this.#row(job) });
    }
    const isSame = this.#rows.size === rows.size && [...rows].every(([id, row]) => this.#rows.get(id) === row);
    this.#rows = rows;
    if (isSame && this.#list.querySelector("table")) return;
    const head = ["Job", "Status", "Method", "Starts", "Progress", "Created", "Actions"];
    replace(
      this.#list,
      h(
        "table",
        { class: "stacking" },
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            head.map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h(
          "tbody",
          null,
          [...rows.values()].map((row) => row.element),
        ),
      ),
    );
  }

  /** @param {import("../service").Job} job */
  #row(job) {
    const { spec, progress } = job;
    const state = stateOf(job.status, { nDiverged: job.n_diverged, nRuns: job.n_runs });
    const title = spec.label ?? spec.function?.name ?? spec.function?.expression ?? "network";
    const cell = (/** @type {string} */ name, /** @type {import("../dom.js").Children[]} */ ...content) =>
      h("td", { "data-name": name }, ...content);
    return h(
      "tr",
      null,
      h(
        "th",
        { scope: "row" },
        h("a", { href: permalink.hashOf("run", { job: job.id }) }, title),
        h("span", { class: "hint id" }, job.id.slice(-8)),
      ),
      cell(
        "Status",
        h("span", { class: `status ${state.kind}`, "data-status": job.status }, state.text),
        job.error ? h("span", { class: "hint" }, job.error) : null,
      ),
      cell(
        "Method",
        spec.optimizer?.name ? methodOf(spec, this.#catalogue) : "–",
        spec.scheduler ? h("span", { class: "hint" }, spec.scheduler.name) : null,
      ),
      cell("Starts", job.n_runs === 1 && Array.isArray(spec.init) ? point(spec.init.flat()) : count(job.n_runs)),
      cell(
        "Progress",
        hasEnded(job)
          ? null
          : h("progress", { max: progress.steps, value: progress.step, "aria-label": "Progress" }),
        stepOf(progress),
      ),
      cell(
        "Created",
        h(
          "time",
          { datetime: job.created_at },
          new Date(job.created_at).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" }),
        ),
      ),
      cell(
        "Actions",
        jobActions(this.#api, job, {
          onChange: () => this.#load(),
          onDelete: () => this.#load(),
          onProblem: (problem) => this.#store.set({ problem }),
        }),
      ),
    );
  }
}
