import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, read } from "../../app/thalweg/web/js/permalink.js";
import * as network from "../../app/thalweg/web/js/views/network_state.js";
import * as race from "../../app/thalweg/web/js/views/race_state.js";
import * as run from "../../app/thalweg/web/js/views/run_state.js";
import { addressedStage, FIRST_STAGE, stageFrom } from "../../app/thalweg/web/js/views/stage_state.js";
import { written } from "./close.js";

test("what an address says is read again as it was", () => {
  const values = {
    job: "0197-a",
    spec: { function: { expression: "a+b&c=#%", variables: ["x"] }, init: [[-1.5, 1e-9]] },
    log: true,
    word: "true-ish",
    text: "x + y = é",
  };
  assert.deepEqual(read(hashOf("run", values)), { view: "run", values });
});

test("what is null is left out, and an address without values is a view", () => {
  assert.equal(hashOf("jobs", { status: null, tag: undefined }), "#/jobs");
  assert.deepEqual(read("#/jobs"), { view: "jobs", values: {} });
  assert.deepEqual(read(""), { view: "", values: {} });
});

test("JSON is readable in an address, and a plus is a plus", () => {
  assert.equal(hashOf("run", { window: [-1, 2] }), "#/run?window=[-1,2]");
  assert.deepEqual(read("#/run?expression=x+y").values, { expression: "x+y" });
});

test("what is damaged in an address stands as it is", () => {
  assert.deepEqual(read("#/run?spec={broken&x=%E0%A4%A").values, { spec: "{broken", x: "%E0%A4%A" });
});

test("the stage's state survives its address, and nonsense is passed over", () => {
  const state = { ...FIRST_STAGE, axes: [2, 0], window: [0, 1, 2, 3], log: false, step: 7 };
  const { values } = read(hashOf("run", addressedStage(state)));
  assert.deepEqual({ ...FIRST_STAGE, ...stageFrom(values) }, state);
  assert.deepEqual(stageFrom({ axes: [1, 2, 3], window: ["a", 1], log: "yes", step: -1, camera: [1] }), {});
  assert.deepEqual(
    Object.values(addressedStage(FIRST_STAGE)).filter((value) => value !== null),
    [],
  );
});

test("the Run view's form survives its address", () => {
  const spec = { ...run.FIRST_STATE.spec, init: [[1, 2]], stop: { f: 0.5 }, lr: null };
  const { values } = read(hashOf("run", run.addressed({ ...run.FIRST_STATE, spec, page: 2 })));
  const { state, isDamaged } = run.stateFrom(values);
  assert.equal(isDamaged, false);
  assert.equal(state.page, 2);
  assert.deepEqual(state.spec, { ...spec, lr: 0.001 }); // what is empty is left out, and is the usual then
  assert.equal(run.stateFrom({ spec: "no" }).isDamaged, true);
  assert.equal(run.stateFrom({ spec: { optimizer: 3 } }).isDamaged, true);
  assert.deepEqual(run.stateFrom({ spec: { function: "sphere" } }).state.spec.function, { name: "sphere" });
});

test("a draft is without what a job would be anyway, and the lesson's is no lesson", () => {
  const catalogue = {
    optimizers: [
      { name: "adam", parameters: { properties: { betas: { default: [0.9, 0.999] }, eps: { default: 1e-8 } } } },
    ],
    schedulers: [],
  };
  const spec = {
    function: { name: "himmelblau", dim: 2 },
    optimizer: { name: "adam", betas: [0.9, 0.999], eps: 1e-3 },
    scheduler: null,
    engine: "auto",
    dtype: "float64",
    record_every: 1,
    clip_grad_norm: null,
    tags: ["lesson"],
    label: "Lesson",
    steps: 5,
  };
  assert.deepEqual(run.draftOf(spec, catalogue), {
    function: { name: "himmelblau", dim: 2 },
    optimizer: { name: "adam", eps: 1e-3 },
    steps: 5,
  });
  assert.equal(run.draftOf({ ...spec, tags: ["mine"], engine: "eager" }).engine, "eager");
  assert.equal(run.isOutdated({ made: spec, spec: { ...spec, label: "other" } }), false);
  assert.equal(run.isOutdated({ made: spec, spec: { ...spec, steps: 6 } }), true);
});

