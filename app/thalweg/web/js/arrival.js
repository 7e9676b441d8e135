/** When a run arrived at the minimum that it ended at. */

const ENTRIES = 500;

/**
 * Returns the first step from which a run stays at its minimum, or null where it ended elsewhere. Fetches finer parts of
 * a thinned trajectory until two entries are as close as the run was recorded.
 * @param {import("./api.js").Api} api
 * @param {{id: string, runs: Array<{minimum: {x: number[]}|null}>, spec: {record_every: number}}} job
 * @param {{minimum_radius: number}} info of the function
 * @param {{step: number[], x: number[][]}} trajectory of its first run
 * @param {AbortSignal} [signal]
 * @returns {Promise<number|null>}
 */
export async function arrival(api, job, info, trajectory, signal) {
  const minimum = job.runs[0]?.minimum;
  if (!minimum) return null;
  const isThere = (/** @type {number[]} */ x) =>
    !x.some((value) => value === null) &&
    Math.hypot(...x.map((value, axis) => value - minimum.x[axis])) <= info.minimum_radius;
  let part = trajectory;
  for (;;) {
    const outside = part.x.findLastIndex((x) => !isThere(x));
    if (outside === -1) return part.step[0] ?? null;
    if (outside === part.step.length - 1) return null;
    const [before, after] = [part.step[outside], part.step[outside + 1]];
    const every = job.spec.record_every;
    if (after - before <= every) return after;
    const range = { run: 0, from_step: before, to_step: after, max_points: ENTRIES };
    const finer = await api.trajectory(job.id, range, signal);
    if (finer.step.length <= 2) return after;
    part = finer;
  }
}
