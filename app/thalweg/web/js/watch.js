/** A job that is watched: how far it is, and what of it there is to see so far. */

import { Problem } from "./api.js";
import { Growth } from "./growth.js";
import { fetchSlopes, fetchTrajectories, sizeOf } from "./plots/paths.js";

const PAUSE_MS = 250;
const SHARE = 2; // what is new is not fetched before this many times as long as the last one took

export const hasEnded = (job) => !["queued", "running"].includes(job.status);

/**
 * Watches a job until it has ended and all is fetched.
 * @param {import("./api.js").Api} api
 * @param {Object} job
 * @param {(news: {job?: Object, progress?: Object, trajectories?: Array, slopes?: Array|null, lost?: boolean}) => void} tell
 * @param {AbortSignal} signal
 */
export async function watch(api, job, tell, signal) {
  let fetching = false;
  let notBefore = 0;
  const growth = new Growth(api, job.id, sizeOf(job));
  const look = async (step) => {
    if (fetching || performance.now() < notBefore) return;
    fetching = true;
    const began = performance.now();
    try {
      const trajectories = await growth.fetch(step, signal);
      if (fetching && !signal.aborted) tell({ trajectories });
    } catch {
      // the end of the stream says what is to be said
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
  fetching = false; // what is still under way would be older than what follows
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
