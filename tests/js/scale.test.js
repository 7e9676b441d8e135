import assert from "node:assert/strict";
import { test } from "node:test";
import { cutNote, Scale } from "../../app/thalweg/web/js/plots/scale.js";
import { assertClose } from "./close.js";

const scaleOf = (columns, options = {}) => new Scale(columns, { log: true, base: 0, ...options });

test("a log scale shows the smallest value as it is, and 0 at its foot", () => {
  const scale = scaleOf([[170, 7.9e-31, 0, null]], { zero: "f = 0" });
  assertClose([scale.of(170), scale.of(7.9e-31)], [Math.log10(170), Math.log10(7.9e-31)]);
  assert.equal(scale.of(null), null);
  const foot = scale.of(0);
  assert.ok(scale.range[0] < foot && foot < scale.of(7.9e-31) - 0.5);
  const { at, text } = scale.ticks(5);
  assert.equal(at[0], foot);
  assert.deepEqual(text, ["f = 0", "10⁻³⁰", "10⁻²⁰", "10⁻¹⁰", "1"]);
});

test("without a 0 there is no foot", () => {
  assert.ok(
    !scaleOf([[170, 7.9e-31]], { zero: "f = 0" })
      .ticks(5)
      .text.includes("f = 0"),
  );
});

test("where all is 0, only 0 is marked", () => {
  assert.deepEqual(scaleOf([[0, 0]]).ticks(5).text, ["0"]);
});

test("values below 0 are on a linear scale", () => {
  const scale = scaleOf([[3, -5]]);
  assert.equal(scale.isLog, false);
  assert.deepEqual(scale.ticks(5).text, ["−4", "−2", "0", "2"]);
  assertClose(scale.range, [-5.4, 3.4]); // a twentieth of 8 on either side
});

test("what lies below the base by rounding alone is at the base", () => {
  const scale = scaleOf([[3, -1.0316284534898776]], { base: -1.0316284534898774 });
  assert.ok(scale.isLog);
  assert.equal(scale.ticks(5).text[0], "0");
});

test("no values have no marks", () => {
  const scale = scaleOf([[null, null], []]);
  assert.ok(scale.isEmpty);
  assert.deepEqual(scale.ticks(5), { at: [], text: [] });
  assert.equal(scale.cut, null);
});

test("a diverging path leaves at the top, and the title says where the axis ends", () => {
  const columns = [
    [100, 1e-3],
    [50, 1e6, 1e300, null],
  ];
  const scale = scaleOf(columns, { diverging: [false, true] });
  assertClose(scale.cut, 1000); // ten times the highest of what is steady, 100
  assert.equal(cutNote(scale), ", up to 1000");
  assert.ok(scale.range[1] > 2 && scale.range[1] < 4);
  const all = scaleOf(columns, { diverging: [false, false] });
  assert.equal(all.cut, null);
  assert.equal(cutNote(all), "");
});

test("the foot lies 9 % of the range below the lowest value where that is more than half a decade", () => {
  const scale = scaleOf([[1, 1e20, 0]]);
  const [low, high] = [0 - 0.05 * 20, 20 + 0.05 * 20]; // a twentieth of twenty decades on either side
  assertClose(scale.of(0), low - 0.09 * (high - low));
});
