"""The loss of a network on a data set as an objective: a function of its parameters."""

from collections.abc import Sequence

import numpy as np
import torch

from thalweg.functions.base import row_sum
from thalweg.functions.minima import ListedMinima
from thalweg.functions.networks.architecture import (
    Architecture,
    errors,
    last_nets,
    multiplies_itself,
    n_products,
    outputs,
    with_ones,
)
from thalweg.functions.networks.datasets import Samples
from thalweg.functions.networks.minibatches import Minibatches
from thalweg.functions.networks.targets import targets

_NUMBERS_OF_NODE = 5  # net input, output, and intermediate values of activation and loss
_BATCH_VALUES = 4_000_000
_MAX_TRACED_VALUES = 2500  # compiles in about two seconds


class NetworkObjective:
    """The loss of a network as a function of its parameters; implements `thalweg.functions.base.Objective`.

    Args:
        architecture: The network.
        samples: Samples that fit the network.
        batch_size: Samples per mini-batch; None for all samples in every step.
        seed: Seed of the mini-batches.
    """

    domain = None
    minima = ListedMinima()

    def __init__(self, architecture: Architecture, samples: Samples, batch_size: int | None, seed: int) -> None:
        self.architecture = architecture
        self.classes = samples.classes
        self.n_samples = len(samples.x)
        inputs, wanted = torch.from_numpy(samples.x), torch.from_numpy(targets(architecture, samples))
        self._inputs = {dtype: with_ones(inputs.to(dtype)) for dtype in (torch.float64, torch.float32)}
        self._targets = {dtype: wanted.to(dtype) for dtype in (torch.float64, torch.float32)}
        drawn = batch_size is not None and batch_size < self.n_samples
        self._n_rows = batch_size if drawn and batch_size else self.n_samples
        self._batches = Minibatches(self.n_samples, self._n_rows, seed) if drawn else None

    @property
    def dim(self) -> int:
        """Number of parameters."""
        return self.architecture.dim

    @property
    def matrix_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of the matrices in a point, `(n_in + 1, n_out)`; the last row holds biases."""
        return self.architecture.matrix_shapes

    @property
    def n_values(self) -> int:
        """Approximate number of values computed per point on all samples."""
        return self.dim + self.n_samples * self._n_values_of_sample

    @property
    def n_step_values(self) -> int:
        """Approximate number of values computed per point in a step, which may use a mini-batch."""
        drawn = 0 if self._batches is None else self.n_samples
        return self.dim + self._n_rows * self._n_values_of_sample + drawn

    @property
    def _n_values_of_sample(self) -> int:
        return sum(n_in + _NUMBERS_OF_NODE * n_out for n_in, n_out in self.matrix_shapes)

    @property
    def untraceable(self) -> str | None:
        """Why its operations cannot be compiled to native code; None if they can."""
        if self._batches is not None:
            return "the network uses another mini-batch in every step"
        is_small = multiplies_itself(n_products(self.architecture, self.n_samples))
        if not is_small or self.n_values > _MAX_TRACED_VALUES:
            return f"with {self.n_samples} samples the network is too large to compile"
        return None

    def __call__(self, points: torch.Tensor, step: int = 0, runs: np.ndarray | None = None) -> torch.Tensor:
        """Return the loss at points `(..., dim)`, `(...)`: on all samples, or on the mini-batches of `runs`."""
        inputs, wanted = self._inputs[points.dtype], self._targets[points.dtype]
        if self._batches is not None and runs is not None:
            drawn = torch.from_numpy(self._batches.at(step, runs))
            inputs, wanted = inputs[drawn], wanted[drawn]
        nets = last_nets(self.architecture, points.reshape(-1, self.dim), inputs)
        error = errors(self.architecture, nets, wanted)
        return (row_sum(error) / error.shape[-1]).reshape(points.shape[:-1])

    def predict(self, points: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs of networks with the parameters `points`, `(n, dim)`, for inputs `x`, `(s, n_inputs)`.

        For cross_entropy they are probabilities. The result is `(n, s, n_outputs)`.
        """
        return outputs(self.architecture, last_nets(self.architecture, points, with_ones(x)))

    def accuracy(self, points: torch.Tensor) -> torch.Tensor | None:
        """Return the fraction of all samples classified correctly, `(...)` for points `(..., dim)`.

        A single output above 1/2 means class 1; of several outputs, the largest is the class. None without
        classes.
        """
        if self.classes is None:
            return None
        flat = points.detach().reshape(-1, self.dim)
        n_together = max(1, _BATCH_VALUES // self.n_values)
        with torch.no_grad():
            shares = [self._accuracy(part) for part in torch.split(flat, n_together)]
        return torch.cat(shares).reshape(points.shape[:-1])

    def _accuracy(self, points: torch.Tensor) -> torch.Tensor:
        nets = last_nets(self.architecture, points, self._inputs[points.dtype])
        found, wanted = outputs(self.architecture, nets), self._targets[points.dtype]
        if found.shape[-1] == 1:
            right = ((found > 0.5) == (wanted > 0.5)).squeeze(-1)
        else:
            right = found.argmax(dim=-1) == wanted.argmax(dim=-1)
        # non-finite outputs are no class
        return (right & found.isfinite().all(dim=-1)).to(points.dtype).mean(dim=-1)

    def sample(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the input and the target of a sample, float64, `(n_inputs,)` and `(n_outputs,)`."""
        return self._inputs[torch.float64][index, :-1].numpy(), self._targets[torch.float64][index].numpy()

    def starts(self, n: int, seed: int) -> np.ndarray:
        """Return points drawn from `weight_init`, float64, `(n, dim)`; row k does not depend on n."""
        return self.architecture.starts(n, seed)

    def parts(self, point: np.ndarray) -> tuple[Sequence[np.ndarray], Sequence[np.ndarray]]:
        """Return the weights, each `(n_in, n_out)`, and biases, each `(n_out,)`, of a point `(dim,)`."""
        return self.architecture.parts(point)
