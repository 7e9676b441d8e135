/** One quantity of every path, by step. */

import { h, svg } from "../dom.js";
import { entryAt } from "./path.js";
import { Axes } from "./axes.js";
import { look } from "./look.js";
import { CONFIG, keepSize, plotly } from "./plotly.js";

const MOST_TICKS = 6;
const LEAST = 1e-18; // nothing smaller is told apart on a log axis

export class CurvePlot {
  #of;
  #onHover;
  #plot = h("div", { class: "plot" });
  #rule = svg("line", { class: "rule" });
  #axes = new Axes(this.#plot);
  #scene = null;
  #step = null;

  /**
   * @param {string} label of the figure, for who cannot see it
   * @param {(path: import("./path.js").Path, index: number) => Array<number|null>|null} of the quantity
   * @param {(at: {path: number, entry: number}|null) => void} onHover
   */
  constructor(label, of, onHover) {
    this.#of = of;
    this.#onHover = onHover;
    const overlay = svg("svg", { class: "overlay passive", "aria-hidden": "true" }, this.#rule);
    this.element = h("figure", { class: "curve", "aria-label": label }, this.#plot, overlay);
    keepSize(this.#plot);
    this.#plot.addEventListener("pointermove", (event) => this.#hover(event));
    this.#plot.addEventListener("pointerleave", () => onHover(null));
  }

  /** @param {{paths: Array, log: boolean, title: string, base: number}} scene `base` is taken off the values */
  async draw(scene) {
    const Plotly = await plotly();
    const first = this.#scene === null;
    this.#scene = scene;
    await Plotly.react(this.#plot, this.#traces(), this.#layout(), CONFIG);
    if (first) this.#plot.on("plotly_afterplot", () => this.mark(this.#step));
    this.mark(this.#step);
  }

  /** Marks a step. */
  mark(step) {
    this.#step = step;
    const box = this.#axes.box;
    this.#rule.style.display = step === null || !box ? "none" : "";
    if (step === null || !box) return;
    const [x] = this.#axes.toPixel(step, 1);
    const ends = { x1: x, x2: x, y1: box.top, y2: box.top + box.height };
    for (const [name, value] of Object.entries(ends)) this.#rule.setAttribute(name, value);
  }

  #values(path, index) {
    const { base, log } = this.#scene;
    const values = this.#of(path, index);
    if (!values) return [];
    return values.map((value) => (value === null ? null : log ? Math.max(value - base, LEAST) : value - base));
  }

  #traces() {
    return this.#scene.paths.map((path, index) => ({
      type: "scatter",
      mode: "lines",
      x: path.step,
      y: this.#values(path, index),
      line: { color: path.color, width: 1.6, simplify: true },
      hoverinfo: "none",
      name: path.name,
    }));
  }

  #layout() {
    const { soft, line, font } = look();
    const { title, log } = this.#scene;
    const axis = { color: soft, tickfont: { size: 11 }, gridcolor: line, zeroline: false, fixedrange: true };
    return {
      margin: { l: 56, r: 12, t: 26, b: 36 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font,
      title: { text: title, font: { size: 12 }, x: 0, xref: "paper", xanchor: "left", y: 0.97 },
      showlegend: false,
      hovermode: false,
      dragmode: false,
      xaxis: { ...axis, title: { text: "step", standoff: 4, font: { size: 12 } }, rangemode: "tozero" },
      yaxis: { ...axis, ...(log ? this.#decades() : {}) },
    };
  }

  /** A log axis that is marked at whole decades, at most at some. */
  #decades() {
    let [low, high] = [Infinity, -Infinity];
    this.#scene.paths.forEach((path, index) => {
      for (const value of this.#values(path, index)) {
        if (value === null || value <= 0) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    });
    const decades = high > low ? Math.log10(high / low) : 0;
    return { type: "log", exponentformat: "power", ...(decades >= 1 ? { dtick: Math.max(1, Math.ceil(decades / MOST_TICKS)) } : { nticks: MOST_TICKS }) };
  }

  #hover(event) {
    const at = this.#scene && this.#axes.at(event);
    if (!at) {
      this.#onHover(null);
      return;
    }
    const candidates = this.#scene.paths.flatMap((path, index) => {
      const values = this.#values(path, index);
      if (!values.length) return [];
      const entry = entryAt(path, at.x);
      const value = values[entry];
      if (value === null) return [];
      return [{ path: index, entry, distance: Math.abs(this.#axes.toPixel(0, value)[1] - at.pixel[1]) }];
    });
    candidates.sort((a, b) => a.distance - b.distance);
    this.#onHover(candidates[0] ?? null);
  }
}
