import assert from "node:assert/strict";
import { test } from "node:test";
import { Heights } from "../../app/thalweg/web/js/plots/heights.js";
import { assertClose, written } from "./close.js";

for (const ground of written("heights")) {
  test(`the heights of ${ground.name} are those of the service's pictures, ${ground.log ? "log" : "linear"}`, () => {
    const heights = new Heights(ground.z, ground.known, ground.log);
    assertClose([heights.low, heights.high, heights.unit], [ground.low, ground.high, ground.unit]);
    assertClose(heights.grid(ground.z), ground.heights);
    const { at, text } = heights.ticks();
    assertClose(at, ground.ticks.at);
    assert.deepEqual(text, ground.ticks.text);
  });
}

test("a height is log10(1 + (f - low) / unit), and the unit a power of ten", () => {
  const z = [Array.from({ length: 101 }, (_, k) => 10 * k)]; // 90 % lie below 900: a 500th is 1.8
  const heights = new Heights(z, [], true);
  assert.equal(heights.unit, 1);
  assertClose(heights.of(999), 3);
  assertClose(heights.range, [0, Math.log10(1001)]);
});

test("a known minimum below the grid is the lowest height", () => {
  const heights = new Heights([[1, 5]], [-3], false);
  assertClose(
    [-3, 1, 5].map((f) => heights.of(f)),
    [0, 0.5, 1],
  );
});

for (const [low, texts] of [
  [0, ["0", "10", "100", "1000"]],
  [-5.02, ["−5", "0", "10", "100", "1000"]],
]) {
  test(`heights from ${low} are marked at round values`, () => {
    const z = [Array.from({ length: 100 }, (_, k) => low + 0.01 * 200_000 ** (k / 99))];
    assert.deepEqual(new Heights(z, [low], true).ticks().text, texts);
  });
}

test("heights of extreme values are numbers, in order", () => {
  for (const log of [true, false]) {
    const values = [-1.7e308, 0, 1.7e308];
    const heights = new Heights([values], [], log);
    const found = values.map((f) => heights.of(f));
    assert.ok(found.every(Number.isFinite));
    assert.equal(found[0], 0);
    assert.ok(found[1] > 0 && found[2] > found[1]);
  }
});

test("a grid without any value has a range, and what is null stays null", () => {
  const heights = new Heights([[null, null]], [], true);
  assert.deepEqual([heights.low, heights.high, heights.unit], [0, 1, 1]);
  assert.deepEqual(heights.grid([[null]]), [[null]]);
});
