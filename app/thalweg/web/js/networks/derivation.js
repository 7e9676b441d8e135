/** How a node's delta comes about: the formula, and the numbers put into it. */

import { short } from "../numbers.js";

/** @typedef {{formula: string, numbers: (net: number, o: number) => string}} Slope */

/** @type {Record<string, Slope>} */
const SLOPES = {
  sigmoid: { formula: "O_j (1 - O_j)", numbers: (_net, o) => `${short(o)}·(1 − ${short(o)})` },
  tanh: { formula: "(1 - O_j^2)", numbers: (_net, o) => `(1 − ${bracket(o)}²)` },
  relu: { formula: "[net_j > 0]", numbers: (net) => (net > 0 ? "1" : "0") },
  leaky_relu: { formula: "\\max([net_j > 0], 0.01)", numbers: (net) => (net > 0 ? "1" : "0.01") },
  identity: { formula: "1", numbers: () => "1" },
};
/** @type {Slope} */
const OTHER = { formula: "\\phi'(net_j)", numbers: (net) => `φ′(${short(net)})` };
/** @type {Record<string, string>} */
const WHOLE = { bce: "\\frac{O_j - t_j}{n}", cross_entropy: "O_j - t_j" };

/**
 * Returns the steps of a derivation, each a name, a formula in LaTeX and the same with numbers.
 * @param {import("../service").Pass} pass what the service says of the forward and the backward pass
 * @param {{layers: number[], activation: string, output_activation: string|null, loss: string}} network
 * @param {number[]} input
 * @param {number[]} target
 * @param {{layer: number, node: number}} at layer from 0, the first hidden
 */
export function derivation(pass, network, input, target, { layer, node }) {
  const here = pass.layers[layer];
  const before = layer === 0 ? input : pass.layers[layer - 1].output;
  const weights = pass.weights[layer];
  const isLast = layer === pass.layers.length - 1;
  const sum = before.map((value, from) => `${short(value)}·${bracket(weights[from][node])}`).join(" + ");
  const name = isLast ? (network.output_activation ?? network.activation) : network.activation;
  return [
    {
      what: "Net input",
      formula: "net_j = \\sum_i O_i W_{ij} + b_j",
      numbers: `${sum} + ${bracket(pass.biases[layer][node])} = ${short(here.net[node])}`,
    },
    {
      what: "Output",
      formula: `O_j = \\operatorname{${name.replace("_", " ")}}(net_j)`,
      numbers: `${name}(${short(here.net[node])}) = ${short(here.output[node])}`,
    },
    isLast ? outputDelta(here, network, name, target, node) : hiddenDelta(pass, layer, node, name),
    {
      what: "Weight gradients",
      formula: "\\frac{\\partial E}{\\partial W_{ij}} = O_i \\delta_j",
      numbers: before
        .map(
          (value, from) =>
            `${short(value)}·${bracket(here.delta[node])} = ${short(here.weight_gradient[from][node])}`,
        )
        .join(";  "),
    },
  ];
}

/**
 * @param {import("../service").Layer} here
 * @param {{loss: string}} network
 * @param {string} name
 * @param {number[]} target
 * @param {number} node
 */
function outputDelta(here, network, name, target, node) {
  const [o, net, t] = [here.output[node], here.net[node], target[node]];
  const result = ` = ${short(here.delta[node])}`;
  const n = here.output.length;
  const off = `(${short(o)} − ${bracket(t)})`;
  if (network.loss in WHOLE) {
    return {
      what: "Delta",
      formula: `\\delta_j = ${WHOLE[network.loss]}`,
      numbers: `${off}${network.loss === "bce" ? `/${n}` : ""}${result}`,
    };
  }
  const slope = SLOPES[name] ?? OTHER;
  const isMean = network.loss === "mse";
  return {
    what: "Delta",
    formula: `\\delta_j = ${isMean ? "\\frac{2}{n} " : ""}(O_j - t_j) \\cdot ${slope.formula}`,
    numbers: `${isMean ? `2/${n}·` : ""}${off} · ${slope.numbers(net, o)}${result}`,
  };
}

/**
 * @param {import("../service").Pass} pass
 * @param {number} layer
 * @param {number} node
 * @param {string} name
 */
function hiddenDelta(pass, layer, node, name) {
  const [here, behind] = [pass.layers[layer], pass.layers[layer + 1]];
  const slope = SLOPES[name] ?? OTHER;
  const sum = behind.delta
    .map((delta, to) => `${bracket(pass.weights[layer + 1][node][to])}·${bracket(delta)}`)
    .join(" + ");
  return {
    what: "Delta",
    formula: `\\delta_j = ${slope.formula} \\cdot \\sum_k W_{jk} \\delta_k`,
    numbers: `${slope.numbers(here.net[node], here.output[node])} · (${sum}) = ${short(here.delta[node])}`,
  };
}

/** @param {number} value */
function bracket(value) {
  return value < 0 ? `(${short(value)})` : short(value);
}
