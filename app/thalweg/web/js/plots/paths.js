/** A job's trajectories, fetched thinned to what a screen can show. */

import { Problem } from "../api.js";
import { FACTS } from "../facts.js";
import { endingOf, entriesPerPath } from "./path.js";

export const MOST_PATHS = FACTS.picture.most_paths;
const AT_ONCE = 6;
const MOST_SLOPE_NUMBERS = 400_000;

/**
 * Fetches what is recorded of the first runs of a job.
 * @param {import("../api.js").Api} api
 * @param {import("../service").Job} job
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("../service").Trajectory[]>}
 */
export function fetchTrajectories(api, job, signal) {
  const { nRuns, entries } = sizeOf(job);
  return ofRuns(nRuns, (run) => api.trajectory(job.id, { run, max_points: entries }, signal));
}

/** Returns how many runs of a job are shown, and how many entries of each. @param {{n_runs: number}} job */
export function sizeOf(job) {
  const nRuns = Math.min(job.n_runs, MOST_PATHS);
  return { nRuns, entries: entriesPerPath(nRuns) };
}

/**
 * Fetches something for each of the first runs, a few at a time.
 * @template Found
 * @param {number} n
 * @param {(run: number) => Promise<Found>} fetchOne
 * @returns {Promise<Found[]>}
 */
export async function ofRuns(n, fetchOne) {
  /** @type {Found[]} */
  const found = Array(n);
  let next = 0;
  const lane = async () => {
    while (next < n) {
      const run = next;
      next += 1;
      found[run] = await fetchOne(run);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return found;
}

/**
 * Returns the norms of the gradient along trajectories, by trajectory; none where they are too many for the
 * service.
 * @param {import("../api.js").Api} api
 * @param {import("../service").Reference} reference
 * @param {Array<{step: number[], x: number[][], f: Array<number|null>}>} trajectories
 * @param {AbortSignal} [signal]
 * @returns {Promise<Array<Array<number|null>>>}
 */
export async function fetchSlopes(api, reference, trajectories, signal) {
  const dim = trajectories.find((each) => each.x.length)?.x[0].length ?? 0;
  const places = trajectories.flatMap((each, which) =>
    each.x.flatMap((x, entry) =>
      x.some((value) => value === null) || each.f[entry] === null ? [] : [{ which, entry, x }],
    ),
  );
  if (!places.length || places.length * (dim + 1) > MOST_SLOPE_NUMBERS) return [];
  /** @type {Array<Array<number|null>>} */
  const slopes = trajectories.map((each) => Array(each.step.length).fill(null));
  try {
    const { gradient } = await api.evaluate(
      { function: reference, points: places.map((place) => place.x), gradient: true },
      signal,
    );
    gradient.forEach((/** @type {number[]} */ row, /** @type {number} */ index) => {
      const { which, entry } = places[index];
      slopes[which][entry] = row.some((value) => value === null) ? null : Math.hypot(...row);
    });
  } catch (error) {
    if (error instanceof Problem) return [];
    throw error;
  }
  return slopes;
}

/**
 * Returns a trajectory as plots take it.
 * @param {import("../service").Trajectory} trajectory
 * @param {number[]} axes
 * @param {{name: string, color: string, outcome?: string|null}} run
 * @returns {import("./path.js").Path}
 */
export function pathOf(trajectory, axes, { name, color, outcome }) {
  const [across, along] = axes;
  return {
    name,
    color,
    ending: endingOf(outcome),
    step: trajectory.step,
    x: trajectory.x.map((x) => x[across]),
    y: trajectory.x.map((x) => (along === undefined ? 0 : x[along])),
    points: trajectory.x,
    f: trajectory.f,
  };
}
