import assert from "node:assert/strict";
import { test } from "node:test";
import { onOneScale } from "../../app/thalweg/web/js/networks/boundary.js";
import { derivation } from "../../app/thalweg/web/js/networks/derivation.js";
import { graphOutline, partsOutline } from "../../app/thalweg/web/js/plots/outlines.js";
import { colorAt, HEIGHT_SCALE, heightColor, pathColor } from "../../app/thalweg/web/js/plots/palette.js";
import { endingOf, entriesPerPath, entryAt, lastStep, marksAt } from "../../app/thalweg/web/js/plots/path.js";
import { dotsShape, linesShape, surfaceShape } from "../../app/thalweg/web/js/plots/shapes.js";
import { outline } from "../../app/thalweg/web/js/plots/symbols.js";
import { assertClose, written } from "./close.js";

const { colors } = written("facts");
const rgb = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

test("colours are those of the service's pictures", () => {
  assert.deepEqual(
    HEIGHT_SCALE.map(([, color]) => color),
    colors.heights,
  );
  assert.deepEqual(
    colors.paths.map((_, index) => colorAt(index)),
    colors.paths,
  );
  assert.equal(colorAt(colors.paths.length), colors.paths[0]);
});

test("a height between two colours is a mixture of them", () => {
  assertClose(heightColor(0), rgb(colors.heights[0]));
  assertClose(heightColor(2), rgb(colors.heights.at(-1)));
  const [low, high] = [rgb(colors.heights[0]), rgb(colors.heights[1])];
  const half = 0.5 / (colors.heights.length - 1);
  assertClose(
    heightColor(half),
    low.map((value, channel) => (value + high[channel]) / 2),
  );
});

test("few paths have colours of their own, many that of their minimum", () => {
  const n = colors.paths.length;
  assert.equal(pathColor(n - 1, n), colors.paths[n - 1]);
  assert.equal(pathColor(n - 1, n + 1), colors.nowhere);
  assert.equal(pathColor(0, n + 1, 2), colors.paths[2]);
});

