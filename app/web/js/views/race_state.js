/** What the Race view is about, as an address says it and as its jobs are posted. */

import { FIRST_CAMERA } from "../plots/camera.js";
import { addressedView, viewFrom, withoutEmpty } from "./run_state.js";

export const FIRST_STATE = {
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
  info: null,
  racers: [],
  racedAs: null,
  problem: null,
  grid: null,
  axes: [0, 1],
  window: null,
  log: true,
  step: null,
  camera: FIRST_CAMERA,
};

/** Returns what of the state the address is to say. */
export function addressed(state) {
  const { reference, start, steps, contenders, racers } = state;
  const jobs = racers.map((racer) => racer.id);
  return {
    function: reference,
    start,
    steps,
    contenders: contenders.map(withoutEmpty),
    jobs: jobs.length && jobs.every(Boolean) ? jobs : null,
    ...addressedView(state),
  };
}

/** Returns the state that an address asks for, but for its jobs. */
export function stateFrom(values) {
  const state = { ...FIRST_STATE, ...viewFrom(values) };
  if (typeof values.function === "string") state.reference = { name: values.function };
  else if (values.function?.name || values.function?.expression) state.reference = values.function;
  if (Array.isArray(values.start) && values.start.every(Number.isFinite)) state.start = values.start;
  if (Number.isInteger(values.steps)) state.steps = values.steps;
  if (Array.isArray(values.contenders) && values.contenders.every((each) => each?.optimizer?.name)) state.contenders = values.contenders;
  return state;
}

/** Returns the jobs of a race, one for each contender. */
export function specsOf({ reference, start, steps, contenders }) {
  return contenders.map((method) => withoutEmpty({ ...method, function: reference, init: [start], steps, tags: ["race"] }));
}
