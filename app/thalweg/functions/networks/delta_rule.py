"""The backward pass of a network by the delta rule, layer by layer from the output back.

With net_j = Σ_i O_i W_ij + b_j, outputs O_j = f(net_j), inputs O_i of the first layer, and the error E:

    δ_k = ∂E/∂net_k = ∂E/∂O_k f'(net_k)            in the output layer
    δ_j = ∂E/∂net_j = f'(net_j) Σ_k δ_k W_jk       in each layer before
    ∂E/∂W_ij = O_i δ_j,    ∂E/∂b_j = δ_j

For the sigmoid and E = 1/2 Σ (O_k - t_k)²: δ_k = (O_k - t_k) O_k (1 - O_k), δ_j = O_j (1 - O_j) Σ_k δ_k W_jk.

Source: Rumelhart, Hinton, Williams: Learning representations by back-propagating errors, Nature 323 (1986).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.functions.networks.architecture import Architecture
from thalweg.functions.networks.losses import LOSSES
from thalweg.functions.networks.native_loss import NativeLoss


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of `m` nodes after one of `k`, in both passes.

    Attributes:
        net: Net inputs, `(m,)`.
        output: Outputs, `(m,)`.
        delta: Derivatives of the error with respect to the net inputs, `(m,)`.
        weight_gradient: Derivatives with respect to the weights, `(k, m)`; [i, j] is from node i to node j.
        bias_gradient: Derivatives with respect to the biases, `(m,)`.
    """

    net: np.ndarray
    output: np.ndarray
    delta: np.ndarray
    weight_gradient: np.ndarray
    bias_gradient: np.ndarray


@dataclass(frozen=True, slots=True)
class Backpropagation:
    """The forward and the backward pass of one sample.

    Attributes:
        weights: For each layer after the input layer, `(k, m)`.
        biases: For each layer after the input layer, `(m,)`.
        output: The output of the network.
        error: The loss of the sample.
        layers: From the first hidden layer to the output layer.
        autograd_max_abs_difference: Largest absolute difference from autograd's gradients of the same network;
            NaN if one of them is not finite.
    """

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    output: np.ndarray
    error: float
    layers: list[Layer]
    autograd_max_abs_difference: float


def backpropagation(
    architecture: Architecture, point: np.ndarray, sample: np.ndarray, target: np.ndarray
) -> Backpropagation:
    """Return the forward and the backward pass of one sample, in float64.

    Args:
        architecture: The network.
        point: Its parameters, `(dim,)`.
        sample: `(n_inputs,)`.
        target: `(n_outputs,)`; one-hot for cross_entropy.
    """
    weights, biases = architecture.parts(point.astype(np.float64))
    with np.errstate(over="ignore", invalid="ignore"):  # non-finite numbers show in the result
        loss = NativeLoss(architecture, sample[None].astype(np.float64), target[None].astype(np.float64))
        error, nets, passed = _forward(architecture, loss, point)
        layers = _backward(architecture, weights, nets, [sample, *passed], target)
        gradient = _autograd(loss, point)
        by_hand = architecture.point(
            [layer.weight_gradient for layer in layers], [layer.bias_gradient for layer in layers]
        )
        difference = np.abs(by_hand - gradient).max()
    return Backpropagation(weights, biases, passed[-1], error, layers, float(difference))


def _forward(
    architecture: Architecture, loss: NativeLoss, point: np.ndarray
) -> tuple[float, list[np.ndarray], list[np.ndarray]]:
    """Return the error, and the net inputs and outputs of each layer after the input layer."""
    problem = loss.problem
    scratch = problem.scratch()
    (error,) = loss.values(point[None].astype(np.float64), scratch=scratch).tolist()
    widths = architecture.layers[1:]
    nets, outputs = (
        [problem.first_of_planes(scratch, begin, n) for begin, n in zip(begins, widths, strict=True)]
        for begins in (problem.nets, problem.outputs)
    )
    return error, nets, outputs


def _backward(
    architecture: Architecture,
    weights: Sequence[np.ndarray],
    nets: Sequence[np.ndarray],
    passed: Sequence[np.ndarray],
    target: np.ndarray,
) -> list[Layer]:
    delta = _last_delta(architecture, nets[-1], passed[-1], target)
    layers = [_layer(nets[-1], passed[-1], delta, passed[-2])]
    slope = ACTIVATIONS[architecture.activation].derivative
    for j in reversed(range(len(nets) - 1)):
        delta = slope(nets[j], passed[j + 1]) * (weights[j + 1] @ delta)
        layers.append(_layer(nets[j], passed[j + 1], delta, passed[j]))
    return layers[::-1]


def _last_delta(architecture: Architecture, net: np.ndarray, output: np.ndarray, target: np.ndarray) -> np.ndarray:
    loss = LOSSES[architecture.loss]
    slope = loss.slope(output, target)
    if loss.output_activation is not None:
        return slope  # already includes the derivative of the activation
    delta: np.ndarray = slope * ACTIVATIONS[str(architecture.output_activation)].derivative(net, output)
    return delta


def _layer(net: np.ndarray, output: np.ndarray, delta: np.ndarray, incoming: np.ndarray) -> Layer:
    return Layer(net, output, delta, weight_gradient=np.outer(incoming, delta), bias_gradient=delta)


def _autograd(loss: NativeLoss, point: np.ndarray) -> np.ndarray:
    """Return the gradient by autograd, of the same network in torch's operations, `(dim,)`."""
    points = torch.tensor(point[None], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss.in_torch(points).sum(), points)
    slope: np.ndarray = gradient[0].numpy()
    return slope
