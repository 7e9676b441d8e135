/** How a function is looked at, as an address says it. */

import { FIRST_CAMERA } from "../plots/camera.js";

export const FIRST_STAGE = {
  info: null,
  grid: null,
  deadEnd: null,
  axes: [0, 1],
  window: null,
  log: null, // by the values
  step: null,
  camera: FIRST_CAMERA,
};

/** Returns what the address says of how it is looked at. @param {any} state */
export function addressedStage({ axes, window, log, step, camera }) {
  return {
    axes: axes.join() === "0,1" ? null : axes,
    window,
    log,
    step,
    camera: camera === FIRST_CAMERA ? null : eyeOf(camera),
  };
}

/** Returns how an address asks to look at it. @param {Record<string, any>} values */
export function stageFrom(values) {
  /** @type {Record<string, any>} */
  const stage = {};
  if (isNumbers(values.axes, [1, 2])) stage.axes = values.axes;
  if (isNumbers(values.window, [2, 4])) stage.window = values.window;
  if (typeof values.log === "boolean") stage.log = values.log;
  if (Number.isInteger(values.step) && values.step >= 0) stage.step = values.step;
  if (isNumbers(values.camera, [3, 6])) stage.camera = cameraFrom(values.camera);
  return stage;
}

/** @param {import("../plots/camera.js").Camera} camera */
function eyeOf({ eye, center }) {
  return [eye.x, eye.y, eye.z, center.x, center.y, center.z].map((value) => Number(value.toFixed(3)));
}

/** @param {number[]} numbers @returns {import("../plots/camera.js").Camera} */
function cameraFrom([x, y, z, cx = 0, cy = 0, cz = 0]) {
  return { eye: { x, y, z }, center: { x: cx, y: cy, z: cz } };
}

/** @param {any} value @param {number[]} lengths */
function isNumbers(value, lengths) {
  return Array.isArray(value) && lengths.includes(value.length) && value.every((each) => Number.isFinite(each));
}
