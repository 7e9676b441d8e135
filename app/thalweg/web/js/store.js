/** The state of a view, in one place: read anywhere, changed by `set` alone. */
export class Store {
  /** @type {any} */
  #state;
  /** @type {Set<(state: any, before: any) => void>} */
  #listeners = new Set();

  /** @param {Object} state */
  constructor(state) {
    this.#state = Object.freeze({ ...state });
  }

  /** The state as it is; never changed in place. */
  get state() {
    return this.#state;
  }

  /** Merges `patch` into the state and tells the listeners, unless nothing differs. @param {Object} patch */
  set(patch) {
    const before = this.#state;
    if (Object.entries(patch).every(([name, value]) => Object.is(before[name], value))) return;
    this.#state = Object.freeze({ ...before, ...patch });
    for (const listener of [...this.#listeners]) listener(this.#state, before);
  }

  /**
   * Calls `listener(state, before)` after every change, until the returned function is called.
   * @param {(state: any, before: any) => void} listener
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/**
 * Whether any of these entries of the state differs from before.
 * @param {any} state
 * @param {any} before
 * @param {...string} names
 */
export function changed(state, before, ...names) {
  return names.some((name) => state[name] !== before[name]);
}
