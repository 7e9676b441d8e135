"""Losses by name: the error of a sample in torch, its derivative in numpy. Adding one is one entry.

The loss of several samples is the mean of their errors, so that a learning rate does not depend on their number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from thalweg.functions.base import row_max, row_sum


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss function.

    Attributes:
        error: Maps outputs and targets, `(..., n_outputs)`, to errors, `(...)`. If `output_activation` is set, it
            takes the net inputs of the last layer instead of the outputs, which keeps it finite.
        slope: Maps outputs and targets, `(n_outputs,)`, to the derivative of the error with respect to the outputs;
            if `output_activation` is set, with respect to the net inputs.
        output_activation: The activation that the loss requires; None if any will do.
    """

    error: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    slope: Callable[[np.ndarray, np.ndarray], np.ndarray]
    output_activation: str | None = None


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


LOSSES: Final[Mapping[str, Loss]] = {
    "mse": Loss(_mse, lambda outputs, targets: 2 * (outputs - targets) / len(outputs)),
    "half_sse": Loss(_half_sse, lambda outputs, targets: outputs - targets),
    "bce": Loss(_bce, lambda outputs, targets: (outputs - targets) / len(outputs), "sigmoid"),
    "cross_entropy": Loss(_cross_entropy, lambda outputs, targets: outputs - targets, "softmax"),
}
