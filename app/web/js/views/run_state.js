/** What the Run view is about, as an address says it and as a job is posted. */

import { pointsOf } from "../controls/starts.js";
import { addressedStage, FIRST_STAGE, stageFrom } from "./stage_state.js";

const FIRST_SPEC = {
  function: { name: "himmelblau", dim: 2 },
  optimizer: { name: "adam" },
  lr: 0.01,
  steps: 20000,
  init: [],
};

export const FIRST_STATE = {
  ...FIRST_STAGE,
  spec: FIRST_SPEC,
  job: null,
  progress: null,
  lost: false,
  took: null,
  problem: null,
  trajectories: [],
  slopes: null,
  page: 0,
  runs: null,
};

/** Returns what of the state the address is to say. */
export function addressed(state) {
  const { job, spec, page } = state;
  const isJobs = job !== null && spec === state.jobSpec;
  return { job: job?.id ?? null, spec: isJobs ? null : withoutEmpty(spec), page: page || null, ...addressedStage(state) };
}

/** Returns the state that an address asks for; its `job` is left to be fetched. */
export function stateFrom(values) {
  const state = { ...FIRST_STATE, ...stageFrom(values) };
  if (Number.isInteger(values.page) && values.page > 0) state.page = values.page;
  if (isObject(values.spec)) state.spec = { ...FIRST_SPEC, ...values.spec, ...namesIn(values.spec) };
  return state;
}

/** Returns a specification as it is posted: without what is empty. */
export function withoutEmpty(spec) {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null && value !== undefined));
}

/** Returns a job's specification as the form shows it: without what it would be anyway. */
export function draftOf(spec) {
  const { record_every, clip_grad_norm, tags, engine, ...rest } = spec;
  const draft = withoutEmpty(rest);
  if (record_every !== 1) draft.record_every = record_every;
  if (clip_grad_norm !== null) draft.clip_grad_norm = clip_grad_norm;
  if (engine && engine !== "auto") draft.engine = engine;
  if (tags?.length) draft.tags = tags;
  return draft;
}

/** Returns an `init` whose points have another number of coordinates. */
export function inDimension(init, info) {
  return pointsOf(init).map((x) => Array.from({ length: info.dim }, (_, axis) => x[axis] ?? middleOf(info.domain?.[axis])));
}

function middleOf(range) {
  return range ? (range[0] + range[1]) / 2 : 0;
}

function namesIn(spec) {
  const named = {};
  for (const part of ["function", "optimizer", "scheduler"]) {
    if (typeof spec[part] === "string") named[part] = { name: spec[part] };
  }
  return named;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
