"""Losses by name: the error of a sample in torch, its derivative in numpy. Adding one is one entry.

The error of a set of samples is the mean of the samples' errors, so that a learning rate means the same for any
number of them; for a single sample it is the textbook's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from thalweg.functions.base import row_max, row_sum


@dataclass(frozen=True, slots=True)
class Loss:
    """How far the outputs of a network are from what they should be.

    Attributes:
        error: The error of each sample, `(...)`, from outputs and targets, `(..., n_outputs)`; of a loss that has
            an output activation of its own, from the last layer's net inputs instead, which keeps it finite.
        slope: The derivative of a sample's error by its outputs, from outputs and targets, `(n_outputs,)`; of a
            loss that has an output activation of its own, by the net inputs: the product of both derivatives.
        output_activation: The only one that the loss is defined with; None if any will do.
    """

    error: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    slope: Callable[[np.ndarray, np.ndarray], np.ndarray]
    output_activation: str | None = None


def _half_sse(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return 0.5 * row_sum((outputs - targets) ** 2)


def _mse(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return row_sum((outputs - targets) ** 2) / outputs.shape[-1]


def _bce(nets: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    # log(1 + exp(-net)) without overflow; at 0 its parts have the gradients 0 and -1/2
    rest = torch.relu(-nets) + torch.log1p(torch.exp(torch.where(nets < 0, nets, -nets)))
    return row_sum((1 - targets) * nets + rest) / nets.shape[-1]


def _cross_entropy(nets: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    below_largest = nets - row_max(nets.detach()).unsqueeze(-1)
    return torch.log(row_sum(torch.exp(below_largest))) - row_sum(targets * below_largest)


LOSSES: Final[Mapping[str, Loss]] = {
    "mse": Loss(_mse, lambda outputs, targets: 2 * (outputs - targets) / len(outputs)),
    "half_sse": Loss(_half_sse, lambda outputs, targets: outputs - targets),
    "bce": Loss(_bce, lambda outputs, targets: (outputs - targets) / len(outputs), "sigmoid"),
    "cross_entropy": Loss(_cross_entropy, lambda outputs, targets: outputs - targets, "softmax"),
}
