/** The plane through a function that is looked at: two of its coordinates, the others held. */

import { FACTS } from "../facts.js";

const AWAY = FACTS.picture.away; // times as far as its start: there a diverging path is not followed any more
const LEAST_WIDTH = 1e-12; // of the numbers in it

/**
 * Returns the request for a surface.
 * @param {import("../service").Reference} reference the function, as a job has it
 * @param {{dim: number, domain: number[][], minima: Array<{x: number[]}>}} info
 * @param {{points: number, axes?: number[], window?: number[]|null, through?: number[]}} view
 */
export function sliceRequest(reference, info, { points, axes = [0, 1], window = null, through }) {
  /** @type {Record<string, any>} */
  const request = { function: withDim(reference, info.dim), points };
  if (info.dim > 2) {
    request.axes = axes;
    request.fixed = through ?? middle(info);
  }
  if (window) {
    const [x_min, x_max, y_min, y_max] = window;
    Object.assign(request, { x_min, x_max, y_min, y_max });
  }
  return request;
}

/**
 * Returns the point that a slice goes through by default: a known minimum, or the middle of the domain.
 * @param {{domain: number[][], minima: Array<{x: number[]}>}} info
 */
export function middle(info) {
  if (info.minima.length) return info.minima[0].x;
  return info.domain.map(([low, high]) => (low + high) / 2);
}

/**
 * Returns the coordinates that are looked at: those wanted, where the function has them.
 * @param {{dim: number}} info
 * @param {number[]} axes
 */
export function axesOf(info, axes) {
  if (info.dim === 1) return [0];
  return axes.every((axis) => axis < info.dim) ? axes : [0, 1];
}

/**
 * Returns the point that a place on the map stands for; its other coordinates are those of `old`.
 * @param {number} x
 * @param {number|null} y
 * @param {any} info
 * @param {number[]} axes
 * @param {number[]|null} [old]
 * @returns {number[]}
 */
export function pointAt(x, y, info, axes, old = null) {
  const whole = [...(old ?? (info.dim > 2 ? middle(info) : Array(info.dim).fill(0)))];
  const [across, along] = axesOf(info, axes);
  whole[across] = x;
  if (along !== undefined) whole[along] = y;
  return whole;
}

/** Returns the window that shows the whole domain. @param {{domain: number[][]}} info @param {number[]} axes */
export function domainWindow(info, axes) {
  return axes.flatMap((axis) => info.domain[axis] ?? []);
}

/**
 * Returns a window of another size, in which one point stays where it is, or goes to another place; the same, where
 * numbers end.
 * @param {number[]} window
 * @param {number} factor
 * @param {number[]} [from] where that point is, from 0 to 1 rightwards and upwards
 * @param {number[]} [to] where it is to be
 */
export function scaled(window, factor, from = [0.5, 0.5], to = from) {
  const out = [];
  for (let end = 0; end < window.length; end += 2) {
    const [low, high] = [window[end], window[end + 1]];
    const width = high - low;
    if (width * factor < LEAST_WIDTH * Math.max(Math.abs(low), Math.abs(high))) return window;
    const still = low + from[end / 2] * width;
    const part = to[end / 2];
    out.push(still - part * width * factor, still + (1 - part) * width * factor);
  }
  return out;
}

/**
 * Returns the window that just holds some paths, with a margin.
 * @param {Array<{x: Array<number|null>, y: Array<number|null>, ending?: string|null}>} paths
 * @param {boolean} flat whether only x counts
 */
export function around(paths, flat) {
  /** @type {Array<"x"|"y">} */
  const columns = flat ? ["x"] : ["x", "y"];
  return columns.flatMap((name) => {
    let [low, high] = [Infinity, -Infinity];
    for (const path of paths) {
      const reach = path.ending === "diverged" ? AWAY * (1 + Math.abs(path[name][0] ?? 0)) : Infinity;
      for (const value of path[name]) {
        if (value === null || Math.abs(value) > reach) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (low > high) return [-1, 1];
    const margin = Math.max((high - low) * 0.12, 1e-9 * Math.max(1, Math.abs(low)), low === high ? 0.5 : 0);
    return [low - margin, high + margin];
  });
}

/**
 * Returns a reference to a function of the catalogue with its dimension, and any other as it is.
 * @param {import("../service").Reference} reference
 * @param {number} dim
 * @returns {import("../service").Reference}
 */
export function withDim(reference, dim) {
  return reference.name ? { ...reference, dim } : reference;
}
