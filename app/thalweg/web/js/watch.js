/** Watching a job: its progress, and its trajectories so far. */

import { Problem } from "./api.js";
import { Growth } from "./growth.js";
import { fetchSlopes, fetchTrajectories, sizeOf } from "./plots/paths.js";

const PAUSE_MS = 250;
const SHARE = 2; // pauses are this many times as long as the last fetch took

/** @param {{status: string}} job */
export const hasEnded = (job) => !["queued", "running"].includes(job.status);

/**
 * Watches a job until it has ended and all is fetched.
 * @param {import("./api.js").Api} api
 * @param {import("./service").Job} job
 * @param {(news: any) => void} tell
 * @param {AbortSignal} signal
 */
export async function watch(api, job, tell, signal) {
  let fetching = false;
  let notBefore = 0;
  const growth = new Growth(api, job.id, sizeOf(job));
  const look = async (/** @type {number} */ step) => {
    if (fetching || performance.now() < notBefore) return;
    fetching = true;
    const began = performance.now();
    try {
      const trajectories = await growth.fetch(step, signal);
      if (fetching && !signal.aborted) tell({ trajectories });
    } catch {
      // the event stream reports the failure
    }
    notBefore = performance.now() + Math.max(PAUSE_MS, SHARE * (performance.now() - began));
    fetching = false;
  };
  let ended = job;
  if (!hasEnded(job)) {
    ended = await api.follow(
      job.id,
      {
        progress: (progress) => {
          tell({ progress });
          if (progress.step > 0) look(progress.step);
        },
        lost: () => tell({ lost: true }),
        found: () => tell({ lost: false }),
      },
      signal,
    );
  }
  fetching = false; // an answer still under way would be outdated
  notBefore = Infinity;
  if (ended.status === "deleted") throw new Problem(404, { detail: "The job was deleted." });
  const trajectories = await fetchTrajectories(api, ended, signal);
  tell({
    job: ended,
    progress: { ...ended.progress, status: ended.status },
    trajectories,
    slopes: null,
    lost: false,
  });
  tell({ slopes: await fetchSlopes(api, ended.spec.function, trajectories, signal) });
}
