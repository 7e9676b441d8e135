import assert from "node:assert/strict";
import { test } from "node:test";
import { outputs, partsOf } from "../../app/thalweg/web/js/networks/forward.js";
import { outputActivationOf } from "../../app/thalweg/web/js/views/network_state.js";
import { assertClose, written } from "./close.js";

const { offer, answers, outputs: made } = written("networks");

test("every activation that the service offers is among what it wrote", () => {
  const named = new Set(answers.map((each) => each.activation));
  assert.deepEqual([...named].sort(), [...offer.parameters.properties.activation.enum].sort());
  assert.ok(answers.some((each) => each.output_activation === "softmax"));
});

for (const { weights, biases, input, output, ...network } of answers) {
  test(`${network.activation}, ${network.output_activation} outputs at ${input}: as the service answers`, () => {
    const parts = weights.map((matrix, layer) => ({ weights: matrix, biases: biases[layer] }));
    const tolerance = network.activation === "gelu" ? 1e-6 : 1e-13; // erf is computed for a picture
    assertClose(outputs(parts, network, input), output, tolerance);
  });
}

test("a point holds a matrix for each layer, rows first, its last row the biases", () => {
  assert.deepEqual(partsOf([1, 2, 3, 4, 5, 6, 7, 8, 9], [2, 2, 1]), [
    {
      weights: [
        [1, 2],
        [3, 4],
      ],
      biases: [5, 6],
    },
    { weights: [[7], [8]], biases: [9] },
  ]);
});

test("outputs are made as the service makes them, where nobody says it", () => {
  assert.ok(made.length > 10);
  for (const { network, output_activation } of made) {
    assert.equal(outputActivationOf(network, offer), output_activation, JSON.stringify(network));
  }
});

test("what is said of the outputs goes before what they are by default", () => {
  const network = { dataset: { name: "sine" }, activation: "tanh", loss: "mse", output_activation: "relu" };
  assert.equal(outputActivationOf(network, offer), "relu");
});

test("another rule of the service is the page's", () => {
  const other = { ...offer, datasets: offer.datasets.map((each) => ({ ...each, output_activation: "sin" })) };
  assert.equal(outputActivationOf({ dataset: { name: "moons" }, loss: "mse", activation: "relu" }, other), "sin");
});

test("softmax of large net inputs does not overflow", () => {
  const parts = [{ weights: [[1000, 999]], biases: [0, 0] }];
  const [first, second] = outputs(parts, { activation: "tanh", output_activation: "softmax" }, [1]);
  assertClose([first, second], [1 / (1 + Math.exp(-1)), Math.exp(-1) / (1 + Math.exp(-1))]);
});
