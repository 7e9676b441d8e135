/** What the Network view is about, as an address says it and as its job is posted. */

import { withoutEmpty } from "./run_state.js";

const FIRST_SETTINGS = {
  network: { dataset: { name: "moons" }, loss: "half_sse" },
  hidden: [4, 3],
  optimizer: { name: "adam" },
  lr: 0.05,
  steps: 1000,
  seed: 1,
};

export const FIRST_STATE = {
  offer: null,
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

/** Returns the network that settings describe. @param {Object} offer what the service says of networks */
export function networkOf({ network, hidden, ends }, offer) {
  const [nInputs, nOutputs] = endsOf(network, offer) ?? ends ?? [1, 1];
  return { ...withoutEmpty(usualOf(offer)), ...withoutEmpty(network), layers: [nInputs, ...hidden, nOutputs] };
}

/** Returns what the outputs of a network are made with. */
export function outputActivationOf(network, offer) {
  return network.output_activation ?? usualOutputActivation(network, offer) ?? network.activation ?? usualOf(offer).activation;
}

/** Returns the job that trains it. */
export function specOf(settings, offer) {
  const { optimizer, lr, scheduler, steps, seed } = settings;
  const every = Math.max(1, Math.floor(Number(steps) / 2000) || 1);
  return withoutEmpty({
    function: { mlp: networkOf(settings, offer) },
    optimizer,
    lr,
    scheduler,
    steps,
    init: { random: 1, seed },
    record_every: every,
    tags: ["network"],
  });
}

/** Returns the settings that a job was made with, as far as the form has them: without what they would be anyway. */
export function settingsOf(spec, offer) {
  const { layers, ...network } = spec.function.mlp;
  const { optimizer, lr, scheduler, steps, init } = spec;
  const others = { ...network, output_activation: undefined };
  if (network.output_activation === outputActivationOf(others, offer)) network.output_activation = null;
  const entry = offer.datasets.find((each) => each.name === network.dataset.name);
  if (entry) network.dataset = { name: entry.name, ...unlike({ seed: 0, ...entry }, network.dataset) };
  return {
    ...FIRST_SETTINGS,
    network: unlike(usualOf(offer), network),
    hidden: layers.slice(1, -1),
    ends: entry ? null : [layers[0], layers.at(-1)],
    optimizer,
    lr,
    scheduler,
    steps,
    seed: init.seed ?? 0,
  };
}

/** Returns what of the state the address is to say. */
export function addressed({ settings, job, step, sample, shown, chosen }) {
  return { job: job?.id ?? null, settings: job ? null : settings, step, sample: sample || null, shown, chosen };
}

/** Returns the state that an address asks for, but for its job. */
export function stateFrom(values) {
  const state = { ...FIRST_STATE };
  if (typeof values.settings?.network?.dataset === "object") state.settings = { ...FIRST_SETTINGS, ...values.settings };
  if (Number.isInteger(values.step)) state.step = values.step;
  if (Number.isInteger(values.sample)) state.sample = values.sample;
  if (Number.isInteger(values.shown)) state.shown = values.shown;
  if (Number.isInteger(values.chosen?.layer) && Number.isInteger(values.chosen?.node)) state.chosen = values.chosen;
  return state;
}

/** Returns how many inputs and outputs a generated data set wants; null of samples that are given. */
function endsOf({ dataset, loss }, offer) {
  const entry = offer.datasets.find((each) => each.name === dataset.name);
  if (!entry) return null;
  const classes = dataset.classes ?? entry.classes;
  const isOneEnough = classes === null || (classes === 2 && belongingTo(loss, offer) !== "softmax");
  return [entry.n_inputs, isOneEnough ? 1 : classes];
}

/** Returns the output activation that a network gets if nothing is said; null where it is the hidden layers' own. */
function usualOutputActivation({ dataset, loss }, offer) {
  const entry = offer.datasets.find((each) => each.name === dataset.name);
  return belongingTo(loss, offer) ?? (entry?.classes === null ? "identity" : null);
}

function belongingTo(loss, offer) {
  return offer.losses.find((each) => each.name === (loss ?? usualOf(offer).loss))?.output_activation ?? null;
}

/** Returns what a network is if nothing is said. */
function usualOf({ parameters }) {
  return Object.fromEntries(Object.entries(parameters.properties).map(([name, { default: value = null }]) => [name, value]));
}

/** Returns what of `values` is not as usual. */
function unlike(usual, values) {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== (usual[name] ?? null)));
}
