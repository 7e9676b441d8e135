/** The service's API: requests, problems, and the stream of a job's events. */

import { readEvents } from "./events.js";
import { given } from "./given.js";

/** An error of the service, as RFC 9457 has it. */
export class Problem extends Error {
  /** @param {number} status @param {{detail?: string, title?: string, errors?: import("./service").Complaint[]}} body */
  constructor(status, body) {
    super(body.detail ?? body.title ?? `The service answered with status ${status}.`);
    this.status = status;
    /** @type {Array<{pointer: string, detail: string, column?: number}>} */
    this.errors = body.errors ?? [];
  }
}

/** The service does not answer. */
export class Disconnected extends Error {
  constructor() {
    super("The service does not answer.");
  }
}

const RETRY_MS = [300, 1000, 2000, 4000];

export class Api {
  /** @type {string|null} */
  #key;
  /** @type {(rejected: boolean) => Promise<string>} */
  #askKey;
  /** @type {(connected: boolean) => void} */
  #onConnection;
  /** @type {Promise<string>|null} */
  #asking = null;

  /**
   * @param {Object} options
   * @param {string|null} options.key one of the service's keys
   * @param {(rejected: boolean) => Promise<string>} options.askKey asks the person for a key
   * @param {(connected: boolean) => void} options.onConnection told whether the service answered
   */
  constructor({ key, askKey, onConnection }) {
    this.#key = key;
    this.#askKey = askKey;
    this.#onConnection = onConnection;
  }

