/** What the Race view is about, as an address says it and as its jobs are posted. */

import { same } from "../same.js";
import { draftOf, isShowable, withoutEmpty } from "./run_state.js";
import { addressedStage, FIRST_STAGE, stageFrom } from "./stage_state.js";

/** What there is to see of a race; `raced` is the course that it was run on. */
export const NO_RACE = { racers: [], raced: null, step: null };

export const FIRST_STATE = {
  ...FIRST_STAGE,
  ...NO_RACE,
  reference: { name: "himmelblau", dim: 2 },
  start: [-1, -4],
  steps: 2000,
  contenders: [
    { optimizer: { name: "sgd" }, lr: 0.01 },
    { optimizer: { name: "sgd", momentum: 0.9 }, lr: 0.001 },
    { optimizer: { name: "adam" }, lr: 0.05 },
    { optimizer: { name: "rprop" }, lr: null },
    { optimizer: { name: "lbfgs", line_search_fn: "strong_wolfe" }, lr: null },
  ],
  isPosting: false,
  problem: null,
  notice: null,
};

/** Returns the course of a race: where it is run, and by whom. @param {any} state */
export function courseOf({ reference, start, steps, contenders }) {
  return { reference, start, steps, contenders };
}

/** Whether there are results, of another race than the form has now. @param {any} state */
export function isOutdated(state) {
  return state.raced !== null && !same(state.raced, courseOf(state));
}

/** Returns what the address says of the state: what made the results, if there are any. @param {any} state */
export function addressed(state) {
  const jobs = state.racers.map((/** @type {any} */ racer) => racer.id);
  const { reference, start, steps, contenders } = state.raced ?? state;
  const course = { function: reference, start, steps, contenders: contenders.map(withoutEmpty) };
  return { ...(jobs.length && jobs.every(Boolean) ? { jobs } : course), ...addressedStage(state) };
}

/**
 * Returns the state that an address asks for, and whether all of it could be read; its jobs are left to be fetched.
 * @param {Record<string, any>} values
 * @returns {{state: any, isDamaged: boolean}}
 */
export function stateFrom(values) {
  /** @type {any} */
  const state = { ...FIRST_STATE, ...stageFrom(values) };
  /** @type {Record<string, (value: any) => boolean>} */
  const readable = {
    function: (value) =>
      typeof value === "string" ||
      typeof value?.name === "string" ||
      (typeof value?.expression === "string" && Array.isArray(value.variables)),
    start: (value) => Array.isArray(value) && value.every(Number.isFinite),
    steps: (value) => Number.isInteger(value),
    contenders: (value) =>
      Array.isArray(value) && value.every((/** @type {any} */ each) => typeof each?.optimizer?.name === "string"),
  };
  const names = Object.keys(readable).filter((name) => values[name] !== undefined);
  for (const name of names.filter((each) => readable[each](values[each]))) {
    const value = values[name];
    if (name === "function") state.reference = typeof value === "string" ? { name: value } : value;
    else state[name] = value;
  }
  return { state, isDamaged: !names.every((name) => readable[name](values[name])) };
}

/** Returns the jobs of a race, one for each contender. @param {any} course */
export function specsOf({ reference, start, steps, contenders }) {
  return contenders.map((/** @type {Object} */ method) =>
    withoutEmpty({ ...method, function: reference, init: [start], steps, tags: ["race"] }),
  );
}

/**
 * Returns the race that some jobs were, by the first of them: the course, and which of the jobs ran it.
 * @param {import("../service").Job[]} jobs at least one
 * @param {import("../service").Methods} catalogue
 * @returns {{course: any, jobs: import("../service").Job[]}|null} null if none of them can be in a race
 */
export function raceOf(jobs, catalogue) {
  const single = jobs.filter((job) => isShowable(job.spec) && job.n_runs === 1);
  if (single.length === 0) return null;
  const placeOf = (/** @type {import("../service").Job} */ { spec, runs }) => ({
    reference: spec.function,
    start: runs[0].init,
    steps: spec.steps,
  });
  const place = placeOf(single[0]);
  const ran = single.filter((job) => same(placeOf(job), place));
  const methods = ran.map((job) => {
    const { optimizer, lr, scheduler } = draftOf(job.spec, catalogue);
    return { optimizer, lr, ...(scheduler ? { scheduler } : {}) };
  });
  return { course: { ...place, contenders: methods }, jobs: ran };
}
