/** What the Network view is about, as an address says it and as its job is posted. */

import { withoutEmpty } from "./run_state.js";

export const DATASETS = {
  xor: { classes: 2, inputs: 2 },
  moons: { classes: 2, inputs: 2 },
  circles: { classes: 2, inputs: 2 },
  spiral: { classes: 2, inputs: 2 },
  blobs: { classes: 3, inputs: 2 },
  sine: { classes: null, inputs: 1 },
};

const FIRST_SETTINGS = {
  dataset: "moons",
  hidden: [4, 3],
  activation: "sigmoid",
  optimizer: { name: "adam" },
  lr: 0.05,
  steps: 1000,
  seed: 1,
};

export const FIRST_STATE = {
  settings: FIRST_SETTINGS,
  job: null,
  progress: null,
  lost: false,
  problem: null,
  trajectory: null,
  samples: null,
  landscape: null,
  step: null,
  sample: 0,
  pass: null,
  shown: null,
  chosen: null,
};

/** Returns the network that settings describe. */
export function networkOf({ dataset, hidden, activation }) {
  const { classes, inputs } = DATASETS[dataset];
  const nOutputs = classes === null || classes === 2 ? 1 : classes;
  const layers = [inputs, ...hidden, nOutputs];
  if (nOutputs > 1) return { layers, activation, loss: "cross_entropy", output_activation: "softmax" };
  return { layers, activation, loss: "half_sse", output_activation: classes === null ? "identity" : "sigmoid" };
}

/** Returns the job that trains it. */
export function specOf(settings) {
  const { dataset, optimizer, lr, scheduler, steps, seed } = settings;
  const every = Math.max(1, Math.floor(Number(steps) / 2000) || 1);
  return withoutEmpty({
    function: { mlp: { ...networkOf(settings), dataset } },
    optimizer,
    lr,
    scheduler,
    steps,
    init: { random: 1, seed },
    record_every: every,
    tags: ["network"],
  });
}

/** Returns the settings that a job was made with, as far as the form has them. */
export function settingsOf(spec) {
  const { layers, activation, dataset } = spec.function.mlp;
  const { optimizer, lr, scheduler, steps, init } = spec;
  return { ...FIRST_SETTINGS, dataset: dataset.name in DATASETS ? dataset.name : "moons", hidden: layers.slice(1, -1), activation, optimizer, lr, scheduler, steps, seed: init.seed ?? 0 };
}

/** Returns what of the state the address is to say. */
export function addressed({ settings, job, step, sample, shown, chosen }) {
  return { job: job?.id ?? null, settings: job ? null : settings, step, sample: sample || null, shown, chosen };
}

/** Returns the state that an address asks for, but for its job. */
export function stateFrom(values) {
  const state = { ...FIRST_STATE };
  if (values.settings?.dataset in DATASETS) state.settings = { ...FIRST_SETTINGS, ...values.settings };
  if (Number.isInteger(values.step)) state.step = values.step;
  if (Number.isInteger(values.sample)) state.sample = values.sample;
  if (Number.isInteger(values.shown)) state.shown = values.shown;
  if (Number.isInteger(values.chosen?.layer) && Number.isInteger(values.chosen?.node)) state.chosen = values.chosen;
  return state;
}
