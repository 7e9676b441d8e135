/** The runs of a job that has ended, fetched as far as they are asked for. */

const AT_ONCE = 1000; // the most that the service gives

export class Runs {
  #api;
  #job;
  /** @type {import("./service").Run[]} */
  #items = [];
  /** @type {string|null} */
  #cursor = null;

  /** @param {import("./api.js").Api} api @param {{id: string, n_runs: number, runs: import("./service").Run[]}} job with its first runs */
  constructor(api, job) {
    this.#api = api;
    this.#job = job;
  }

  /** Returns the first `n` runs, or all if there are fewer. @param {number} n @param {AbortSignal} [signal] */
  async upTo(n, signal) {
    const { id, n_runs, runs } = this.#job;
    const wanted = Math.min(n, n_runs);
    if (wanted <= runs.length) return runs;
    while (this.#items.length < wanted) {
      const page = await this.#api.runs(id, { limit: AT_ONCE, cursor: this.#cursor }, signal);
      this.#items = [...this.#items, ...page.items];
      this.#cursor = page.next_cursor;
    }
    return this.#items;
  }
}
