/**
 * What a network of two inputs answers all over the plane, with the samples on it; of one input, its curve.
 * @typedef {Array<{weights: number[][], biases: number[]}>} Parts
 * @typedef {{x: number[][], y: number[][]}} Samples
 * @typedef {[number, number]} Range
 */

import { h, penOf } from "../dom.js";
import { colorAt } from "../plots/palette.js";
import { outputs } from "./forward.js";

const IN_ORDER = [0, 5, 3, 1, 2, 4, 6, 7]; // colours that lie next to each other are told apart first
const [SIDE, CELLS, MARGIN] = [480, 80, 0.25];

export class Boundary {
  #canvas = h("canvas", {
    width: SIDE,
    height: SIDE,
    role: "img",
    "aria-label": "The network’s output over its inputs, and the samples",
  });
  element = h("figure", { class: "boundary" }, this.#canvas);

  /** @param {Parts} parts @param {import("../service").Network} network @param {Samples} samples */
  draw(parts, network, samples) {
    const pen = penOf(this.#canvas);
    pen.clearRect(0, 0, SIDE, SIDE);
    if (samples.x[0].length === 1) this.#curve(pen, parts, network, samples);
    else if (samples.x[0].length === 2) this.#plane(pen, parts, network, samples);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Parts} parts
   * @param {import("../service").Network} network
   * @param {Samples} samples
   */
  #plane(pen, parts, network, { x, y }) {
    const [across, up] = onOneScale([0, 1].map((axis) => range(x.map((each) => each[axis]))));
    const answers = [];
    for (let row = 0; row < CELLS; row += 1) {
      for (let column = 0; column < CELLS; column += 1) {
        answers.push(
          outputs(parts, network, [at(across, (column + 0.5) / CELLS), at(up, 1 - (row + 0.5) / CELLS)]),
        );
      }
    }
    answers.forEach((answer, index) => {
      pen.fillStyle = shade(answer);
      pen.fillRect(
        (index % CELLS) * (SIDE / CELLS),
        Math.floor(index / CELLS) * (SIDE / CELLS),
        SIDE / CELLS + 1,
        SIDE / CELLS + 1,
      );
    });
    x.forEach((each, index) => {
      dot(pen, share(across, each[0]) * SIDE, (1 - share(up, each[1])) * SIDE, classColor(classOf(y[index])));
    });
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Parts} parts
   * @param {import("../service").Network} network
   * @param {Samples} samples
   */
  #curve(pen, parts, network, { x, y }) {
    const across = range(x.map(([value]) => value));
    const up = range(y.flat());
    x.forEach(([value], index) => {
      dot(pen, share(across, value) * SIDE, (1 - share(up, [y[index]].flat()[0])) * SIDE, colorAt(5));
    });
    pen.strokeStyle = colorAt(0);
    pen.lineWidth = 3;
    pen.beginPath();
    for (let pixel = 0; pixel <= SIDE; pixel += 2) {
      const [answer] = outputs(parts, network, [at(across, pixel / SIDE)]);
      pen.lineTo(pixel, (1 - share(up, answer)) * SIDE);
    }
    pen.stroke();
  }
}

/**
 * A single output lies between two classes; of several the largest is the answer, the paler the less sure.
 * @param {number[]} answer
 */
function shade(answer) {
  if (answer.length > 1) {
    const largest = answer.indexOf(Math.max(...answer));
    return mixed(classColor(largest), 0.35 + 0.4 * Math.min(Math.max(answer[largest], 0), 1));
  }
  const sure = Math.min(Math.max(answer[0], 0), 1);
  return mixed(classColor(sure > 0.5 ? 1 : 0), 0.12 + 1.1 * Math.abs(sure - 0.5));
}

/** @param {number} index */
function classColor(index) {
  return colorAt(IN_ORDER[index % IN_ORDER.length]);
}

/** @param {number|number[]} y */
function classOf(y) {
  const values = [y].flat();
  return values.length > 1 ? values.indexOf(Math.max(...values)) : Math.round(values[0]);
}

/** @param {string} color @param {number} strength */
function mixed(color, strength) {
  return `color-mix(in srgb, ${color} ${Math.round(100 * Math.min(strength, 0.75))}%, #ffffff)`;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} x
 * @param {number} y
 * @param {string} color
 */
function dot(pen, x, y, color) {
  pen.beginPath();
  pen.arc(x, y, 4.5, 0, 2 * Math.PI);
  pen.fillStyle = color;
  pen.fill();
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = 1.4;
  pen.stroke();
}

/** @param {number[]} values @returns {[number, number]} */
function range(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = MARGIN * (high - low) || 1;
  return [low - margin, high + margin];
}

/**
 * Returns ranges of one width about the same middles, so that a circle in the data is drawn as one.
 * @param {Array<[number, number]>} ranges
 * @returns {Array<[number, number]>}
 */
export function onOneScale(ranges) {
  const width = Math.max(...ranges.map(([low, high]) => high - low));
  return ranges.map(([low, high]) => [(low + high - width) / 2, (low + high + width) / 2]);
}

const at = (/** @type {Range} */ [low, high], /** @type {number} */ part) => low + part * (high - low);
const share = (/** @type {Range} */ [low, high], /** @type {number} */ value) => (value - low) / (high - low);