test("starts keep their coordinates in another dimension, and get the middle for the rest", () => {
  const info = {
    dim: 3,
    domain: [
      [-1, 1],
      [0, 4],
      [2, 4],
    ],
  };
  assert.deepEqual(run.inDimension([[9, 8]], info), [[9, 8, 3]]);
  assert.deepEqual(run.inDimension([[9, 8]], { dim: 1, domain: [[-1, 1]] }), [[9]]);
  assert.deepEqual(run.inDimension({ random: 5 }, info), { random: 5, seed: 0 });
});

test("a race survives its address, and is posted as one job for each contender", () => {
  const { values } = read(hashOf("race", race.addressed({ ...race.FIRST_STATE, start: [1, 2], steps: 10 })));
  const { state, isDamaged } = race.stateFrom(values);
  assert.equal(isDamaged, false);
  assert.deepEqual(state.start, [1, 2]);
  const specs = race.specsOf(race.courseOf(state));
  assert.equal(specs.length, race.FIRST_STATE.contenders.length);
  assert.deepEqual(specs[0], {
    optimizer: { name: "sgd" },
    lr: 0.01,
    function: { name: "himmelblau", dim: 2 },
    init: [[1, 2]],
    steps: 10,
    tags: ["race"],
  });
  assert.equal(race.stateFrom({ start: ["x"] }).isDamaged, true);
});

test("a race is of jobs with one start, the same for all", () => {
  const job = (optimizer, start) => ({
    n_runs: 1,
    spec: { function: { name: "f" }, optimizer: { name: optimizer }, init: [start], steps: 5 },
    runs: [{ init: start }],
  });
  const catalogue = { optimizers: [], schedulers: [] };
  const found = race.raceOf(
    [job("sgd", [0, 0]), job("adam", [0, 0]), job("adam", [1, 0]), { ...job("adam", [0, 0]), n_runs: 2 }],
    catalogue,
  );
  assert.equal(found.jobs.length, 2);
  assert.deepEqual(
    found.course.contenders.map(({ optimizer }) => optimizer.name),
    ["sgd", "adam"],
  );
  assert.equal(race.raceOf([], catalogue), null);
});

test("settings of a network survive its address and its job", () => {
  const { offer } = written("networks");
  const { settings } = network.FIRST_STATE;
  const { values } = read(hashOf("network", network.addressed({ ...network.FIRST_STATE, sample: 3 })));
  const { state, isDamaged } = network.stateFrom(values);
  assert.equal(isDamaged, false);
  assert.deepEqual(state.settings, settings);
  assert.equal(state.sample, 3);
  const spec = network.specOf(settings, offer);
  assert.deepEqual(spec.function.mlp.layers, [2, 4, 3, 1]);
  const again = network.settingsOf({ ...spec, init: { random: 1, seed: 1 } }, offer);
  assert.deepEqual(network.specOf(again, offer), spec);
  assert.equal(network.stateFrom({ settings: { network: {} } }).isDamaged, true);
});

test("a network has an output for each class, and one where that is enough", () => {
  const { offer } = written("networks");
  const layersOf = (dataset, loss) => network.networkOf({ network: { dataset, loss }, hidden: [5] }, offer).layers;
  assert.deepEqual(layersOf({ name: "moons" }, "bce"), [2, 5, 1]);
  assert.deepEqual(layersOf({ name: "moons" }, "cross_entropy"), [2, 5, 2]);
  assert.deepEqual(layersOf({ name: "spiral", classes: 4 }, "mse"), [2, 5, 4]);
  assert.deepEqual(layersOf({ name: "sine" }, "mse"), [1, 5, 1]);
});