  /** Whether requests carry a key. */
  get hasKey() {
    return Boolean(this.#key);
  }

  async functions() {
    return (await this.#json("GET", "v1/functions")).items;
  }

  async optimizers() {
    return (await this.#json("GET", "v1/optimizers")).items;
  }

  async schedulers() {
    return (await this.#json("GET", "v1/schedulers")).items;
  }

  networks() {
    return this.#json("GET", "v1/mlp");
  }

  /**
   * Returns a function of the catalogue in one of its dimensions.
   * @param {string} name
   * @param {number} dim
   * @returns {Promise<import("./service").FunctionInfo>}
   */
  functionOf(name, dim) {
    return this.#json("GET", `v1/functions/${encodeURIComponent(name)}${query({ dim })}`);
  }

  /** @param {Object} request @param {AbortSignal} [signal] */
  surface(request, signal) {
    return this.#json("POST", "v1/surface", request, { signal });
  }

  /** @param {Object} request @param {AbortSignal} [signal] */
  evaluate(request, signal) {
    return this.#json("POST", "v1/evaluate", request, { signal });
  }

  /** @param {Object} request @param {AbortSignal} [signal] */
  backprop(request, signal) {
    return this.#json("POST", "v1/mlp/backprop", request, { signal });
  }

  /**
   * @param {string} id
   * @param {Object} values
   * @param {AbortSignal} [signal]
   */
  jobBackprop(id, values, signal) {
    return this.#json("GET", `v1/jobs/${id}/backprop${query(values)}`, undefined, { signal });
  }

  /** @param {string} id @param {AbortSignal} [signal] */
  samples(id, signal) {
    return this.#json("GET", `v1/jobs/${id}/samples`, undefined, { signal });
  }

  /**
   * @param {string} id
   * @param {Object} values
   * @param {AbortSignal} [signal]
   */
  landscape(id, values, signal) {
    return this.#json("GET", `v1/jobs/${id}/landscape${query(values)}`, undefined, { signal });
  }

  /** @param {Object} spec @returns {Promise<import("./service").Job>} */
  postJob(spec) {
    return this.#json("POST", "v1/jobs", spec);
  }

  /**
   * Returns the job that the page opens with.
   * @param {AbortSignal} [signal]
   * @returns {Promise<import("./service").Job>}
   */
  lesson(signal) {
    return this.#json("PUT", "v1/lesson", undefined, { signal });
  }

  /**
   * @param {string} id
   * @param {AbortSignal} [signal]
   * @returns {Promise<import("./service").Job>}
   */
  job(id, signal) {
    return this.#json("GET", `v1/jobs/${id}`, undefined, { signal });
  }

  /** @param {Object} filter */
  jobs(filter) {
    return this.#json("GET", `v1/jobs${query(filter)}`);
  }

  /**
   * @param {string} id
   * @param {Object} values
   * @param {AbortSignal} [signal]
   */
  runs(id, values, signal) {
    return this.#json("GET", `v1/jobs/${id}/runs${query(values)}`, undefined, { signal });
  }

  /** @param {string} id @returns {Promise<import("./service").Job>} */
  cancel(id) {
    return this.#json("POST", `v1/jobs/${id}/cancel`);
  }

  /**
   * @param {string} id
   * @param {unknown} steps
   * @returns {Promise<import("./service").Job>}
   */
  extend(id, steps) {
    return this.#json("POST", `v1/jobs/${id}/extend`, { steps });
  }

  /** @param {string} id */
  remove(id) {
    return this.#json("DELETE", `v1/jobs/${id}`);
  }

  /**
   * @param {string} id
   * @param {{run?: number, max_points?: number, from_step?: number, to_step?: number}} range
   * @param {AbortSignal} [signal]
   * @returns {Promise<import("./service").Trajectory>}
   */
  trajectory(id, range, signal) {
    return this.#json("GET", `v1/jobs/${id}/trajectory${query(range)}`, undefined, { signal });
  }

  /** Returns a resource of a job as a file. @param {string} path @param {string} accept its media type */
  async file(path, accept) {
    return (await this.#send("GET", path, undefined, { headers: { Accept: accept } })).blob();
  }

  /**
   * Follows a job to its end. A stream that breaks is taken up where it was.
   * @param {string} id
   * @param {{progress: (p: {step: number, steps: number, status: string}) => void,
   *          lost?: () => void, found?: () => void}} on
   * @param {AbortSignal} signal
   * @returns {Promise<import("./service").Job>} the job as it ended
   */
  async follow(id, on, signal) {
    /** @type {string|null} */
    let last = null;
    for (let failures = 0; ; failures += 1) {
      try {
        const headers = { Accept: "text/event-stream", ...(last === null ? {} : { "Last-Event-ID": last }) };
        const answer = await this.#send("GET", `v1/jobs/${id}/events`, undefined, { headers, signal });
        if (failures) on.found?.();
        for await (const event of readEvents(given(answer.body))) {
          failures = 0;
          if (event.id) last = event.id;
          if (event.name === "progress") on.progress(JSON.parse(event.data));
          if (event.name === "done") return JSON.parse(event.data);
        }
      } catch (error) {
        if (signal?.aborted || (error instanceof Problem && error.status !== 503)) throw error;
      }
      on.lost?.();
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)], signal);
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
   */
  async #json(method, path, body, options = {}) {
    const answer = await this.#send(method, path, body, options);
    return answer.status === 204 ? null : answer.json();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options]
   */
  async #send(method, path, body, { headers = {}, signal } = {}) {
    for (;;) {
      const key = this.#key;
      /** @type {Record<string, string>} */
      const all = { Accept: "application/json", ...headers };
      if (body !== undefined) all["Content-Type"] = "application/json";
      if (key) all.Authorization = `Bearer ${key}`;
      let answer;
      try {
        answer = await fetch(path, { method, headers: all, body: JSON.stringify(body), signal });
      } catch (error) {
        if (signal?.aborted) throw error;
        this.#onConnection(false);
        throw new Disconnected();
      }
      this.#onConnection(true);
      if (answer.ok) return answer;
      if (answer.status !== 401) throw new Problem(answer.status, await problemBody(answer));
      await this.#newKey(key);
    }
  }

  /**
   * Asks for a key once, however many requests need one.
   * @param {string|null} refused the key that was not accepted
   */
  async #newKey(refused) {
    if (this.#key !== refused) return;
    this.#asking ??= this.#askKey(Boolean(refused)).finally(() => (this.#asking = null));
    this.#key = await this.#asking;
  }
}

/** @param {Response} answer */
async function problemBody(answer) {
  try {
    return await answer.json();
  } catch {
    return {};
  }
}

/** Returns a query string without what is empty. @param {Object} [values] */
function query(values = {}) {
  const filled = Object.entries(values).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return filled.length ? `?${new URLSearchParams(filled)}` : "";
}

/** @param {number} milliseconds @param {AbortSignal} [signal] @returns {Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
