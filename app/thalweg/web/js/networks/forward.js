/** A network's way forward, computed here: for its answers all over a plane, many times a second. */

const LEAK = 0.01;
const sigmoid = (/** @type {number} */ net) => 1 / (1 + Math.exp(-net));

/** @type {Record<string, (net: number) => number>} */
const ACTIVATIONS = {
  sigmoid,
  tanh: Math.tanh,
  relu: (net) => Math.max(net, 0),
  leaky_relu: (net) => (net > 0 ? net : LEAK * net),
  elu: (net) => (net > 0 ? net : Math.expm1(net)),
  softplus: (net) => Math.max(net, 0) + Math.log1p(Math.exp(-Math.abs(net))),
  silu: (net) => net * sigmoid(net),
  gelu: (net) => (net / 2) * (1 + erf(net / Math.SQRT2)),
  sin: Math.sin,
  identity: (net) => net,
};

/**
 * Returns the weights and biases in a point: for each layer a matrix, rows first, whose last row is the biases.
 * @param {number[]} point
 * @param {number[]} layers
 */
export function partsOf(point, layers) {
  let at = 0;
  return layers.slice(1).map((width, layer) => {
    const rows = Array.from({ length: layers[layer] + 1 }, () => {
      const row = point.slice(at, at + width);
      at += width;
      return row;
    });
    return { biases: rows.pop() ?? [], weights: rows };
  });
}

/**
 * Returns the outputs of a network for an input.
 * @param {Array<{weights: number[][], biases: number[]}>} parts
 * @param {{activation: string, output_activation?: string|null}} network
 * @param {number[]} input
 * @returns {number[]}
 */
export function outputs(parts, network, input) {
  return parts.reduce((values, { weights, biases }, layer) => {
    const isLast = layer === parts.length - 1;
    const nets = biases.map((bias, to) =>
      values.reduce((sum, value, from) => sum + value * weights[from][to], bias),
    );
    const name = isLast ? (network.output_activation ?? network.activation) : network.activation;
    return name === "softmax" ? softmax(nets) : nets.map(ACTIVATIONS[name]);
  }, input);
}

/** @param {number[]} nets */
function softmax(nets) {
  const highest = Math.max(...nets);
  const powers = nets.map((net) => Math.exp(net - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/**
 * Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 7.1.26: within 1.5e-7, for a picture.
 * @param {number} x
 */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const polynomial =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - polynomial * Math.exp(-x * x));
}
