/** What the Run and the Race view have in common: a stage, a form, and an address that says what is seen. */

import { showProblem } from "../controls/field.js";
import { h, replace } from "../dom.js";
import { Errand } from "../errand.js";
import * as permalink from "../permalink.js";
import { Store } from "../store.js";
import { DAMAGED } from "../words.js";

/** The view gives `stage`, `form`, `load`, `render` and `hasResults`, and may add to `follow`. */
export class StagedView {
  stage = /** @type {import("./stage.js").Stage} */ (/** @type {unknown} */ (null));
  form = /** @type {HTMLElement} */ (/** @type {unknown} */ (null));
  errand = new Errand();
  alert = h("div", { class: "error", role: "alert", hidden: true });
  notice = h("p", { class: "notice", role: "status", hidden: true });
  #name;
  #addressed;
  #stateFrom;
  /** @type {Record<string, any>} */
  #asked = {};
  /** @type {Object|null} */
  #posting = null;
  #isVisible = false;

  /**
   * @param {string} name as addresses have it
   * @param {any} firstState
   * @param {{addressed: (state: any) => Record<string, any>,
   *          stateFrom: (values: Record<string, any>) => {state: any, isDamaged: boolean}}} address
   */
  constructor(name, firstState, { addressed, stateFrom }) {
    this.#name = name;
    this.#addressed = addressed;
    this.#stateFrom = stateFrom;
    this.store = new Store(firstState);
    this.store.subscribe((state) => this.#follow(state));
  }

  get state() {
    return this.store.state;
  }

  /** The address of what is shown, or was when the view was hidden. */
  get hash() {
    return permalink.hashOf(this.#name, this.#addressed(this.state));
  }

  /** Shows what an address asks for. @param {Record<string, any>} values */
  show(values) {
    this.#isVisible = true;
    this.#asked = values;
    this.#posting = null;
    const { state, isDamaged } = this.#stateFrom(values);
    this.store.set({ ...state, notice: isDamaged ? DAMAGED : null });
    this.errand.resume();
    this.errand.start((signal) => this.load(values, signal));
  }

  /** Shows what was shown when the view was hidden, and continues it. */
  resume() {
    this.#isVisible = true;
    this.stage.restyle();
    this.#follow(this.state);
    this.errand.resume();
  }

  /** Stops what runs only while somebody looks. */
  hide() {
    this.#isVisible = false;
    this.stage.stop();
    this.errand.pause();
  }

  /** Draws everything again, in another theme. */
  restyle() {
    this.stage.restyle();
    this.render(this.state);
  }

  /** Continues once the service is back. */
  reconnect() {
    if (this.state.info) this.stage.reconnect();
    else this.show(this.#asked);
  }

  /**
   * Takes another function, without results, unless it cannot be had.
   * @param {import("../service").Reference} reference
   * @param {(info: import("../service").FunctionInfo) => Object} patch what else is different in the state
   */
  async choose(reference, patch) {
    const info = await this.stage.about(reference);
    if (!info) return;
    this.#posting = null;
    this.errand.stop();
    const whole = { axes: [0, 1], window: null };
    this.leave({ info, deadEnd: null, problem: null, isPosting: false, ...whole, ...patch(info) });
  }

  /** Changes the state; results that have an address of their own stay in the history. @param {Object} patch */
  leave(patch) {
    if (this.#isVisible && this.hasResults()) {
      permalink.write(this.#name, this.#addressed({ ...this.state, ...patch }), { push: true });
    }
    this.store.set(patch);
  }

  /** Begins to post; returns whether the answer is still wanted when it has come. */
  posting() {
    const own = {};
    this.#posting = own;
    return () => this.#posting === own;
  }

  /** Says a problem, beside its fields where it has any, and a notice. @param {any} problem @param {string|null} notice */
  say(problem, notice) {
    const rest = showProblem(this.form, problem);
    this.alert.hidden = rest.length === 0;
    replace(
      this.alert,
      rest.map((text) => h("p", null, text)),
    );
    this.notice.hidden = notice === null;
    this.notice.textContent = notice ?? "";
  }

  /** Fetches what an address asks for. @param {Record<string, any>} _values @param {AbortSignal} _signal */
  async load(_values, _signal) {}

  /** Fetches what else a state needs. @param {any} _state */
  follow(_state) {}

  /** Shows a state. @param {any} _state */
  render(_state) {}

  /** Whether there are results, which have an address of their own. */
  hasResults() {
    return false;
  }

  /** Fetches what a state needs, writes the address, and shows it. @param {any} state */
  #follow(state) {
    if (!this.#isVisible) return;
    this.stage.follow(state);
    this.follow(state);
    if (state.info && !state.deadEnd) permalink.write(this.#name, this.#addressed(state));
    this.render(state);
  }
}
