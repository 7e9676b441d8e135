import assert from "node:assert/strict";
import { test } from "node:test";
import { same } from "../../app/thalweg/web/js/same.js";

test("names may stand in any order, and what is null may be left out", () => {
  assert.ok(same({ a: 1, b: [1, { c: null }] }, { b: [1, {}], a: 1 }));
  assert.ok(same(null, undefined));
});

test("an array is no object, an order of values matters, and so does a type", () => {
  assert.ok(!same([], {}));
  assert.ok(!same([1, 2], [2, 1]));
  assert.ok(!same([1], [1, null]));
  assert.ok(!same(1, "1"));
  assert.ok(!same(0, null));
});
