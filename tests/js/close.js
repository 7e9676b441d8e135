import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** Asserts that numbers, in lists of any depth, agree within a tolerance relative to what is expected. */
export function assertClose(found, expected, tolerance = 1e-12, where = "") {
  if (Array.isArray(expected)) {
    assert.equal(found.length, expected.length, `${where}: as many`);
    expected.forEach((each, index) => {
      assertClose(found[index], each, tolerance, `${where}[${index}]`);
    });
    return;
  }
  if (expected === null || !Number.isFinite(expected)) {
    assert.equal(found, expected, where);
    return;
  }
  const off = Math.abs(found - expected);
  assert.ok(off <= tolerance * Math.max(1, Math.abs(expected)), `${where}: ${found} is not ${expected}`);
}

/** Returns what the service wrote. */
export function written(name) {
  return JSON.parse(readFileSync(new URL(`written/${name}.json`, import.meta.url), "utf8"));
}
