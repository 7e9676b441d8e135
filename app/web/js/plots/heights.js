const TICK_ROOM = 0.11; // of the range, for each label

/**
 * How high a value is drawn. On the log scale it is log10(1 + (f − low) / unit): even where f is negative or zero,
 * and nearly linear below the unit, a thousandth of what most of the surface rises.
 */
export class Heights {
  /**
   * @param {Array<Array<number|null>>} z values over a grid
   * @param {Array<number>} known other values that are to be seen: of minima
   * @param {boolean} log
   */
  constructor(z, known, log) {
    const values = z.flat().filter((value) => value !== null);
    values.sort((a, b) => a - b);
    this.log = log;
    this.low = Math.min(values[0] ?? 0, ...known);
    this.high = values.at(-1) ?? 1;
    const most = values[Math.floor(0.9 * (values.length - 1))] ?? 1;
    this.unit = 10 ** Math.floor(Math.log10(Math.max((most - this.low) / 500, 1e-300)));
  }

  /** Returns the height of a value; null stays null. */
  of(f) {
    if (f === null) return null;
    if (!this.log) return f;
    return Math.log10(1 + Math.max(f - this.low, 0) / this.unit);
  }

  /** Returns the heights of a grid. */
  grid(z) {
    return z.map((row) => row.map((f) => this.of(f)));
  }

  /** The lowest and the highest height. */
  get range() {
    return [this.of(this.low), this.of(this.high)];
  }

  /** Returns where an axis of heights is marked, and with what: values of f. */
  ticks() {
    if (!this.log) return null;
    const rises = [0];
    const top = this.high - this.low;
    for (let rise = this.unit; rise <= top; rise *= 10) rises.push(rise);
    const room = TICK_ROOM * this.range[1];
    let last = -Infinity;
    const values = rises.map((rise) => this.low + rise).filter((value) => {
      const fits = this.of(value) - last >= room;
      if (fits) last = this.of(value);
      return fits;
    });
    return { at: values.map((value) => this.of(value)), text: values.map((value) => this.#text(value)) };
  }

  #text(value) {
    const digits = Math.max(0, -Math.floor(Math.log10(this.unit)));
    return Math.abs(value) >= 1e5 ? value.toExponential(0).replace("e+", "e") : String(Number(value.toFixed(Math.min(digits, 6))));
  }
}
