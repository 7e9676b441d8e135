import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "../../app/thalweg/web/js/plots/lines.js";
import { Mesh } from "../../app/thalweg/web/js/plots/mesh.js";
import { simplified } from "../../app/thalweg/web/js/plots/simplify.js";
import { assertClose } from "./close.js";

const UNIT = [0, 1, 0, 1];

for (const [name, path, parts] of [
  [
    "leaves and comes back",
    [
      [0.5, 0.5],
      [2, 0.5],
      [2, 0.25],
      [0.5, 0.25],
    ],
    [
      [
        [0.5, 0.5],
        [1, 0.5],
      ],
      [
        [1, 0.25],
        [0.5, 0.25],
      ],
    ],
  ],
  [
    "goes through",
    [
      [-1, 0.5],
      [2, 0.5],
    ],
    [
      [
        [0, 0.5],
        [1, 0.5],
      ],
    ],
  ],
  [
    "is interrupted",
    [[0.5, 0.5], null, [0.25, 0.25], [0.5, 0.25]],
    [
      [
        [0.25, 0.25],
        [0.5, 0.25],
      ],
    ],
  ],
  [
    "leads far out",
    [
      [0.5, 0.5],
      [1e308, 0.5],
    ],
    [
      [
        [0.5, 0.5],
        [1, 0.5],
      ],
    ],
  ],
  [
    "has one place",
    [
      [0.5, 0.5],
      [null, 0.5],
    ],
    [[[0.5, 0.5]]],
  ],
  [
    "passes outside",
    [
      [2, 2],
      [3, 3],
    ],
    [],
  ],
  [
    "touches a corner",
    [
      [-1, 1],
      [1, -1],
    ],
    [
      [
        [0, 0],
        [0, 0],
      ],
    ],
  ],
]) {
  test(`a path that ${name} is cut at the border`, () => {
    assertClose(within(path, UNIT), parts);
  });
}

test("what goes along with a place is cut in the same proportion", () => {
  assertClose(
    within(
      [
        [0.5, 0.5, 10],
        [1.5, 0.5, 30],
      ],
      UNIT,
    ),
    [
      [
        [0.5, 0.5, 10],
        [1, 0.5, 20],
      ],
    ],
  );
});

for (const far of [1e3, 1e17, 1e150, 1e300]) {
  test(`a path that leads ${far} windows out ends at the border`, () => {
    const places = within(
      [
        [0.3, 0.4],
        [-far, far / 3],
        [far / 7, -far],
        [0.9, 0.7],
      ],
      UNIT,
    ).flat();
    assert.deepEqual(places[0], [0.3, 0.4]);
    assert.deepEqual(places.at(-1), [0.9, 0.7]);
    assert.ok(places.flat().every((number) => number >= 0 && number <= 1));
  });
}

/** The height over a square that is cut from its right lower corner to its left upper one. */
function onTriangles(z, u, v) {
  const n = z.length - 1;
  const [a, b] = [u * n, v * n];
  const [i, j] = [Math.min(Math.floor(a), n - 1), Math.min(Math.floor(b), n - 1)];
  const [r, t] = [a - i, b - j];
  if (r + t <= 1) return z[j][i] + r * (z[j][i + 1] - z[j][i]) + t * (z[j + 1][i] - z[j][i]);
  const far = z[j + 1][i + 1];
  return far + (1 - r) * (z[j + 1][i] - far) + (1 - t) * (z[j][i + 1] - far);
}

test("a long step lies on the triangles of the surface", () => {
  const n = 9;
  const z = Array.from({ length: n }, (_, j) =>
    Array.from({ length: n }, (_, i) => Math.sin(3 * i) + Math.cos(2 * j)),
  );
  const [from, to] = [
    [0.05, 0.1],
    [0.93, 0.71],
  ];
  const mesh = new Mesh(z);
  const found = mesh.crossed([from, to]);
  // columns, rows and diagonals of the 8 × 8 squares that lie between the ends
  const spans = [
    [from[0], to[0]],
    [from[1], to[1]],
    [from[0] + from[1], to[0] + to[1]],
  ];
  const crossings = spans.map((span) => span.map((share) => Math.floor(share * (n - 1))));
  assert.equal(found.length, 2 + crossings.reduce((sum, [low, high]) => sum + high - low, 0));
  for (let index = 0; index + 1 < found.length; index += 1) {
    const [[u0, v0], [u1, v1]] = [found[index], found[index + 1]];
    const [h0, h1] = [mesh.heightAt(u0, v0), mesh.heightAt(u1, v1)];
    for (const share of [0.25, 0.5, 0.75]) {
      const height = onTriangles(z, u0 + share * (u1 - u0), v0 + share * (v1 - v0));
      assert.ok(Math.abs(h0 + share * (h1 - h0) - height) < 1e-9);
    }
  }
});

test("a triangle with a corner that has no value has no height", () => {
  const mesh = new Mesh([
    [0, 1],
    [2, null],
  ]);
  assertClose(mesh.heightAt(0.25, 0.5), 1.25);
  assert.equal(mesh.heightAt(0.9, 0.9), null);
});

test("a path keeps its shape with few of its points", () => {
  const spiral = Array.from({ length: 300 }, (_, k) => [0.9 ** k * Math.cos(k), 0.9 ** k * Math.sin(k), 0.9 ** k]);
  const tolerance = 1e-3;
  const kept = simplified(spiral, tolerance);
  assert.deepEqual([kept[0], kept.at(-1)], [spiral[0], spiral.at(-1)]);
  assert.ok(kept.length < 100);
  const line = kept
    .slice(1)
    .flatMap((end, index) =>
      Array.from({ length: 401 }, (_, part) =>
        end.map((value, axis) => kept[index][axis] + (part / 400) * (value - kept[index][axis])),
      ),
    );
  for (const place of spiral) {
    const far = Math.min(...line.map((each) => Math.hypot(...each.map((value, axis) => value - place[axis]))));
    assert.ok(far < tolerance + 0.004); // half a step along the longest piece
  }
});

test("two points are left alone, and points in one place become two", () => {
  assert.deepEqual(
    simplified(
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
      9,
    ),
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
  );
  assert.deepEqual(simplified(Array(50).fill([1, 2, 3]), 1e-9), [
    [1, 2, 3],
    [1, 2, 3],
  ]);
});

test("a segment that leaves ends its part, though the next one begins in the box again", () => {
  // out to the right, then in from above: between the two there is no line along the border
  const parts = within(
    [
      [0.5, 0.5],
      [1.5, 0.5],
      [0.5, 1.5],
      [0.5, 0.9],
    ],
    UNIT,
  );
  assertClose(parts, [
    [
      [0.5, 0.5],
      [1, 0.5],
    ],
    [
      [1, 1],
      [1, 1],
    ],
    [
      [0.5, 1],
      [0.5, 0.9],
    ],
  ]);
});
