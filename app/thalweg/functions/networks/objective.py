"""The loss of a network on a data set as an objective: a function of its parameters."""

from collections.abc import Sequence

import numpy as np
import torch

from thalweg.functions.minima import ListedMinima
from thalweg.functions.networks.architecture import Architecture
from thalweg.functions.networks.datasets import Samples
from thalweg.functions.networks.differentiable import loss_at
from thalweg.functions.networks.minibatches import Minibatches
from thalweg.functions.networks.native_loss import NativeLoss
from thalweg.functions.networks.targets import targets

_NUMBERS_OF_NODE = 5  # net input, output, and intermediate values of activation and loss
_BATCH_VALUES = 4_000_000


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
        self._x, self._y = samples.x.astype(np.float64), targets(architecture, samples)
        self._seed = seed
        self._native: dict[torch.dtype, NativeLoss] = {}
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
    def step_nanoseconds(self) -> int:
        """Roughly how long native code takes for value and gradient in a step."""
        products = sum(n_rows * n_columns for n_rows, n_columns in self.matrix_shapes)
        nodes = sum(n_columns for _, n_columns in self.matrix_shapes)
        drawn = 0 if self._batches is None else self.n_samples
        return self.dim + self._n_rows * (3 * products // 2 + 4 * nodes) + drawn

    @property
    def _n_values_of_sample(self) -> int:
        return sum(n_in + _NUMBERS_OF_NODE * n_out for n_in, n_out in self.matrix_shapes)

    @property
    def untraceable(self) -> None:
        """None: its loss is native code."""
        return None

    @property
    def draws_batches(self) -> bool:
        """Whether a step uses a mini-batch instead of all samples."""
        return self._batches is not None

    def native(self, dtype: torch.dtype) -> NativeLoss:
        """Return the native loss on all samples for points of a dtype."""
        if dtype not in self._native:
            name = str(dtype).removeprefix("torch.")
            x, y = self._x.astype(name), self._y.astype(name)
            size = None if self._batches is None else self._n_rows
            self._native[dtype] = NativeLoss(self.architecture, x, y, size, self._seed)
        return self._native[dtype]

    def __call__(self, points: torch.Tensor, step: int = 0, runs: np.ndarray | None = None) -> torch.Tensor:
        """Return the loss at points `(..., dim)`, `(...)`: on all samples, or on the mini-batches of `runs`."""
        orders = None if self._batches is None or runs is None else self._batches.at(step, runs)
        values = loss_at(points.reshape(-1, self.dim), self.native(points.dtype), orders)
        return values.reshape(points.shape[:-1])

    def predict(self, points: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs of networks with the parameters `points`, `(n, dim)`, for inputs `x`, `(s, n_inputs)`.

        For cross_entropy they are probabilities. The result is `(n, s, n_outputs)`.
        """
        inputs = x.numpy()
        anything = np.zeros((len(inputs), self.architecture.layers[-1]), inputs.dtype)
        return NativeLoss(self.architecture, inputs, anything).outputs(points)

    def accuracy(self, points: torch.Tensor) -> torch.Tensor | None:
        """Return the fraction of all samples classified correctly, `(...)` for points `(..., dim)`.

        A single output above 1/2 means class 1; of several outputs, the largest is the class. None without
        classes.
        """
        if self.classes is None:
            return None
        flat = points.detach().reshape(-1, self.dim)
        n_together = max(1, _BATCH_VALUES // self.n_values)
        shares = [self._accuracy(part) for part in torch.split(flat, n_together)]
        return torch.cat(shares).reshape(points.shape[:-1])

    def _accuracy(self, points: torch.Tensor) -> torch.Tensor:
        found, wanted = self.native(points.dtype).outputs(points), torch.from_numpy(self._y)
        if found.shape[-1] == 1:
            right = ((found > 0.5) == (wanted > 0.5)).squeeze(-1)
        else:
            right = found.argmax(dim=-1) == wanted.argmax(dim=-1)
        # non-finite outputs are no class
        return (right & found.isfinite().all(dim=-1)).to(points.dtype).mean(dim=-1)

    def sample(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the input and the target of a sample, float64, `(n_inputs,)` and `(n_outputs,)`."""
        return self._x[index], self._y[index]

    def starts(self, n: int, seed: int) -> np.ndarray:
        """Return points drawn from `weight_init`, float64, `(n, dim)`; row k does not depend on n."""
        return self.architecture.starts(n, seed)

    def parts(self, point: np.ndarray) -> tuple[Sequence[np.ndarray], Sequence[np.ndarray]]:
        """Return the weights, each `(n_in, n_out)`, and biases, each `(n_out,)`, of a point `(dim,)`."""
        return self.architecture.parts(point)
