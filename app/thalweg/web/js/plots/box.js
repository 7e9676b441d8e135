/** The axes around a surface: lines on the three far sides of its box, and texts along the near edges. */

import { h, replace } from "../dom.js";
import { seenAt } from "./camera.js";
import { SIZE } from "./space.js";
import { ticks } from "./ticks.js";

const MOST_TICKS = 6;
const GAP = 8; // pixels, between an edge and its texts
const LINE_HEIGHT = 14;
const INDICES_PER_LINE = 6;

export class Box {
  element = h("div", { class: "box-texts", "aria-hidden": "true" });
  /** @type {any[]} */
  #axes = [];
  #ranges = new Map();

  /**
   * Marks the axes.
   * @param {import("./space.js").Space} space
   * @param {{at: number[], text: string[]}} heightTicks
   * @param {string[]} names of the coordinates
   */
  set(space, heightTicks, names) {
    this.#axes = [...names, "f"].map((name, axis) => {
      const { at, text } = axis === 2 ? heightTicks : ticks(...space.ranges[axis], MOST_TICKS);
      const marks = at
        .map((value, index) => ({ place: space.along(axis, value), text: text[index] }))
        .filter(({ place }) => axis === 2 || isInside(place, axis));
      return {
        title: h("span", null, name),
        labels: marks.map((mark) => h("span", null, mark.text)),
        places: marks.map(({ place }) => place),
      };
    });
    replace(this.element, ...this.#axes.flatMap(({ title, labels }) => [title, ...labels]));
    for (const axis of this.#axes)
      axis.widths = axis.labels.map((/** @type {HTMLElement} */ label) => label.offsetWidth);
  }

  /** Returns the lines on all six sides. @param {string} color */
  lines(color) {
    this.#ranges.clear();
    const lines = [];
    for (const axis of [0, 1, 2]) {
      for (const side of [-1, 1]) {
        const onSide = this.#linesOn(axis, side).map((points) => ({ points, color }));
        this.#ranges.set(`${axis}${side}`, [INDICES_PER_LINE * lines.length, INDICES_PER_LINE * onSide.length]);
        lines.push(...onSide);
      }
    }
    return lines;
  }

  /** Returns the ranges of the lines on the far sides. @param {import("./camera.js").Camera} camera */
  farRanges({ eye }) {
    return farSides(eye).map((side, axis) => this.#ranges.get(`${axis}${side}`));
  }

  /**
   * Puts the texts where they are seen.
   * @param {Float32Array} lens
   * @param {import("./camera.js").Camera} camera
   * @param {{width: number, height: number}} size
   */
  show(lens, { eye }, size) {
    const far = farSides(eye);
    const upright = [
      [-far[0], far[1]],
      [far[0], -far[1]],
    ].map(([x, y]) => [x, y, 0]);
    const level = (/** @type {number} */ place, /** @type {number} */ axis) =>
      Math.abs(place) > SIZE[axis] / 4 ? far[2] : -far[2]; // from over the box its lower edges are hidden
    const seenOn = (/** @type {number} */ axis, /** @type {number[]} */ sides, place = 0) =>
      seenAt(lens, onEdge(axis, sides, place), size);
    const isLefter = (/** @type {number[]} */ one, /** @type {number[]} */ other) =>
      (seenOn(2, one)?.[0] ?? Infinity) <= (seenOn(2, other)?.[0] ?? Infinity);
    const edges = [
      [0, -far[1], level(eye.y, 1)],
      [-far[0], 0, level(eye.x, 0)],
      isLefter(upright[0], upright[1]) ? upright[0] : upright[1],
    ];
    const middle = seenAt(lens, [0, 0, 0], size);
    this.#axes.forEach((axis, index) => {
      const seen = (/** @type {number} */ place) => seenOn(index, edges[index], place);
      this.#showAxis(axis, [seen(-SIZE[index] / 2), seen(SIZE[index] / 2)], middle, seen);
    });
  }

  /**
   * @param {any} axis
   * @param {Array<number[]|null>} ends
   * @param {number[]|null} middle
   * @param {(place: number) => number[]|null} seen
   */
  #showAxis({ title, labels, places, widths }, [from, to], middle, seen) {
    const length = from && to ? Math.hypot(to[0] - from[0], to[1] - from[1]) : 0;
    if (!from || !to || !middle || length < 2 * LINE_HEIGHT) {
      for (const text of [title, ...labels]) text.style.visibility = "hidden";
      return;
    }
    const way = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
    const center = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
    const isOutward = way[1] * (center[0] - middle[0]) - way[0] * (center[1] - middle[1]) > 0;
    const out = isOutward ? [way[1], -way[0]] : [-way[1], way[0]];
    /** @type {number[]|null} */
    let last = null;
    labels.forEach((/** @type {HTMLElement} */ label, /** @type {number} */ index) => {
      const at = seen(places[index]);
      const room = Math.abs(way[0]) * widths[index] + Math.abs(way[1]) * LINE_HEIGHT;
      const fits = at && (!last || Math.hypot(at[0] - last[0], at[1] - last[1]) >= room);
      label.style.visibility = fits ? "" : "hidden";
      if (!fits) return;
      last = at;
      put(label, at, out, GAP);
    });
    title.style.visibility = "";
    put(title, center, out, 2 * GAP + Math.abs(out[0]) * Math.max(...widths) + Math.abs(out[1]) * LINE_HEIGHT);
  }

  /** @param {number} axis @param {number} side @returns {number[][][]} */
  #linesOn(axis, side) {
    const [one, other] = [0, 1, 2].filter((each) => each !== axis);
    const across = (/** @type {number} */ along, /** @type {number} */ fixed) =>
      [-SIZE[fixed] / 2, ...this.#axes[fixed].places, SIZE[fixed] / 2].map((place) =>
        [-1, 1].map((end) => {
          const point = [0, 0, 0];
          point[axis] = (side * SIZE[axis]) / 2;
          point[fixed] = place;
          point[along] = (end * SIZE[along]) / 2;
          return point;
        }),
      );
    return [...across(one, other), ...across(other, one)];
  }
}

/**
 * Whether a place is not at an end of an axis, where its text would lie on that of another.
 * @param {number} place
 * @param {number} axis
 */
function isInside(place, axis) {
  return Math.abs(place) < (1 / 2 - 1e-3) * SIZE[axis];
}

/**
 * Returns which side of each axis is the farther one from an eye.
 * @param {{x: number, y: number, z: number}} eye
 */
function farSides({ x, y, z }) {
  return [x, y, z].map((place) => (place > 0 ? -1 : 1));
}

/**
 * Returns a place on the edge along an axis that lies on two sides.
 * @param {number} axis
 * @param {number[]} sides
 * @param {number} place
 */
function onEdge(axis, sides, place) {
  return sides.map((side, each) => (each === axis ? place : (side * SIZE[each]) / 2));
}

/** Puts a text beside a point. @param {HTMLElement} text @param {number[]} at @param {number[]} outwards @param {number} gap */
function put(text, [x, y], [right, down], gap) {
  const [left, top] = [x + gap * right, y + gap * down].map((value) => value.toFixed(1));
  text.style.transform = `translate(${left}px, ${top}px) translate(${(50 * right - 50).toFixed(1)}%, ${(50 * down - 50).toFixed(1)}%)`;
}
