/**
 * From where a surface is seen, in the coordinates of `Space`, whose origin is the middle of the surface.
 * @typedef {{eye: {x: number, y: number, z: number}, center: {x: number, y: number, z: number}}} Camera
 */

import { FACTS } from "../facts.js";

const DISTANCE = 2.15;
const [NEAREST, FARTHEST] = [1, 8];
const STEEPEST = 89.9; // degrees: straight from above there would be no right and left
const FIELD_OF_VIEW = Math.PI / 4;
const USUAL_ASPECT = 1.2; // a narrower picture shows the same width from farther away
const [NEAR, FAR] = [0.05, 20];

/** The camera from which a surface is first seen. */
export const FIRST_CAMERA = cameraAt(FACTS.picture.elevation, FACTS.picture.azimuth);

/**
 * Returns a camera that looks at a center from a direction.
 * @param {number} elevation degrees
 * @param {number} azimuth degrees
 * @param {number} [distance]
 * @param {{x: number, y: number, z: number}} [center]
 * @returns {Camera}
 */
export function cameraAt(elevation, azimuth, distance = DISTANCE, center = { x: 0, y: 0, z: -0.17 }) {
  const [e, a] = [elevation, azimuth].map((degrees) => (degrees * Math.PI) / 180);
  const way = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
  const [x, y, z] = way.map((part, axis) =>
    Number((distance * part + [center.x, center.y, center.z][axis]).toFixed(4)),
  );
  return { eye: { x, y, z }, center };
}

/** Returns the angles of a camera, in degrees, and its distance from what it looks at. @param {Camera} camera */
export function anglesOf({ eye, center }) {
  const [x, y, z] = [eye.x - center.x, eye.y - center.y, eye.z - center.z];
  const distance = Math.hypot(x, y, z);
  const degrees = 180 / Math.PI;
  return { elevation: Math.asin(z / distance) * degrees, azimuth: Math.atan2(y, x) * degrees, distance };
}

/**
 * Returns a camera turned about what it looks at, by angles in degrees.
 * @param {Camera} camera
 * @param {number} elevation
 * @param {number} azimuth
 */
export function turned(camera, elevation, azimuth) {
  const now = anglesOf(camera);
  const next = Math.min(Math.max(now.elevation + elevation, -STEEPEST), STEEPEST);
  return cameraAt(next, now.azimuth + azimuth, now.distance, camera.center);
}

/** Returns a camera so many times as far away. @param {Camera} camera @param {number} factor */
export function farther(camera, factor) {
  const { elevation, azimuth, distance } = anglesOf(camera);
  return cameraAt(elevation, azimuth, Math.min(Math.max(distance * factor, NEAREST), FARTHEST), camera.center);
}

/** Returns the matrix from places to the screen, by columns. @param {Camera} camera @param {number} aspect */
export function lensOf({ eye, center }, aspect) {
  const back = unit([eye.x - center.x, eye.y - center.y, eye.z - center.z]);
  const right = unit([-back[1], back[0], 0]);
  const up = [
    back[1] * right[2] - back[2] * right[1],
    back[2] * right[0] - back[0] * right[2],
    back[0] * right[1] - back[1] * right[0],
  ];
  const away = (/** @type {number[]} */ axis) => -(axis[0] * eye.x + axis[1] * eye.y + axis[2] * eye.z);
  const zoom = Math.min(1, aspect / USUAL_ASPECT) / Math.tan(FIELD_OF_VIEW / 2);
  const [depth, shift] = [(FAR + NEAR) / (NEAR - FAR), (2 * FAR * NEAR) / (NEAR - FAR)];
  const rows = [
    [...right, away(right)].map((value) => (value * zoom) / aspect),
    [...up, away(up)].map((value) => value * zoom),
    [...back, away(back)].map((value, column) => value * depth + (column === 3 ? shift : 0)),
    [...back, away(back)].map((value) => -value),
  ];
  return new Float32Array([0, 1, 2, 3].flatMap((column) => rows.map((row) => row[column])));
}

/**
 * Returns where on a screen a place is seen, in pixels; null where it is behind the eye.
 * @param {Float32Array} lens
 * @param {number[]} place
 * @param {{width: number, height: number}} size of the screen
 */
export function seenAt(lens, [x, y, z], { width, height }) {
  const row = (/** @type {number} */ index) =>
    lens[index] * x + lens[4 + index] * y + lens[8 + index] * z + lens[12 + index];
  const w = row(3);
  if (w <= NEAR) return null;
  return [(0.5 + (0.5 * row(0)) / w) * width, (0.5 - (0.5 * row(1)) / w) * height];
}

/** @param {number[]} vector @returns {number[]} */
function unit(vector) {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
