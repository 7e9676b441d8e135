import assert from "node:assert/strict";
import { test } from "node:test";
import { fitsLogScale, minimaIn } from "../../app/thalweg/web/js/plots/ground.js";
import {
  around,
  axesOf,
  domainWindow,
  middle,
  pointAt,
  scaled,
  sliceRequest,
} from "../../app/thalweg/web/js/plots/slice.js";
import { assertClose } from "./close.js";

const PLANE = {
  dim: 2,
  domain: [
    [-6, 6],
    [-4, 8],
  ],
  minima: [{ x: [3, 2], f: 0 }],
};
const SPACE = {
  dim: 3,
  domain: [
    [-1, 1],
    [0, 4],
    [2, 4],
  ],
  minima: [],
};

test("a plane function is asked for as it is, with its window", () => {
  assert.deepEqual(sliceRequest({ name: "f" }, PLANE, { points: 5, window: [0, 1, 2, 3] }), {
    function: { name: "f", dim: 2 },
    points: 5,
    x_min: 0,
    x_max: 1,
    y_min: 2,
    y_max: 3,
  });
});

test("a slice goes through the middle of the domain, or through a known minimum", () => {
  const formula = { expression: "x+y+z", variables: ["x", "y", "z"] };
  assert.deepEqual(sliceRequest(formula, SPACE, { points: 5, axes: [2, 0] }), {
    function: formula,
    points: 5,
    axes: [2, 0],
    fixed: [0, 2, 3],
  });
  assert.deepEqual(middle({ ...SPACE, minima: [{ x: [1, 2, 3], f: 0 }] }), [1, 2, 3]);
});

test("axes that a function does not have are the first two", () => {
  assert.deepEqual(axesOf(SPACE, [2, 1]), [2, 1]);
  assert.deepEqual(axesOf(PLANE, [2, 1]), [0, 1]);
  assert.deepEqual(axesOf({ dim: 1 }, [2, 1]), [0]);
});

test("a place on the map stands for a point whose other coordinates stay", () => {
  assert.deepEqual(pointAt(7, 8, SPACE, [2, 0]), [8, 2, 7]);
  assert.deepEqual(pointAt(7, 8, SPACE, [2, 0], [1, 9, 1]), [8, 9, 7]);
  assert.deepEqual(pointAt(7, null, { dim: 1 }, [0]), [7]);
});

test("the whole domain is the window, in the order of the axes", () => {
  assert.deepEqual(domainWindow(SPACE, [2, 0]), [2, 4, -1, 1]);
  assert.deepEqual(domainWindow({ domain: [[0, 1]] }, [0]), [0, 1]);
});

test("a window shrinks around its middle, or around a place", () => {
  assertClose(scaled([0, 4, 0, 8], 0.5), [1, 3, 2, 6]);
  assertClose(scaled([0, 4, 0, 8], 0.5, [0, 1]), [0, 2, 4, 8]);
  assertClose(scaled([0, 4], 1, [0.5], [0.75]), [-1, 3]); // what was in the middle has gone to three quarters
});

test("a window stays as it is where numbers end", () => {
  const window = [1e6, 1e6 + 1e-6];
  assert.equal(scaled(window, 0.1), window);
});

test("the window about some paths holds them, but not where they diverge to", () => {
  const straight = { x: [0, 10], y: [1, null], ending: "end" };
  assertClose(around([straight], false), [-1.2, 11.2, 0.5, 1.5]); // a margin of 12 %, of nothing a half
  const lost = { x: [1, 19, 21], y: [0, 0, 0], ending: "diverged" }; // ten times 1 + |1| is 20
  assertClose(around([lost], true), [1 - 0.12 * 18, 19 + 0.12 * 18]);
  assert.deepEqual(around([{ x: [null], y: [null] }], false), [-1, 1, -1, 1]);
});

test("heights are logarithmic where a surface has no negative value", () => {
  assert.equal(fitsLogScale({ y: [0], z: [[0, null, 3]] }), true);
  assert.equal(fitsLogScale({ y: [0], z: [[0, -1e-9]] }), false);
  assert.equal(fitsLogScale({ y: null, f: [1] }), false);
  assert.equal(fitsLogScale(null), false);
});

test("a slice has the minima that lie in it, by their own numbers", () => {
  const info = {
    dim: 3,
    minima: [
      { x: [1, 2, 3], f: 0 },
      { x: [1, 2.1, 3], f: 0 },
      { x: [5, 2, 3 + 1e-7], f: 0 },
    ],
  };
  const found = minimaIn(info, [0, 2]);
  assert.deepEqual(
    found.map(({ x, y, number }) => [x, y, number]),
    [
      [1, 3, 1],
      [5, 3 + 1e-7, 3],
    ],
  );
  assert.equal(minimaIn(PLANE, [0, 1])[0].y, 2);
});
