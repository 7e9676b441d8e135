import { FACTS } from "../facts.js";
import { textOf, ticks } from "./ticks.js";

const { most: MOST, resolved: RESOLVED, tick_room: TICK_ROOM, few: FEW } = FACTS.heights;
const { n_linear_ticks: LINEAR_TICKS, roundest_first: ROUNDEST_FIRST } = FACTS.heights;

/**
 * How high a value is drawn, from 0 up. On the log scale it is log10(1 + (f − low) / unit): even where f is negative or
 * zero, and nearly linear below the unit, a five-hundredth of what most of the surface rises. On the linear scale it is
 * the share of the way from the lowest value to the highest.
 */
export class Heights {
  /**
   * @param {Array<Array<number|null>>} z values over a grid
   * @param {Array<number>} known other values that are to be seen: of minima
   * @param {boolean} log
   */
  constructor(z, known, log) {
    const values = [...z.flat(), ...known].filter((value) => value !== null);
    values.sort((a, b) => a - b);
    this.log = log;
    this.low = values[0] ?? 0;
    this.high = values.at(-1) ?? 1;
    const most = values.length ? 2 * (quantile(values, MOST) / 2 - this.low / 2) : RESOLVED; // halves do not overflow
    this.unit = Number(`1e${Math.floor(Math.log10(Math.min(Math.max(most / RESOLVED, 1e-300), 1e300)))}`);
  }

  /**
   * Returns the height of a value; null stays null.
   * @template {number|null} F
   * @param {F} f
   * @returns {F extends null ? null : number}
   */
  of(f) {
    return /** @type {any} */ (f === null ? null : this.#heightOf(f));
  }

  /** @param {number} f */
  #heightOf(f) {
    const rise = Math.max(f / 2 - this.low / 2, 0);
    if (!this.log) return this.high > this.low ? rise / (this.high / 2 - this.low / 2) : 0;
    const units = rise / (this.unit / 2);
    return Number.isFinite(units) ? Math.log10(1 + units) : Math.log10(rise) - Math.log10(this.unit / 2);
  }

  /** Returns the heights of a grid. @param {Array<Array<number|null>>} z */
  grid(z) {
    return z.map((row) => row.map((f) => this.of(f)));
  }

  /** The lowest and the highest height. @returns {[number, number]} */
  get range() {
    return [0, this.of(this.high)];
  }

  /** Returns where an axis of heights is marked, and with what: round values of f. */
  ticks() {
    const values = this.log ? this.#roundValues() : ticks(this.low, this.high, LINEAR_TICKS).at;
    return { at: values.map((value) => this.#heightOf(value)), text: values.map(textOf) };
  }

  /** Returns values as far apart as their texts need: 0, powers of ten, and others where these are too few. */
  #roundValues() {
    const room = TICK_ROOM * this.range[1];
    const largest = Math.max(Math.abs(this.low), Math.abs(this.high), this.unit);
    const [first, last] = [this.unit, largest].map((value) => Math.floor(Math.log10(value)));
    const powers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const marked = new Map();
    for (const factors of ROUNDEST_FIRST) {
      const lowest = Math.min(...marked.keys());
      const candidates = factors.flatMap((factor) =>
        factor ? powers.flatMap((power) => [Number(`${factor}e${power}`), Number(`-${factor}e${power}`)]) : [0],
      );
      for (const value of candidates.toSorted((a, b) => a - b)) {
        const isNeeded = marked.size < FEW || factors[0] === 1 || value < lowest;
        if (!isNeeded || value < this.low || value > this.high) continue;
        const height = this.of(value);
        if ([...marked.values()].every((other) => Math.abs(height - other) >= room)) marked.set(value, height);
      }
    }
    return marked.size ? [...marked.keys()].toSorted((a, b) => a - b) : [this.low];
  }
}

/**
 * Returns the value below which a share of ascending values lies, interpolated between two of them.
 * @param {number[]} values
 * @param {number} share
 */
function quantile(values, share) {
  const place = share * (values.length - 1);
  const [below, above] = [values[Math.floor(place)], values[Math.ceil(place)]];
  const part = place - Math.floor(place);
  return below * (1 - part) + above * part;
}
