/** The ground of a picture: a grid of values of the function. */

import { FACTS } from "../facts.js";
import { domainWindow, middle, sliceRequest } from "./slice.js";

const { ground_points: POINTS, line_points: LINE_POINTS, in_plane: IN_PLANE } = FACTS.picture;

/**
 * Fetches the values of a function over a window, by default over its domain.
 * @param {import("../api.js").Api} api
 * @param {import("../service").Reference} reference
 * @param {import("../service").FunctionInfo} info
 * @param {{axes: number[], window: number[]|null}} view
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("../service").Grid>} without y, of one coordinate
 */
export async function fetchGround(api, reference, info, { axes, window }, signal) {
  const [low, high, ...rest] = window ?? domainWindow(info, axes);
  if (info.dim > 1)
    return api.surface(
      sliceRequest(reference, info, { points: POINTS, axes, window: [low, high, ...rest] }),
      signal,
    );
  const x = Array.from({ length: LINE_POINTS }, (_, i) => low + ((high - low) * i) / (LINE_POINTS - 1));
  const { f } = await api.evaluate({ function: reference, points: x.map((value) => [value]) }, signal);
  return { x, y: null, f };
}

/**
 * Whether heights are told apart better on a log scale: of a surface without negative values.
 * @param {import("../service").Grid|null} grid
 */
export function fitsLogScale(grid) {
  return Boolean(grid?.y && grid.z?.every((row) => row.every((f) => f === null || f >= 0)));
}

/**
 * Returns the known minima as plots mark them: of a slice, those that lie in it.
 * @param {{dim: number, domain: number[][], minima: Array<{x: number[], f: number}>}} info
 * @param {number[]} axes
 */
export function minimaIn(info, axes) {
  const [across, along = null] = axes;
  const through = info.dim > 2 ? middle(info) : null;
  const lies = (/** @type {number[]} */ x) =>
    !through || x.every((value, axis) => axes.includes(axis) || Math.abs(value - through[axis]) <= IN_PLANE);
  return info.minima.flatMap(({ x, f }, index) =>
    lies(x) ? [{ x: x[across], y: along === null ? 0 : x[along], f, point: x, number: index + 1 }] : [],
  );
}
