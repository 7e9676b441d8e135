/** A network as nodes and edges, with what passes through it; the backward pass is uncovered layer by layer. */

import { h, instead, replace, svg } from "../dom.js";
import { short } from "../numbers.js";

const [WIDTH, NODE_GAP, MOST_NODES] = [760, 62, 8];
const RADIUS = 21;

/** Returns a number that fits into a node. @param {number} value */
function inside(value) {
  const text = short(value, 3);
  return text.length <= 6 ? text : short(value, 1);
}

export class NetworkDiagram {
  #onChoose;
  element = h("div", { class: "diagram" });

  /** @param {(at: {layer: number, node: number}) => void} onChoose of a node behind the inputs */
  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  /**
   * @param {import("../service").Pass} pass what the service says of both passes
   * @param {number[]} input
   * @param {number} shown from which layer on the backward pass is seen; the number of layers, if not at all
   * @param {{layer: number, node: number}} chosen
   */
  draw(pass, input, shown, chosen) {
    const columns = [input, ...pass.layers.map((layer) => layer.output)];
    const height = Math.max(...columns.map((column) => Math.min(column.length, MOST_NODES))) * NODE_GAP + 46;
    /** @param {number} column @param {number} node @returns {[number, number]} */
    const place = (column, node) => {
      const n = Math.min(columns[column].length, MOST_NODES);
      return [
        50 + (column * (WIDTH - 100)) / (columns.length - 1),
        height / 2 - 8 + (node - (n - 1) / 2) * NODE_GAP,
      ];
    };
    const hidden = columns.some((column) => column.length > MOST_NODES);
    replace(
      this.element,
      svg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "The network" },
        svg("g", null, ...this.#edges(pass, place, shown, chosen)),
        columns.flatMap((column, index) =>
          column
            .slice(0, MOST_NODES)
            .map((output, node) => this.#node({ pass, index, node, output, place, shown, chosen })),
        ),
      ),
      hidden ? h("p", { class: "hint" }, `The first ${MOST_NODES} nodes of each layer are drawn.`) : null,
    );
  }

  /**
   * @param {import("../service").Pass} pass
   * @param {(column: number, node: number) => [number, number]} place
   * @param {number} shown
   * @param {{layer: number, node: number}} chosen
   */
  #edges(pass, place, shown, chosen) {
    const strongest = Math.max(...pass.weights.flat(2).map(Math.abs), 1e-12);
    return pass.weights.flatMap((matrix, layer) =>
      matrix.slice(0, MOST_NODES).flatMap((row, from) =>
        row.slice(0, MOST_NODES).map((weight, to) => {
          const [[x1, y1], [x2, y2]] = [place(layer, from), place(layer + 1, to)];
          const isChosen = chosen.layer === layer && chosen.node === to;
          const gradient =
            layer >= shown ? `, gradient ${short(pass.layers[layer].weight_gradient[from][to])}` : "";
          const line = svg(
            "line",
            {
              x1,
              y1,
              x2,
              y2,
              class: `edge ${weight < 0 ? "negative" : "positive"}${isChosen ? " chosen" : ""}`,
              "stroke-width": 0.6 + (4.5 * Math.abs(weight)) / strongest,
            },
            svg("title", null, `weight ${short(weight)}${gradient}`),
          );
          if (!isChosen) return line;
          const share = 0.36 + 0.1 * (from % 3);
          const [x, y] = [x1 + share * (x2 - x1), y1 + share * (y2 - y1) - 4];
          const label =
            layer >= shown
              ? `${short(weight, 3)} | ∂ ${short(pass.layers[layer].weight_gradient[from][to], 2)}`
              : short(weight, 3);
          return svg("g", null, line, svg("text", { x, y, class: "weight" }, label));
        }),
      ),
    );
  }

  /**
   * @param {{pass: import("../service").Pass, index: number, node: number, output: number, place: (column: number,
   *   node: number) => [number, number], shown: number, chosen: {layer: number, node: number}}} drawn
   */
  #node({ pass, index, node, output, place, shown, chosen }) {
    const [x, y] = place(index, node);
    const layer = index - 1;
    const value = svg("text", { x, y: y + 4, class: "value", "aria-hidden": "true" }, inside(output));
    const circle = svg("circle", { cx: x, cy: y, r: RADIUS });
    if (layer < 0) return svg("g", { class: "node input" }, circle, value);
    const delta = layer >= shown ? pass.layers[layer].delta[node] : null;
    const isChosen = chosen.layer === layer && chosen.node === node;
    const choose = () => this.#onChoose({ layer, node });
    return svg(
      "g",
      {
        class: `node${isChosen ? " chosen" : ""}${layer === shown ? " fresh" : ""}`,
        tabindex: 0,
        role: "button",
        "aria-pressed": String(isChosen),
        "aria-label": `Layer ${layer + 1}, node ${node + 1}: ${inside(output)}${delta === null ? "" : ` δ ${short(delta, 3)}`}`,
        "data-output": output,
        "data-delta": delta,
        onclick: choose,
        onkeydown: (event) => {
          if (event.key === "Enter" || event.key === " ") instead(choose)(event);
        },
      },
      circle,
      value,
      delta === null
        ? null
        : svg("text", { x, y: y + RADIUS + 13, class: "delta", "aria-hidden": "true" }, `δ ${short(delta, 3)}`),
    );
  }
}
