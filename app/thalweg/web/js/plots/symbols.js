/** What stands for what, in every picture: a circle for a start, a square for an end, a cross for a run that diverged, a diamond for a minimum. */

import { h, svg } from "../dom.js";

export const SHAPES = { start: "circle", end: "square", diverged: "cross", minimum: "diamond" };

const NAMES = { start: "start", end: "end", diverged: "diverged", minimum: "known minimum" };
const OUTLINES = {
  circle: (r) => `M${-r},0A${r},${r} 0 1 1 ${r},0A${r},${r} 0 1 1 ${-r},0Z`,
  square: (r) => `M${-r},${-r}H${r}V${r}H${-r}Z`,
  diamond: (r) => `M0,${-r}L${r},0L0,${r}L${-r},0Z`,
  cross: (r) => `M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}`,
};

/** Returns the outline of a symbol about the origin, as an SVG path. */
export function outline(kind, radius) {
  return OUTLINES[SHAPES[kind]](radius);
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

function sign(kind) {
  return svg(
    "svg",
    { viewBox: "-8 -8 16 16", class: `sign ${kind}`, "aria-hidden": "true" },
    svg("path", { d: outline(kind, kind === "minimum" ? 6 : 4.5) }),
  );
}
