"""Losses by name, three times: in native code, in torch, and by hand. Adding one is one entry.

The loss of several samples is the mean of their errors, so that a learning rate does not depend on their number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import torch

from thalweg.functions.base import row_max, row_sum
from thalweg.native.lanes import Lanes
from thalweg.native.logistic import log_of_falling

NativeTerm: TypeAlias = Callable[[Lanes, Lanes, Lanes, Lanes], tuple[Lanes, Lanes]]


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss function.

    Attributes:
        native: Maps net inputs, outputs, their derivatives and targets of a node, in lanes of native code, to the
            node's term of the error and to δ, without the factors below. None for cross_entropy, whose nodes depend
            on each other. It defines the digits.
        error: Maps outputs and targets, `(..., n_outputs)`, to errors, `(...)`. If `output_activation` is set, it
            takes the net inputs of the last layer instead of the outputs, which keeps it finite. For second
            derivatives.
        slope: Maps outputs and targets, `(n_outputs,)`, to the derivative of the error with respect to the outputs;
            if `output_activation` is set, with respect to the net inputs.
        output_activation: The activation that the loss requires; None if any will do.
        value_factor: Of the sum of the terms of `native`.
        gradient_factor: Of the sums of o_i δ_j.
        mean_of_outputs: Whether the error of a sample is a mean over its outputs.
    """

    native: NativeTerm | None
    error: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    slope: Callable[[np.ndarray, np.ndarray], np.ndarray]
    output_activation: str | None = None
    value_factor: float = 1.0
    gradient_factor: float = 1.0
    mean_of_outputs: bool = False


def _half_sse(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return 0.5 * row_sum((outputs - targets) ** 2)


def _mse(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return row_sum((outputs - targets) ** 2) / outputs.shape[-1]


def _bce(nets: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    # log(1 + exp(-net)) without overflow; at 0 its terms have the gradients 0 and -1/2
    rest = torch.relu(-nets) + torch.log1p(torch.exp(torch.where(nets < 0, nets, -nets)))
    return row_sum((1 - targets) * nets + rest) / nets.shape[-1]


def _cross_entropy(nets: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    below_largest = nets - row_max(nets.detach()).unsqueeze(-1)
    return torch.log(row_sum(torch.exp(below_largest))) - row_sum(targets * below_largest)


def _native_squares(net: Lanes, output: Lanes, slope: Lanes, target: Lanes) -> tuple[Lanes, Lanes]:  # noqa: ARG001 - of net
    difference = output - target
    return difference * difference, difference * slope


def _native_bce(net: Lanes, output: Lanes, slope: Lanes, target: Lanes) -> tuple[Lanes, Lanes]:  # noqa: ARG001 - cancels
    wide, wanted = net.to("double"), target.to("double")
    term = (-wanted).fma(wide, (wide > 0.0).choose(wide, 0.0)) + log_of_falling(wide)
    return term.to(net.type), output - target


LOSSES: Final[Mapping[str, Loss]] = {
    "mse": Loss(
        _native_squares,
        _mse,
        lambda outputs, targets: 2 * (outputs - targets) / len(outputs),
        gradient_factor=2.0,
        mean_of_outputs=True,
    ),
    "half_sse": Loss(_native_squares, _half_sse, lambda outputs, targets: outputs - targets, value_factor=0.5),
    "bce": Loss(
        _native_bce,
        _bce,
        lambda outputs, targets: (outputs - targets) / len(outputs),
        "sigmoid",
        mean_of_outputs=True,
    ),
    "cross_entropy": Loss(None, _cross_entropy, lambda outputs, targets: outputs - targets, "softmax"),
}
