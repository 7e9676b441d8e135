/** The vertical axis of a curve: linear, or logarithmic with a place for 0. */

import { logTicks, textOf, ticks } from "./ticks.js";

const ROOM = 0.05; // above and below, as a share of the range
const FOOT = 0.09; // between the lowest value and 0, as a share of the range
const LEAST_FOOT = 0.5; // decades
const ROUNDING = 1e-12; // relative to the base: values this close below it count as equal
const LEADING = 10; // times the range of the other paths, up to which a diverging path is followed

export class Scale {
  #log;
  /** @type {number|null} */
  #foot = null;
  #zero;

  /**
   * @param {Array<Array<number|null>>} columns values by path
   * @param {Object} options
   * @param {boolean} options.log whether it is logarithmic where no value is negative
   * @param {number} options.base subtracted from the values
   * @param {boolean[]} [options.diverging] of each path, whether it diverges and so does not decide the range
   * @param {string} [options.zero] the text at 0
   */
  constructor(columns, { log, base, diverging = [], zero = "0" }) {
    this.base = base;
    this.#zero = zero;
    const above = columns.map((values) =>
      values.filter((value) => value !== null).map((value) => this.#aboveBase(value)),
    );
    const all = above.flat();
    /** Whether there is anything to be seen. */
    this.isEmpty = all.length === 0;
    this.#log = log && all.every((value) => value >= 0);
    const highest = largest(all);
    const limit = limitOf(above, diverging, this.#log);
    /** The value above which nothing is shown; null where all is. */
    this.cut = highest > limit ? limit + base : null;
    this.range = this.#rangeOf(all.filter((value) => value <= limit));
  }

  get isLog() {
    return this.#log;
  }

  /** Returns where a value is on the axis; null stays null. @param {number|null} value @returns {number|null} */
  of(value) {
    if (value === null) return null;
    const above = this.#aboveBase(value);
    if (!this.#log) return above;
    return above > 0 ? Math.log10(above) : this.#foot;
  }

  /** Returns at most about so many marks. @param {number} n @returns {import("./ticks.js").Ticks} */
  ticks(n) {
    if (this.isEmpty) return { at: [], text: [] };
    const [low, high] = this.range;
    if (!this.#log) return ticks(low, high, n);
    const { at, text } = this.#hasDecades ? logTicks(this.#lowest, high, n) : { at: [], text: [] };
    return this.#foot === null ? { at, text } : { at: [this.#foot, ...at], text: [this.#zero, ...text] };
  }

  #hasDecades = true;
  #lowest = 0;

  /** @param {number[]} values @returns {[number, number]} */
  #rangeOf(values) {
    if (!values.length) return [0, 1];
    if (!this.#log) return roomy(smallest(values), largest(values));
    const powers = values.filter((value) => value > 0).map(Math.log10);
    this.#hasDecades = powers.length > 0;
    const [low, high] = this.#hasDecades ? roomy(smallest(powers), largest(powers)) : [0, 1];
    this.#lowest = low;
    if (powers.length === values.length) return [low, high];
    this.#foot = low - Math.max(FOOT * (high - low), LEAST_FOOT);
    return [this.#foot - ROOM * (high - this.#foot), high];
  }

  /** @param {number} value */
  #aboveBase(value) {
    const above = value - this.base;
    return above < 0 && -above <= ROUNDING * Math.abs(this.base) ? 0 : above;
  }
}

/**
 * Returns what follows the name of a quantity whose axis does not show all of it.
 * @param {{cut: number|null}} scale
 */
export function cutNote({ cut }) {
  return cut === null ? "" : `, up to ${textOf(Number(cut.toPrecision(2)))}`;
}

/**
 * Returns the value up to which all is shown: the largest, unless a path diverges.
 * @param {number[][]} above
 * @param {boolean[]} diverging
 * @param {boolean} log
 */
function limitOf(above, diverging, log) {
  if (!diverging.some(Boolean)) return Infinity;
  const steady = above.flatMap((values, index) => (diverging[index] ? values.slice(0, 1) : values));
  if (!steady.length) return Infinity;
  const [low, high] = [smallest(steady), largest(steady)];
  return log ? LEADING * high || Infinity : high + LEADING * (high - low || Math.abs(high) || 1);
}

/** @param {number} low @param {number} high @returns {[number, number]} */
function roomy(low, high) {
  const room = ROOM * (high - low) || 0.5 * (low ? Math.min(Math.abs(low), 1) : 1);
  return [low - room, high + room];
}

/** @param {number[]} values */
function smallest(values) {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}

/** @param {number[]} values */
function largest(values) {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}
