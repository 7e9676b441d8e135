/** The state of a view, in one place: read anywhere, changed by `set` alone. */
export class Store {
  #state;
  #listeners = new Set();

  /** @param {Object} state */
  constructor(state) {
    this.#state = Object.freeze({ ...state });
  }

  /** The state as it is; never changed in place. */
  get state() {
    return this.#state;
  }

  /** Takes `patch` over into the state, and tells who listens, unless nothing is different. */
  set(patch) {
    const before = this.#state;
    if (Object.keys(patch).every((name) => Object.is(before[name], patch[name]))) return;
    this.#state = Object.freeze({ ...before, ...patch });
    for (const listener of [...this.#listeners]) listener(this.#state, before);
  }

  /** Calls `listener(state, before)` after every change, until what is returned is called. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Whether any of these entries of the state is another one than before. */
export function changed(state, before, ...names) {
  return names.some((name) => state[name] !== before[name]);
}
