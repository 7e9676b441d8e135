import assert from "node:assert/strict";
import { test } from "node:test";
import { contours } from "../../app/thalweg/web/js/plots/contours.js";
import { assertClose } from "./close.js";

/** A path that only takes down what is drawn. */
class Drawn {
  lines = [];

  moveTo(x, y) {
    this.lines.push([[x, y]]);
  }

  lineTo(x, y) {
    this.lines.at(-1).push([x, y]);
  }
}
globalThis.Path2D = Drawn;

const linesOf = (z, levels) => contours(z, levels).lines;

test("a level crosses a slope where the values between two columns have it", () => {
  const lines = linesOf(
    [
      [0, 4],
      [0, 4],
    ],
    [1],
  );
  assert.equal(lines.length, 1);
  assertClose(
    lines[0].toSorted((a, b) => a[1] - b[1]),
    [
      [0.25, 0],
      [0.25, 1],
    ],
  );
});

test("a level that no value has is not drawn, and each of several is", () => {
  assert.deepEqual(
    linesOf(
      [
        [0, 4],
        [0, 4],
      ],
      [-1, 5],
    ),
    [],
  );
  assert.equal(
    linesOf(
      [
        [0, 4],
        [0, 4],
      ],
      [1, 2, 3],
    ).length,
    3,
  );
});

test("a saddle is cut into two corners, as if its middle were low", () => {
  const lines = linesOf(
    [
      [1, 0],
      [0, 1],
    ],
    [0.5],
  );
  assert.equal(lines.length, 2);
  const ends = lines.map((line) => line.toSorted((a, b) => a[0] - b[0]));
  assertClose(
    ends.toSorted((a, b) => a[0][0] - b[0][0]),
    [
      [
        [0, 0.5],
        [0.5, 0],
      ],
      [
        [0.5, 1],
        [1, 0.5],
      ],
    ],
  );
});

test("a square with a corner that has no value is left out", () => {
  assert.equal(
    linesOf(
      [
        [0, 4, 0],
        [0, 4, null],
      ],
      [2],
    ).length,
    1,
  );
});

test("around a peak the line is closed", () => {
  const lines = linesOf(
    [
      [0, 0, 0],
      [0, 2, 0],
      [0, 0, 0],
    ],
    [1],
  );
  assert.equal(lines.length, 4);
  const count = new Map();
  for (const end of lines.flat()) count.set(String(end), (count.get(String(end)) ?? 0) + 1);
  assert.deepEqual([...count.entries()].sort(), [
    ["0.5,1", 2],
    ["1,0.5", 2],
    ["1,1.5", 2],
    ["1.5,1", 2],
  ]);
});
