/** The work of a view: stopped while the view is hidden, and begun again when it is shown. */
export class Errand {
  /** @type {((signal: AbortSignal) => Promise<void>)|null} */
  #work = null;
  /** @type {AbortController|null} */
  #running = null;
  #isPaused = false;

  /**
   * Replaces the present work by `work(signal)`, which begins at once, or on `resume` while paused.
   * @param {(signal: AbortSignal) => Promise<void>} work
   */
  start(work) {
    this.stop();
    this.#work = work;
    if (!this.#isPaused) this.#run();
  }

  /** Stops, until `resume`. */
  pause() {
    this.#isPaused = true;
    this.#abort();
  }

  /** Begins again what was not finished. */
  resume() {
    this.#isPaused = false;
    if (this.#work && !this.#running) this.#run();
  }

  /** Stops for good. */
  stop() {
    this.#abort();
    this.#work = null;
  }

  async #run() {
    const controller = new AbortController();
    this.#running = controller;
    try {
      await this.#work?.(controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    } finally {
      if (this.#running === controller) this.#work = this.#running = null;
    }
  }

  #abort() {
    this.#running?.abort();
    this.#running = null;
  }
}
