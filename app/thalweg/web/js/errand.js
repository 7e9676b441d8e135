/** What a view is busy with: it stops while the view is hidden, and begins again when it is shown. */
export class Errand {
  #work = null;
  #running = null;
  #isPaused = false;

  /** Does `work(signal)` in place of what was done before; while paused, once it goes on. */
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

  /** Goes on with what was not finished. */
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
      await this.#work(controller.signal);
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
