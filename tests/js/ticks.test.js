import assert from "node:assert/strict";
import { test } from "node:test";
import { logTicks, powerOfTen, textOf, ticks } from "../../app/thalweg/web/js/plots/ticks.js";
import { assertClose, written } from "./close.js";

for (const [low, high, texts] of [
  [-6, 6, ["−6", "−4", "−2", "0", "2", "4", "6"]],
  [-5.02, 3.1, ["−4", "−2", "0", "2"]],
  [0, 6.31e6, ["0", "2·10⁶", "4·10⁶", "6·10⁶"]],
  [0, 3e-7, ["0", "5·10⁻⁸", "10⁻⁷", "1.5·10⁻⁷", "2·10⁻⁷", "2.5·10⁻⁷", "3·10⁻⁷"]],
  [-1e308, 1e308, ["−10³⁰⁸", "−5·10³⁰⁷", "0", "5·10³⁰⁷", "10³⁰⁸"]],
  [2, 2, ["2"]],
]) {
  test(`an axis from ${low} to ${high} is marked at round numbers`, () => {
    assert.deepEqual(ticks(low, high, 6).text, texts);
  });
}

test("axes are marked where the service marks those of its pictures", () => {
  for (const { low, high, n, at, text } of written("axes")) {
    const found = ticks(low, high, n);
    assertClose(found.at, at, 1e-12, `${low} to ${high}`);
    assert.deepEqual(found.text, text);
  }
});

for (const [low, high, texts] of [
  [1e-31, 200, ["10⁻³⁰", "10⁻²⁰", "10⁻¹⁰", "1"]],
  [0.009, 1100, ["10⁻²", "10⁻¹", "1", "10", "10²", "10³"]],
  [3, 90, ["5", "10", "20", "50"]],
  [3.97, 3.99, ["3.97", "3.975", "3.98", "3.985", "3.99"]],
]) {
  test(`a log axis from ${low} to ${high} is marked at decades, or at 1, 2 and 5, or at round numbers`, () => {
    const found = logTicks(Math.log10(low), Math.log10(high), 6);
    assert.deepEqual(found.text, texts);
    for (const at of found.at) assert.ok(at >= Math.log10(low) - 1e-9 && at <= Math.log10(high) + 1e-9);
  });
}

test("one of 1, 2 and 5 is no scale: a log axis has round numbers then", () => {
  const { text } = logTicks(Math.log10(0.0101), Math.log10(0.03), 6);
  assert.ok(text.includes("0.02"));
  assert.ok(text.length > 3);
});

test("numbers are plain from 0.0001 to 100000, and powers of ten beyond", () => {
  assert.deepEqual([0, 1e-4, 99999, 1e5, -2.5e7, -1e-5, 0.1 + 0.2].map(textOf), [
    "0",
    "0.0001",
    "99999",
    "10⁵",
    "−2.5·10⁷",
    "−10⁻⁵",
    "0.3",
  ]);
  assert.deepEqual([0, 1, 2, -10].map(powerOfTen), ["1", "10", "10²", "10⁻¹⁰"]);
});
