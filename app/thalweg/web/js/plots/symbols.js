/** What stands for what, in every picture: a circle for a start, a square for an end, a cross for a run that diverged, a diamond for a minimum. */

import { h, svg } from "../dom.js";
import { point } from "../numbers.js";

/** @type {Record<string, string>} */
export const SHAPES = { start: "circle", end: "square", diverged: "cross", minimum: "diamond" };

/** @type {Record<string, string>} */
const NAMES = { start: "start", end: "end", diverged: "diverged", minimum: "known minimum" };
/** @type {Record<string, (r: number) => string>} */
const OUTLINES = {
  circle: (r) => `M${-r},0A${r},${r} 0 1 1 ${r},0A${r},${r} 0 1 1 ${-r},0Z`,
  square: (r) => `M${-r},${-r}H${r}V${r}H${-r}Z`,
  diamond: (r) => `M0,${-r}L${r},0L0,${r}L${-r},0Z`,
  cross: (r) => `M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}`,
};

/** Returns the outline of a symbol about the origin, as an SVG path. @param {string} kind @param {number} radius */
export function outline(kind, radius) {
  return OUTLINES[SHAPES[kind]](radius);
}

const ON_MAP = { minimum: 8, end: 4, diverged: 5 }; // pixels

/**
 * Returns the symbol of the end of a path on a map.
 * @param {"end"|"diverged"} ending
 * @param {string} color
 * @param {string} name of the path
 * @param {number[]} pixel
 */
export function endSymbol(ending, color, name, [x, y]) {
  const d = outline(ending, ON_MAP[ending]);
  const cross = [svg("path", { d, class: "casing" }), svg("path", { d, class: "cross", stroke: color })];
  return svg(
    "g",
    { transform: `translate(${x},${y})`, class: `path-end ${ending}` },
    ending === "diverged" ? cross : svg("path", { d, fill: color }),
    svg("title", null, `${name}: ${ending}`),
  );
}

/**
 * Returns the symbol of a known minimum on a map, with its number.
 * @param {{number: number, point: number[]}} known
 * @param {number[]} pixel
 */
export function minimumSymbol(known, [x, y]) {
  const title = svg("title", null, `known minimum no. ${known.number}, ${point(known.point)}`);
  return svg(
    "g",
    { transform: `translate(${x},${y})` },
    svg("path", { d: outline("minimum", ON_MAP.minimum), class: "minimum" }, title),
    svg("text", { class: "number", x: 9, y: -9 }, known.number),
  );
}

export class Legend {
  element = h("ul", { class: "legend", "aria-label": "Symbols" });
  #shown = "";

  /** @param {string[]} kinds that are to be seen */
  update(kinds) {
    if (kinds.join() === this.#shown) return;
    this.#shown = kinds.join();
    this.element.replaceChildren(...kinds.map((kind) => h("li", null, sign(kind), NAMES[kind])));
  }
}

/** @param {string} kind */
function sign(kind) {
  return svg(
    "svg",
    { viewBox: "-8 -8 16 16", class: `sign ${kind}`, "aria-hidden": "true" },
    svg("path", { d: outline(kind, kind === "minimum" ? 6 : 4.5) }),
  );
}
