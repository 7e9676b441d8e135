/** The trajectories of a job that goes on: of each, only what is new is fetched. */

import { ofRuns } from "./plots/paths.js";

const LEAST_ENTRIES = 4; // that the service thins to

export class Growth {
  #api;
  #id;
  #entries;
  #trajectories;

  /**
   * @param {import("./api.js").Api} api
   * @param {string} id of the job
   * @param {{nRuns: number, entries: number}} size how many runs, and entries of each, there are to be seen
   */
  constructor(api, id, { nRuns, entries }) {
    this.#api = api;
    this.#id = id;
    this.#entries = entries;
    this.#trajectories = Array(nRuns).fill(null);
  }

  /** Fetches what has come, and returns all of it; of a run that stands still, the same as before. */
  async fetch(step, signal) {
    this.#trajectories = await ofRuns(this.#trajectories.length, (run) =>
      this.#grown(this.#trajectories[run], run, step, signal),
    );
    return this.#trajectories;
  }

  /** What is new is thinned as much as the rest; where it has come to twice as much as is to be seen, all is. */
  async #grown(known, run, step, signal) {
    const range = { run, max_points: this.#entries };
    if (!known?.step.length || known.step.length > 2 * this.#entries)
      return this.#api.trajectory(this.#id, range, signal);
    const last = known.step.at(-1);
    const share = Math.ceil((this.#entries * (step - last)) / Math.max(step, 1));
    const news = await this.#api.trajectory(
      this.#id,
      { ...range, from_step: last, max_points: Math.max(share, LEAST_ENTRIES) },
      signal,
    );
    return news.step.length > 1 ? joined(known, news) : known;
  }
}

/** The last entry of the one is the first of the other. */
function joined(known, news) {
  const columns = ["step", "x", "f"].map((name) => [name, [...known[name], ...news[name].slice(1)]]);
  return { ...known, ...Object.fromEntries(columns) };
}