/** The contrast of two colours, after WCAG 2. */
function contrast(one, other) {
  const luminance = (hex) => {
    const parts = rgb(hex).map((value) => value / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test("paths are seen on white, on the dark theme, and on the lowest heights", () => {
  for (const color of colors.paths) {
    for (const ground of ["#ffffff", "#10161d", colors.heights[0], colors.heights.at(-1)]) {
      assert.ok(contrast(color, ground) >= 3, `${color} on ${ground}: ${contrast(color, ground)}`);
    }
  }
});

const PATH = {
  step: [0, 10, 20, 40],
  x: [0, 1, 2, 4],
  y: [0, 0, 0, 0],
  f: [9, 4, 1, 0],
  color: "#010203",
  ending: "end",
};

test("the entry at a step is the last one that is not after it", () => {
  assert.deepEqual(
    [-1, 0, 9, 10, 39, 40, 99].map((step) => entryAt(PATH, step)),
    [0, 0, 0, 1, 2, 3, 3],
  );
  assert.equal(lastStep([PATH, { step: [0, 55] }, { step: [] }]), 55);
});

test("a path that has ended is not marked at its end, where its symbol is", () => {
  assert.deepEqual(marksAt([PATH], 25), [{ x: 2, y: 0, f: 1, color: "#010203" }]);
  assert.deepEqual(marksAt([PATH], 40), []);
  assert.equal(marksAt([{ ...PATH, ending: null }], 40).length, 1);
});

test("runs end as a square or a cross, or not yet", () => {
  assert.deepEqual(["converged", "diverged", null].map(endingOf), ["end", "diverged", null]);
  assert.equal(outline("end", 2), "M-2,-2H2V2H-2Z");
  assert.equal(outline("diverged", 1), "M-1,-1L1,1M-1,1L1,-1");
});

test("many paths are thinned more", () => {
  assert.deepEqual([0, 1, 60, 1000].map(entriesPerPath), [1200, 1200, 600, 120]);
});

test("a line is two triangles for each of its segments", () => {
  const { vertices, indices, count } = linesShape([
    {
      points: [
        [0, 0, 0],
        [1, 2, 3],
        [4, 5, 6],
      ],
      color: "#0102ff",
    },
    { points: [[1, 1, 1]], color: "#000000" },
  ]);
  assert.equal(count, 12);
  assert.deepEqual([...indices.slice(6)], [4, 5, 6, 5, 7, 6]);
  assert.equal(vertices.byteLength, 2 * 128);
  assert.deepEqual([...new Float32Array(vertices, 128, 6)], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...new Uint8Array(vertices, 24, 4)], [1, 2, 255, 255]);
});

test("a dot knows its place, colours, size and form", () => {
  const { vertices, count } = dotsShape([
    { place: [1, 2, 3], color: "#ff0000", edge: "#00ff00", size: 9, form: "square" },
  ]);
  assert.equal(count, 1);
  assert.deepEqual([...new Float32Array(vertices, 0, 3)], [1, 2, 3]);
  assert.deepEqual([...new Uint8Array(vertices, 12, 10)], [255, 0, 0, 255, 0, 255, 0, 255, 9, 2]);
});

test("a surface is lit from the left, and keeps the hue of its height", () => {
  const places = new Float32Array([0, 0, -0.3, 0, 0, -0.3]);
  const normals = new Float32Array([-0.32, -0.55, 0.77, 0.32, 0.55, -0.77]);
  const { vertices, ranges } = surfaceShape({ places, normals, fine: [0, 1, 0], coarse: [1, 0] });
  assert.deepEqual(ranges, { fine: [0, 3], coarse: [3, 2] });
  const [lit, dark] = [[...new Uint8Array(vertices, 12, 3)], [...new Uint8Array(vertices, 28, 3)]];
  const lowest = rgb(colors.heights[0]);
  assert.deepEqual(
    dark,
    lowest.map((channel) => Math.floor(channel * 0.75)),
  );
  assert.ok(lit.every((channel, index) => channel > dark[index]));
});

test("a decision boundary is not stretched", () => {
  assert.deepEqual(
    onOneScale([
      [-1, 1],
      [2, 7],
    ]),
    [
      [-2.5, 2.5],
      [2, 7],
    ],
  );
});

test("a delta is derived with the numbers of the pass", () => {
  // one sigmoid output of 0.5 at net 0, input 2 and weight 0: delta is (0.5 - 1) 0.5 0.5
  const pass = {
    weights: [[[0]]],
    biases: [[0]],
    layers: [{ net: [0], output: [0.5], delta: [-0.125], weight_gradient: [[-0.25]], bias_gradient: [-0.125] }],
  };
  const network = { layers: [1, 1], activation: "sigmoid", output_activation: null, loss: "half_sse" };
  const steps = derivation(pass, network, [2], [1], { layer: 0, node: 0 });
  assert.deepEqual(
    steps.map(({ what }) => what),
    ["Net input", "Output", "Delta", "Weight gradients"],
  );
  assert.equal(steps[0].numbers, "2·0 + 0 = 0");
  assert.equal(steps[2].numbers, "(0.5 − 1) · 0.5·(1 − 0.5) = −0.125");
  assert.equal(steps[3].numbers, "2·(−0.125) = −0.25");
  const mean = derivation(pass, { ...network, loss: "mse" }, [2], [1], { layer: 0, node: 0 });
  assert.match(mean[2].numbers, /^2\/1·/);
});

test("a hidden delta sums over the nodes behind", () => {
  const pass = {
    weights: [[[1]], [[3, -4]]],
    biases: [[0], [0, 0]],
    layers: [
      { net: [2], output: [2], delta: [-0.5], weight_gradient: [[-0.5]] },
      { net: [6, -8], output: [6, 0], delta: [0.5, 0.5], weight_gradient: [[1, 1]] },
    ],
  };
  const network = { layers: [1, 1, 2], activation: "relu", output_activation: "identity", loss: "half_sse" };
  const steps = derivation(pass, network, [1], [0, 0], { layer: 0, node: 0 });
  assert.equal(steps[2].numbers, "1 · (3·0.5 + (−4)·0.5) = −0.5");
});

test("lines are outlined to a tenth of a pixel, and graphs interrupted where there is no value", () => {
  const parts = [
    [
      [0, 0, 9],
      [1.26, -2.04, 9],
    ],
    [[5, 5, 9]],
  ];
  assert.equal(partsOutline(parts), "M0,0L1.3,-2M5,5");
  assert.equal(graphOutline([[0, 1], [1, 1e9], null, [3, 3], [4, 4]]), "M0,1L1,9999M3,3L4,4");
});
