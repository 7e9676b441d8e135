import assert from "node:assert/strict";
import { test } from "node:test";
import { numberOf, numbersIn } from "../../app/thalweg/web/js/controls/field.js";
import { pointsOf } from "../../app/thalweg/web/js/controls/starts.js";
import { count, duration, point, short, toPixelPrecision } from "../../app/thalweg/web/js/numbers.js";

test("numbers are short, with a minus of their own width", () => {
  assert.deepEqual(
    [0, 1234.5678, -0.25, 1e6, 1.5e-5, -2e-7, null, undefined, Number.NaN].map((value) => short(value)),
    ["0", "1235", "−0.25", "1e6", "1.5e−5", "−2e−7", "–", "–", "–"],
  );
  assert.equal(short(Math.PI, 2), "3.1");
});

test("counts have thin spaces between thousands", () => {
  assert.deepEqual([7, 1000, 1234567].map(count), ["7", "1\u2009000", "1\u2009234\u2009567"]);
});

test("points are shortened after six coordinates", () => {
  assert.equal(point([1.5]), "1.5");
  assert.equal(point([3, -2.25]), "(3, −2.25)");
  assert.equal(point([1, 2, 3, 4, 5, 6, 7]), "(1, 2, 3, 4, 5, 6, …)");
});

test("times are in milliseconds below a second", () => {
  assert.deepEqual([0.4, 12.6, 999, 1540].map(duration), ["0 ms", "13 ms", "999 ms", "1.5 s"]);
});

test("a coordinate is as exact as a pixel is wide", () => {
  assert.equal(toPixelPrecision(1.23456, 10), 1.23); // 200 pixels are 0.05 each
  assert.equal(toPixelPrecision(1.23456, 1000), 1);
  assert.equal(toPixelPrecision(0.000123456, 1e-3), 0.000123);
});

test("what is typed is a number, nothing, or left for the service to complain about", () => {
  assert.deepEqual(["1e-3", " −2.5 ", "", "three", "Infinity"].map(numberOf), [
    0.001,
    -2.5,
    null,
    "three",
    "Infinity",
  ]);
  assert.deepEqual(numbersIn("1, 2;3  x"), [1, 2, 3, "x"]);
});

test("an init lists points, or one, or says how to make them", () => {
  assert.deepEqual(
    pointsOf([
      [1, 2],
      [3, 4],
    ]),
    [
      [1, 2],
      [3, 4],
    ],
  );
  assert.deepEqual(pointsOf([1, 2]), [[1, 2]]);
  assert.deepEqual(pointsOf({ random: 5, seed: 1 }), []);
});
