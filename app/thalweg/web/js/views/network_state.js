/** What the Network view is about, as an address says it and as its job is posted. */

import { same } from "../same.js";
import { unknownMethod } from "../words.js";
import { withoutEmpty } from "./run_state.js";

const FIRST_SETTINGS = {
  network: { dataset: { name: "moons" }, loss: "half_sse" },
  hidden: [4, 3],
  optimizer: { name: "adam" },
  lr: 0.05,
  steps: 1000,
  seed: 1,
};

/** What there is to see of a training; `made` are the settings that it was started with. All is of one job. */
export const NO_TRAINING = {
  job: null,
  made: null,
  progress: null,
  lost: false,
  trajectory: null,
  samples: null,
  landscape: null,
  landscapeProblem: null,
  step: null,
  pass: null,
  shown: null,
  chosen: null,
};

export const FIRST_STATE = {
  ...NO_TRAINING,
  offer: null,
  settings: FIRST_SETTINGS,
  sample: 0,
  isOpening: false,
  isPosting: false,
  deadEnd: null,
  problem: null,
  notice: null,
};

/** Whether there are results, of other settings than the form has now. @param {{made: any, settings: any}} state */
export function isOutdated({ made, settings }) {
  return made !== null && !same(made, settings);
}

/**
 * Returns the network that settings describe.
 * @param {any} settings
 * @param {import("../service").Offer} offer
 * @returns {any}
 */
export function networkOf({ network, hidden, ends }, offer) {
  const [nInputs, nOutputs] = endsOf(network, offer) ?? ends ?? [1, 1];
  return { ...withoutEmpty(usualOf(offer)), ...withoutEmpty(network), layers: [nInputs, ...hidden, nOutputs] };
}

/**
 * Returns the activation of the outputs of a network.
 * @param {any} network
 * @param {import("../service").Offer} offer
 * @returns {string}
 */
export function outputActivationOf(network, offer) {
  return (
    network.output_activation ??
    usualOutputActivation(network, offer) ??
    network.activation ??
    usualOf(offer).activation
  );
}

/** Returns the job that trains it. @param {any} settings @param {import("../service").Offer} offer */
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

/**
 * Returns the settings that a job was made with, as far as the form has them, without the defaults.
 * @param {any} spec
 * @param {import("../service").Offer} offer
 */
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

/** Returns what the address says of the state: what made the results, if there are any. @param {any} state */
export function addressed({ settings, job, step, sample, shown, chosen }) {
  return { ...(job ? { job: job.id } : { settings }), step, sample: sample || null, shown, chosen };
}

/**
 * Returns the state that an address asks for, and whether all of it could be read; its job is left to be fetched.
 * @param {Record<string, any>} values
 * @returns {{state: any, isDamaged: boolean}}
 */
export function stateFrom(values) {
  /** @type {any} */
  const state = { ...FIRST_STATE };
  const isDamaged = values.settings !== undefined && !isReadable(values.settings);
  if (values.settings !== undefined && !isDamaged) state.settings = { ...FIRST_SETTINGS, ...values.settings };
  if (Number.isInteger(values.step)) state.step = values.step;
  if (Number.isInteger(values.sample)) state.sample = values.sample;
  if (Number.isInteger(values.shown)) state.shown = values.shown;
  if (Number.isInteger(values.chosen?.layer) && Number.isInteger(values.chosen?.node)) state.chosen = values.chosen;
  return { state, isDamaged };
}

/**
 * Returns what is wrong with settings that name something the service does not have, or null.
 * @param {any} settings
 * @param {import("../service").Offer} offer
 * @param {import("../service").Methods} catalogue
 */
export function unknownIn({ network: { dataset }, optimizer, scheduler }, offer, catalogue) {
  const method = unknownMethod({ optimizer, scheduler }, catalogue)?.errors ?? [];
  const isKnown = dataset.name === undefined || offer.datasets.some((each) => each.name === dataset.name);
  const errors = isKnown
    ? method
    : [
        {
          pointer: "#/function/mlp/dataset",
          detail: `There is no data set called “${dataset.name}” here. Choose another.`,
        },
        ...method,
      ];
  return errors.length ? { message: errors[0].detail, errors } : null;
}

/** Whether the form can show settings that came with an address. @param {any} settings */
function isReadable(settings) {
  const { network, hidden = [], optimizer = FIRST_SETTINGS.optimizer, scheduler } = settings ?? {};
  const isNamed = (/** @type {any} */ value) => typeof value?.name === "string";
  return (
    typeof network?.dataset === "object" &&
    network.dataset !== null &&
    Array.isArray(hidden) &&
    isNamed(optimizer) &&
    (!scheduler || isNamed(scheduler))
  );
}

/**
 * Returns the numbers of inputs and outputs for a generated data set; null for given samples.
 * @param {any} network
 * @param {import("../service").Offer} offer
 * @returns {[number, number]|null}
 */
function endsOf({ dataset, loss }, offer) {
  const entry = offer.datasets.find((each) => each.name === dataset.name);
  if (!entry) return null;
  const classes = dataset.classes ?? entry.classes;
  const isOneEnough = classes === null || (classes === 2 && belongingTo(loss, offer) !== "softmax");
  return [entry.n_inputs, isOneEnough ? 1 : classes];
}

/**
 * Returns the default activation of the outputs; null where it is that of the hidden layers.
 * @param {any} network
 * @param {import("../service").Offer} offer
 */
function usualOutputActivation({ dataset, loss }, offer) {
  const entry = offer.datasets.find((each) => each.name === dataset.name);
  return belongingTo(loss, offer) ?? entry?.output_activation ?? null;
}

/** @param {string|undefined} loss @param {import("../service").Offer} offer */
function belongingTo(loss, offer) {
  return offer.losses.find((each) => each.name === (loss ?? usualOf(offer).loss))?.output_activation ?? null;
}

/** Returns the defaults of a network. @param {import("../service").Offer} offer @returns {any} */
function usualOf({ parameters }) {
  return Object.fromEntries(
    Object.entries(parameters.properties).map(([name, { default: value = null }]) => [name, value]),
  );
}

/**
 * Returns what differs from the defaults.
 * @param {Record<string, any>} usual
 * @param {Record<string, any>} values
 */
function unlike(usual, values) {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== (usual[name] ?? null)));
}
