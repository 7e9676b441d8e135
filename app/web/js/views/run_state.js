/** What the Run view is about, as an address says it and as a job is posted. */

import { pointsOf } from "../controls/starts.js";
import { FIRST_CAMERA } from "../plots/camera.js";

const FIRST_SPEC = {
  function: { name: "himmelblau", dim: 2 },
  optimizer: { name: "adam" },
  lr: 0.01,
  steps: 20000,
  init: [],
};

export const FIRST_STATE = {
  spec: FIRST_SPEC,
  info: null,
  job: null,
  progress: null,
  lost: false,
  took: null,
  problem: null,
  trajectories: [],
  slopes: null,
  grid: null,
  axes: [0, 1],
  window: null,
  log: true,
  step: null,
  camera: FIRST_CAMERA,
};

/** Returns what of the state the address is to say. */
export function addressed(state) {
  const { job, spec } = state;
  const isJobs = job !== null && spec === state.jobSpec;
  return { job: job?.id ?? null, spec: isJobs ? null : withoutEmpty(spec), ...addressedView(state) };
}

/** Returns what the address is to say of how it is looked at. */
export function addressedView({ axes, window, log, step, camera }) {
  return {
    axes: axes.join() === "0,1" ? null : axes,
    window,
    log: log ? null : false,
    step,
    camera: camera === FIRST_CAMERA ? null : eyeOf(camera),
  };
}

/** Returns the state that an address asks for; its `job` is left to be fetched. */
export function stateFrom(values) {
  const state = { ...FIRST_STATE, ...viewFrom(values) };
  if (isObject(values.spec)) state.spec = { ...FIRST_SPEC, ...values.spec, ...namesIn(values.spec) };
  return state;
}

/** Returns what an address says of how it is to be looked at. */
export function viewFrom(values) {
  const view = {};
  if (isNumbers(values.axes, [1, 2])) view.axes = values.axes;
  if (isNumbers(values.window, [2, 4])) view.window = values.window;
  if (values.log === false) view.log = false;
  if (Number.isInteger(values.step) && values.step >= 0) view.step = values.step;
  if (isNumbers(values.camera, [3, 6])) view.camera = cameraFrom(values.camera);
  return view;
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

function eyeOf({ eye, center }) {
  return [eye.x, eye.y, eye.z, center.x, center.y, center.z].map((value) => Number(value.toFixed(3)));
}

function cameraFrom([x, y, z, cx = 0, cy = 0, cz = 0]) {
  return { eye: { x, y, z }, center: { x: cx, y: cy, z: cz } };
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumbers(value, lengths) {
  return Array.isArray(value) && lengths.includes(value.length) && value.every((each) => Number.isFinite(each));
}
