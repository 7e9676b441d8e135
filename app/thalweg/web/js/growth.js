/** The trajectories of a running job, of which only what is new is fetched. */

import { ofRuns } from "./plots/paths.js";

const LEAST_ENTRIES = 4; // that the service thins to

export class Growth {
  #api;
  #id;
  #entries;
  /** @type {Array<import("./service").Trajectory|null>} */
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

  /**
   * Fetches what is new and returns the whole trajectories; one without news is the same object as before.
   * @param {number} step
   * @param {AbortSignal} [signal]
   */
  async fetch(step, signal) {
    this.#trajectories = await ofRuns(this.#trajectories.length, (run) =>
      this.#grown(this.#trajectories[run], run, step, signal),
    );
    return this.#trajectories;
  }

  /**
   * What is new is thinned as much as the rest; a trajectory twice as long as can be seen is fetched whole.
   * @param {import("./service").Trajectory|null} known
   * @param {number} run
   * @param {number} step
   * @param {AbortSignal} [signal]
   */
  async #grown(known, run, step, signal) {
    const range = { run, max_points: this.#entries };
    if (!known?.step.length || known.step.length > 2 * this.#entries)
      return this.#api.trajectory(this.#id, range, signal);
    const last = known.step[known.step.length - 1];
    const share = Math.ceil((this.#entries * (step - last)) / Math.max(step, 1));
    const news = await this.#api.trajectory(
      this.#id,
      { ...range, from_step: last, max_points: Math.max(share, LEAST_ENTRIES) },
      signal,
    );
    return news.step.length > 1 ? joined(known, news) : known;
  }
}

/**
 * Joins two trajectories, of which the last entry of one is the first of the other.
 * @param {import("./service").Trajectory} known
 * @param {import("./service").Trajectory} news
 */
function joined(known, news) {
  return {
    ...known,
    step: [...known.step, ...news.step.slice(1)],
    x: [...known.x, ...news.x.slice(1)],
    f: [...known.f, ...news.f.slice(1)],
  };
}
