/** A job's trajectories, fetched thinned to what a screen can show. */

import { Problem } from "../api.js";
import { FACTS } from "../facts.js";
import { endingOf, entriesPerPath } from "./path.js";

export const MOST_PATHS = FACTS.picture.most_paths;
const AT_ONCE = 6;
const MOST_SLOPE_NUMBERS = 400_000;

/**
 * Fetches what is recorded of a job's first runs.
 * @returns {Promise<Array<{run: number, step: number[], x: number[][], f: number[]}>>}
 */
export function fetchTrajectories(api, job, signal) {
  const { nRuns, entries } = sizeOf(job);
  return ofRuns(nRuns, (run) => api.trajectory(job.id, { run, max_points: entries }, signal));
}

/** Returns how many of a job's runs are to be seen, and how many entries of each. */
export function sizeOf(job) {
  const nRuns = Math.min(job.n_runs, MOST_PATHS);
  return { nRuns, entries: entriesPerPath(nRuns) };
}

/** Fetches something of each of the first runs, some at once. */
export async function ofRuns(n, fetchOne) {
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

/** Returns the norms of the gradient along trajectories, by trajectory; none where the service will not compute so many. */
export async function fetchSlopes(api, reference, trajectories, signal) {
  const dim = trajectories.find((each) => each.x.length)?.x[0].length ?? 0;
  const places = trajectories.flatMap((each, which) =>
    each.x.flatMap((x, entry) => (x.includes(null) || each.f[entry] === null ? [] : [{ which, entry, x }])),
  );
  if (!places.length || places.length * (dim + 1) > MOST_SLOPE_NUMBERS) return [];
  const slopes = trajectories.map((each) => Array(each.step.length).fill(null));
  try {
    const { gradient } = await api.evaluate(
      { function: reference, points: places.map((place) => place.x), gradient: true },
      signal,
    );
    gradient.forEach((row, index) => {
      const { which, entry } = places[index];
      slopes[which][entry] = row.includes(null) ? null : Math.hypot(...row);
    });
  } catch (error) {
    if (error instanceof Problem) return [];
    throw error;
  }
  return slopes;
}

/**
 * Returns a trajectory as plots take it.
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
