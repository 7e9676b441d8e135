import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anglesOf,
  cameraAt,
  FIRST_CAMERA,
  farther,
  lensOf,
  seenAt,
  turned,
} from "../../app/thalweg/web/js/plots/camera.js";
import { Frame, fitted } from "../../app/thalweg/web/js/plots/frame.js";
import { Heights } from "../../app/thalweg/web/js/plots/heights.js";
import { SIZE, Space } from "../../app/thalweg/web/js/plots/space.js";
import { assertClose, written } from "./close.js";

test("the first camera looks from where the service's pictures do", () => {
  const { picture } = written("facts");
  const { elevation, azimuth } = anglesOf(FIRST_CAMERA);
  assertClose([elevation, azimuth], [picture.elevation, picture.azimuth], 1e-3);
});

test("a camera's angles are those it was made with", () => {
  const { elevation, azimuth, distance } = anglesOf(cameraAt(20, 130, 3));
  assertClose([elevation, azimuth, distance], [20, 130, 3], 1e-3);
});

test("a camera turns about what it looks at, not over the top, and stays within reach", () => {
  const camera = cameraAt(60, -30);
  const { elevation, azimuth } = anglesOf(turned(camera, 10, 15));
  assertClose([elevation, azimuth], [70, -15], 1e-3);
  assert.ok(anglesOf(turned(camera, 500, 0)).elevation < 90);
  const below = anglesOf(turned(camera, -500, 0));
  assertClose([below.elevation, below.azimuth], [-89.9, -30], 0.1);
  assert.deepEqual(turned(camera, 5, 5).center, camera.center);
  assertClose(anglesOf(farther(camera, 1e9)).distance, 8, 1e-3);
  assertClose(anglesOf(farther(camera, 1e-9)).distance, 1, 1e-3);
});

test("what a camera looks at is in the middle of the screen, and what is behind it nowhere", () => {
  const camera = { eye: { x: 3, y: 0, z: 0 }, center: { x: 0, y: 0, z: 0 } };
  const size = { width: 200, height: 100 };
  const lens = lensOf(camera, 2);
  assertClose(seenAt(lens, [0, 0, 0], size), [100, 50], 1e-6);
  assert.equal(seenAt(lens, [4, 0, 0], size), null);
  // 45° from bottom to top: at distance 3 the upper border is 3 tan 22.5° above the middle
  assertClose(seenAt(lens, [0, 0, 3 * Math.tan(Math.PI / 8)], size), [100, 0], 1e-4);
  assert.ok(seenAt(lens, [0, 0.1, 0], size)[0] > 100); // y goes to the right, seen from +x
});

test("a frame goes from values to pixels and back", () => {
  const frame = new Frame({ left: 10, top: 20, width: 100, height: 50 }, [0, 2], [-1, 1]);
  assert.deepEqual(frame.toPixel(1, 1), [60, 20]);
  assert.deepEqual(frame.at(60, 45), { x: 1, y: 0, pixel: [60, 45] });
  assert.deepEqual(frame.shareAt(110, 20), [1, 1]);
  assert.equal(frame.at(5, 45), null);
});

test("axes of like widths have one scale, others fill the box", () => {
  const box = { left: 0, top: 0, width: 300, height: 100 };
  assert.deepEqual(fitted(box, [0, 1], [0, 1]), { left: 100, top: 0, width: 100, height: 100 });
  assert.equal(fitted(box, [0, 100], [0, 1]), box);
});

const AXIS = Array.from({ length: 41 }, (_, k) => -6 + (12 * k) / 40);
const HIMMELBLAU = AXIS.map((y) => AXIS.map((x) => (x ** 2 + y - 11) ** 2 + (x + y ** 2 - 7) ** 2));

test("a path lies on the surface up to where it leaves", () => {
  const space = new Space({ x: AXIS, y: AXIS, z: HIMMELBLAU }, new Heights(HIMMELBLAU, [], true), true);
  const parts = space.partsOf({ x: [0, 5, 50, null], y: [0, 5, 50, 1], f: [170, 890, 1e7, null] });
  assert.equal(parts.length, 1);
  assertClose(parts[0][0].slice(0, 2), [0, 0]);
  assertClose(parts[0].at(-1).slice(0, 2), [SIZE[0] / 2, SIZE[1] / 2]); // the corner, not the last entry before it
  assert.ok(parts[0].length > 20);
});

test("on a slice a path keeps its own heights", () => {
  const z = [
    [0, 0],
    [0, 10],
  ];
  const space = new Space({ x: [0, 1], y: [0, 1], z }, new Heights(z, [], false), false);
  const [part] = space.partsOf({ x: [0, 1], y: [0, 0], f: [10, 5] });
  assert.equal(part.length, 2);
  assertClose(part[0][2] - part[1][2], SIZE[2] / 2);
  assert.equal(space.place(2, 0, 1), null);
});

test("a mesh has two triangles for each square that has values", () => {
  const z = [
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, null],
  ];
  const space = new Space({ x: [0, 1, 2], y: [0, 1, 2], z }, new Heights(z, [], false), true);
  const { places, normals, fine } = space.mesh();
  assert.equal(places.length, 27);
  assert.equal(fine.length, 3 * 7); // of eight, the one at the corner is missing
  assertClose([...normals.slice(12, 15)], [0, 0, 1], 1e-6); // on the top
});
