import assert from "node:assert/strict";
import { test } from "node:test";
import { methodName } from "../../app/thalweg/web/js/controls/contenders.js";
import { evaluationsUpTo } from "../../app/thalweg/web/js/controls/standings.js";
import { curlLine } from "../../app/thalweg/web/js/copy.js";
import * as words from "../../app/thalweg/web/js/words.js";

const CATALOGUE = {
  optimizers: [
    { name: "adam", title: "Adam: adaptive moments", parameters: { properties: { lr: { default: 0.001 } } } },
    { name: "lbfgs", title: "L-BFGS", parameters: { properties: {} } },
  ],
  schedulers: [{ name: "step_lr", title: "Steps" }],
};

test("outcomes say at which step a run diverged", () => {
  assert.equal(words.outcomeOf({ outcome: "diverged", diverged_at: 1200 }), "diverged at step 1\u2009200");
  assert.equal(words.outcomeOf({ outcome: "max_steps", diverged_at: null }), "reached step limit");
  assert.equal(words.outcomeOf({ outcome: "of_another_version", diverged_at: null }), "of_another_version");
  assert.equal(words.outcomeOf({ outcome: null, diverged_at: null }), "");
});

test("a job that is done is bad only as far as its runs diverged", () => {
  assert.deepEqual(words.stateOf("succeeded", { nDiverged: 0, nRuns: 3 }), { text: "done", kind: "good" });
  assert.deepEqual(words.stateOf("succeeded", { nDiverged: 2, nRuns: 3 }), {
    text: "done, 2 of 3 diverged",
    kind: "bad",
  });
  assert.deepEqual(words.stateOf("succeeded", { nDiverged: 3, nRuns: 3 }), { text: "diverged", kind: "bad" });
  assert.deepEqual(words.stateOf("succeeded"), { text: "done", kind: "" });
  assert.deepEqual(words.stateOf("failed"), { text: "failed", kind: "bad" });
  assert.deepEqual(words.stateOf("queued"), { text: "waiting for a worker", kind: "" });
});

test("a method is its optimizer and its rate, by default the optimizer's own", () => {
  assert.equal(words.methodOf({ optimizer: { name: "adam" } }, CATALOGUE), "Adam, lr 0.001");
  assert.equal(words.methodOf({ optimizer: { name: "adam" }, lr: 0.5 }, CATALOGUE), "Adam, lr 0.5");
  assert.equal(words.methodOf({ optimizer: { name: "lbfgs" } }, CATALOGUE), "L-BFGS");
  assert.equal(words.methodOf({ optimizer: { name: "unheard_of" }, lr: 1 }, CATALOGUE), "unheard_of, lr 1");
  assert.equal(
    words.madeBy({ optimizer: { name: "adam" }, steps: 20000 }, CATALOGUE),
    "Adam, lr 0.001, 20\u2009000 steps",
  );
  const contender = { optimizer: { name: "adam", betas: [0.5, 0.9] }, lr: null, scheduler: { name: "step_lr" } };
  assert.equal(methodName(contender, CATALOGUE), "adam, 0.001, betas [0.5,0.9], step_lr");
});

test("a method that the service does not have is complained about where it stands", () => {
  assert.equal(words.unknownMethod({ optimizer: { name: "adam" } }, CATALOGUE), null);
  const problem = words.unknownMethod(
    { optimizer: { name: "x" }, scheduler: { name: "y" } },
    CATALOGUE,
    "#/contenders/2",
  );
  assert.deepEqual(
    problem.errors.map(({ pointer }) => pointer),
    ["#/contenders/2/optimizer", "#/contenders/2/scheduler"],
  );
  assert.match(problem.message, /no optimizer called “x”/);
});

test("the service's sentences are said as a form says them", () => {
  assert.equal(
    words.inWords("Input should be a valid integer, got a number with a fractional part"),
    "This should be a whole number.",
  );
  assert.equal(words.inWords("Input should be a valid number"), "This should be a number.");
  assert.equal(
    words.inWords("Too many points to record. Set record_every to 201 or more (max_points, max_steps) of the job"),
    "Too many points to record. Set Record every to 201 or more.",
  );
  assert.equal(words.inWords("this has 3 numbers (max_dim)"), "This has 3 numbers");
  assert.equal(words.inWords("betas must be two"), "Betas must be two");
  assert.equal(words.inWords("step_size is missing"), "step_size is missing");
});

test("a description is said without its marks", () => {
  assert.equal(words.plain("how many `steps`\n\nMore of it."), "How many steps");
  assert.equal(words.plain(undefined), null);
});

test("a point that is typed is asked for by an example", () => {
  assert.equal(words.pointHint(1), 'One number, e.g. "1.5"');
  assert.equal(words.pointHint(3), 'Three numbers, e.g. "1.5, −2, 0"');
  assert.equal(words.pointHint(40), '40 numbers, e.g. "1.5, −2, 0, 3, …"');
  const at = (index) => `#/init/${index}`;
  assert.equal(words.wrongPoints([[1, 2]], 2, at), null);
  const { errors } = words.wrongPoints([[1, 2], [1, "x"], [1]], 2, at);
  assert.deepEqual(
    errors.map(({ pointer }) => pointer),
    ["#/init/1", "#/init/2"],
  );
});

test("evaluations up to a step are exact where each step takes one", () => {
  assert.deepEqual(evaluationsUpTo({ n_steps: 100, n_evaluations: 101 }, 40), { n: 41, isExact: true });
  assert.deepEqual(evaluationsUpTo({ n_steps: 10, n_evaluations: 180 }, 4), { n: 174, isExact: false });
  assert.equal(evaluationsUpTo({ n_steps: 10, n_evaluations: null }, 4), null);
});

test("a curl command can be pasted into a shell, whatever the job says", () => {
  const line = curlLine({ label: "it's" }, { origin: "http://host", withKey: true });
  assert.equal(
    line,
    "curl -sS http://host/v1/jobs -H 'Content-Type: application/json' -H \"Authorization: Bearer $THALWEG_KEY\" " +
      "-d '{\"label\":\"it'\\''s\"}'",
  );
});
