"""Activations by name, three times: in native code, in torch, and by hand. Adding one is one entry.

Native code is what networks are made of. torch's value gives second derivatives, by autograd, and checks the first;
the derivative in numpy is the delta rule's.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from thalweg.functions.base import row_max, row_sum
from thalweg.native import logistic, normal
from thalweg.native.lanes import Lanes
from thalweg.native.trigonometry import sine_and_cosine

_LEAK: Final = 0.01  # torch's default
_SOFTPLUS_LINEAR_FROM: Final = 20.0  # as in torch


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation function.

    Attributes:
        native: Maps net inputs, as doubles in lanes of native code, to outputs and their derivatives. It defines
            the digits of networks: outputs are at most 1 ulp from the exact value.
        value: Maps net inputs to outputs, element by element; for second derivatives.
        derivative: Maps net inputs and outputs to the derivatives of the outputs.
    """

    native: Callable[[Lanes], tuple[Lanes, Lanes]]
    value: Callable[[torch.Tensor], torch.Tensor]
    derivative: Callable[[np.ndarray, np.ndarray], np.ndarray]


def sigmoid(net: torch.Tensor) -> torch.Tensor:
    """Return 1 / (1 + exp(-net)), with gradient 0 where the exponential would overflow."""
    # an infinite exponential would give the gradient 0 * inf
    lowest = 1 - math.log(torch.finfo(net.dtype).max)
    return torch.reciprocal(torch.exp(-torch.clamp(net, min=lowest)) + 1)


def softmax(net: torch.Tensor) -> torch.Tensor:
    """Return the softmax over the last axis."""
    powers = torch.exp(net - row_max(net.detach()).unsqueeze(-1))
    return powers / row_sum(powers).unsqueeze(-1)


def _softplus(net: torch.Tensor) -> torch.Tensor:
    bounded = torch.clamp(net, max=_SOFTPLUS_LINEAR_FROM)
    return torch.where(net > _SOFTPLUS_LINEAR_FROM, net, torch.log1p(torch.exp(bounded)))


def _elu(net: torch.Tensor) -> torch.Tensor:
    return torch.where(net > 0, net, torch.expm1(torch.clamp(net, max=0.0)))


def _gelu(net: torch.Tensor) -> torch.Tensor:
    return net * (0.5 * (1 + torch.erf(net * math.sqrt(0.5))))


def _logistic(net: np.ndarray) -> np.ndarray:
    logistic: np.ndarray = 1 / (1 + np.exp(-net))
    return logistic


def _normal_cdf(net: np.ndarray) -> np.ndarray:
    return np.array([0.5 * math.erfc(-number * math.sqrt(0.5)) for number in net])


def _native_relu(net: Lanes) -> tuple[Lanes, Lanes]:
    is_off = net <= 0.0
    return is_off.choose(net.like(0.0), net), is_off.choose(net.like(0.0), 1.0)


def _native_leaky_relu(net: Lanes) -> tuple[Lanes, Lanes]:
    is_off = net <= 0.0
    return is_off.choose(_LEAK * net, net), is_off.choose(net.like(_LEAK), 1.0)


def _native_softplus(net: Lanes) -> tuple[Lanes, Lanes]:
    is_linear = net > _SOFTPLUS_LINEAR_FROM
    value, slope = logistic.softplus(net)
    return is_linear.choose(net, value), is_linear.choose(net.like(1.0), slope)


ACTIVATIONS: Final[Mapping[str, Activation]] = {
    "sigmoid": Activation(logistic.sigmoid, sigmoid, lambda _net, output: output * (1 - output)),
    "tanh": Activation(logistic.tanh, torch.tanh, lambda _net, output: 1 - output**2),
    "relu": Activation(_native_relu, torch.relu, lambda net, _output: np.where(net > 0, 1.0, 0.0)),
    "leaky_relu": Activation(
        _native_leaky_relu,
        lambda net: torch.where(net > 0, net, _LEAK * net),
        lambda net, _output: np.where(net > 0, 1.0, _LEAK),
    ),
    "elu": Activation(logistic.elu, _elu, lambda net, output: np.where(net > 0, 1.0, output + 1)),
    "softplus": Activation(
        _native_softplus,
        _softplus,
        lambda net, _output: np.where(net > _SOFTPLUS_LINEAR_FROM, 1.0, _logistic(net)),
    ),
    "gelu": Activation(
        normal.gelu,
        _gelu,
        lambda net, _output: _normal_cdf(net) + net * np.exp(-(net**2) / 2) / math.sqrt(2 * math.pi),
    ),
    "silu": Activation(
        logistic.silu,
        lambda net: net * sigmoid(net),
        lambda net, output: _logistic(net) + output * (1 - _logistic(net)),
    ),
    "sin": Activation(sine_and_cosine, torch.sin, lambda net, _output: np.cos(net)),
    "identity": Activation(
        lambda net: (net, net.like(1.0)), lambda net: net, lambda net, _output: np.ones_like(net)
    ),
}
