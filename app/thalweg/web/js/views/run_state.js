/** What the Run view is about, as an address says it and as a job is posted. */

import { pointsOf } from "../controls/starts.js";
import { same } from "../same.js";
import { addressedStage, FIRST_STAGE, stageFrom } from "./stage_state.js";

const LESSON = "lesson";
const FIRST_SPEC = {
  function: { name: "himmelblau", dim: 2 },
  optimizer: { name: "adam" },
  lr: 0.001,
  steps: 20000,
  init: [],
};

/** What the form begins with where the service has no lesson to show. */
export const LESSON_SPEC = {
  ...FIRST_SPEC,
  init: [
    [0, 0],
    [4, 0],
    [-4, 0],
  ],
};

/** What there is to see of a job; `made` is the specification that it was posted with, `pathsOf` whose paths are drawn. */
export const NO_RESULTS = {
  job: null,
  made: null,
  progress: null,
  lost: false,
  took: null,
  trajectories: [],
  slopes: null,
  pathsOf: null,
  step: null,
  page: 0,
  runs: null,
};

export const FIRST_STATE = {
  ...FIRST_STAGE,
  ...NO_RESULTS,
  spec: FIRST_SPEC,
  isPosting: false,
  problem: null,
  notice: null,
};

/** Returns what the address says of the state: what made the results, if there are any. @param {any} state */
export function addressed(state) {
  const { job, spec, page } = state;
  const about = job ? { job: job.id } : { spec: withoutEmpty(spec) };
  return { ...about, page: page || null, ...addressedStage(state) };
}

/** Whether there are results, of other settings than the form has now. @param {{made: any, spec: any}} state */
export function isOutdated({ made, spec }) {
  return made !== null && !same(withoutNames(draftOf(made)), withoutNames(draftOf(spec)));
}

/**
 * Returns the state that an address asks for, and whether part of it could not be read; its job is yet to be fetched.
 * @param {Record<string, any>} values
 * @returns {{state: any, isDamaged: boolean}}
 */
export function stateFrom(values) {
  /** @type {any} */
  const state = { ...FIRST_STATE, ...stageFrom(values) };
  if (Number.isInteger(values.page) && values.page > 0) state.page = values.page;
  if (values.spec === undefined) return { state, isDamaged: false };
  if (!isObject(values.spec)) return { state, isDamaged: true };
  const wanted = { ...values.spec, ...namesIn(values.spec) };
  const readable = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => isReadable(name, value)));
  state.spec = { ...FIRST_SPEC, ...readable };
  return { state, isDamaged: Object.keys(readable).length < Object.keys(wanted).length };
}

/** Returns a specification as it is posted: without what is empty. @param {Object} spec @returns {any} */
export function withoutEmpty(spec) {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => isGiven(value)));
}

/** Whether a job is the lesson, with which the page opens. @param {{spec: any}|null} job */
export function isLesson(job) {
  return Boolean(job?.spec.tags?.includes(LESSON));
}

/**
 * Returns a job's specification as the form shows it: without what it would be anyway. What is made of the lesson is
 * no lesson.
 * @param {any} spec
 * @param {import("../service").Methods|null} [catalogue]
 * @returns {any}
 */
export function draftOf(spec, catalogue = null) {
  const { record_every, clip_grad_norm, tags, engine, dtype, ...rest } = spec;
  const draft = withoutEmpty(rest);
  if (tags?.includes(LESSON)) delete draft.label;
  if (catalogue && draft.optimizer) {
    draft.optimizer = withoutUsual(draft.optimizer, catalogue.optimizers);
    if (draft.scheduler) draft.scheduler = withoutUsual(draft.scheduler, catalogue.schedulers);
  }
  if (dtype && dtype !== "float64") draft.dtype = dtype;
  if (record_every && record_every !== 1) draft.record_every = record_every;
  if (isGiven(clip_grad_norm)) draft.clip_grad_norm = clip_grad_norm;
  if (engine && engine !== "auto") draft.engine = engine;
  if (tags?.length && !tags.includes(LESSON)) draft.tags = tags;
  return draft;
}

/**
 * Whether the form can show a stored specification, which another version of the service may have written.
 * @param {any} spec
 */
export function isShowable({ function: reference, optimizer, scheduler = null, init }) {
  return Object.entries({ function: reference, optimizer, scheduler, init }).every(
    ([name, value]) => value !== undefined && isReadable(name, value),
  );
}

/**
 * Returns an `init` for another number of coordinates: still random, or the same points with as many.
 * @param {any} init
 * @param {{dim: number, domain?: number[][]}} info
 */
export function inDimension(init, info) {
  if (init.random !== undefined) return { random: init.random, seed: init.seed ?? 0 };
  return pointsOf(init).map((x) =>
    Array.from({ length: info.dim }, (_, axis) => x[axis] ?? middleOf(info.domain?.[axis])),
  );
}

/**
 * Returns an optimizer or a schedule by its name and what differs from its defaults.
 * @param {{name: string, [parameter: string]: any}} method
 * @param {import("../service").Entry[]} entries
 */
function withoutUsual({ name, ...values }, entries) {
  const usual = entries.find((each) => each.name === name)?.parameters.properties ?? {};
  const unusual = Object.entries(values).filter(([key, value]) => !same(value, usual[key]?.default));
  return { name, ...Object.fromEntries(unusual) };
}

/** The name of a job makes no difference to its results. @param {any} spec */
function withoutNames({ label: _, tags: __, ...spec }) {
  return spec;
}

/** @param {number[]|undefined} range */
function middleOf(range) {
  return range ? (range[0] + range[1]) / 2 : 0;
}

/** @param {any} spec */
function namesIn(spec) {
  /** @type {Record<string, {name: string}>} */
  const named = {};
  for (const part of ["function", "optimizer", "scheduler"]) {
    if (typeof spec[part] === "string") named[part] = { name: spec[part] };
  }
  return named;
}

/** @type {Record<string, (value: any) => boolean>} */
const REFERENCES = {
  function: (value) =>
    typeof value.name === "string" || (typeof value.expression === "string" && Array.isArray(value.variables)),
  optimizer: (value) => typeof value.name === "string",
  scheduler: (value) => typeof value.name === "string",
};

/**
 * Whether the form can show a value; whether it is allowed, the service says.
 * @param {string} name
 * @param {any} value
 */
function isReadable(name, value) {
  if (name in REFERENCES) return value === null ? name === "scheduler" : isObject(value) && REFERENCES[name](value);
  if (name === "init") return isObject(value) || (Array.isArray(value) && pointsOf(value).every(Array.isArray));
  if (name === "stop" || name === "gradient_noise") return value === null || isObject(value);
  return true;
}

/** @param {unknown} value */
function isGiven(value) {
  return value !== null && value !== undefined;
}

/** @param {unknown} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
