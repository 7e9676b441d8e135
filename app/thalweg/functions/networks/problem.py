"""What native code of networks works on: layers and samples of a problem, and scratch memory.

Samples lie in blocks of `BLOCK`, each with a plane for each input, a plane of ones for the biases, and a plane for
each target; a plane holds one number of each sample of the block. Incomplete blocks are filled up with zeros.
"""

from typing import Final

import numpy as np

from thalweg.functions.networks.architecture import Architecture
from thalweg.functions.networks.shuffle import N_ARRAYS, n_words
from thalweg.native.memory import aligned

BLOCK: Final = 64
"""Samples in a block."""

PROBLEM: Final = (
    "n_samples",
    "n_inputs",
    "n_outputs",
    "divided_by",
    "batch",
    "seed",
    "n_layers",
    "layers",
    "blocks",
    "rows",
    "gathered",
    "accumulators",
)
"""The fields of a problem, 8 bytes each. `divided_by` is the number of outputs where the loss is a mean over them,
else 1; `batch` is the size of mini-batches, 0 for none, and `seed` draws them; `layers`, `blocks` and `rows` are
addresses; `gathered` and `accumulators` are places in scratch memory."""

LAYER: Final = ("n_in", "n_out", "weights", "net", "output", "delta")
"""The fields of a layer. `weights` is a place in a point, the last three are places in scratch memory."""

SCRATCH: Final = ("problem", "order", "n_rows", "outputs", "shuffling", "run", "epoch", "shuffled")
"""The fields at the start of scratch memory: the problem; numbers of samples to take, and how many, or null;
where to write the outputs, or null; memory to shuffle in; run and epoch of the order `shuffled` there."""

_LANES: Final = 8  # numbers that a sum over samples is accumulated in
_HEADER_BYTES: Final = 64


class Problem:
    """A network and its samples, laid out for native code.

    Args:
        architecture: The network.
        x: Inputs, `(n, n_inputs)`, of the dtype to compute in.
        y: Targets, `(n, n_outputs)`, of the same dtype.
        divided_by: See `PROBLEM`.
        batch: Size of mini-batches; None for all samples.
        seed: Of the mini-batches.

    Attributes:
        scratch_bytes: Size of scratch memory.
        nets: For each layer after the first, where its net inputs are in scratch memory, in bytes.
        outputs: The same for its outputs.
    """

    def __init__(
        self,
        architecture: Architecture,
        x: np.ndarray,
        y: np.ndarray,
        divided_by: int,
        batch: int | None = None,
        seed: int = 0,
    ) -> None:
        self.n_samples, n_inputs = x.shape
        self.n_outputs = y.shape[1]
        self.dim = architecture.dim
        self.dtype = x.dtype
        self._plane_bytes = BLOCK * x.dtype.itemsize
        self._rows = np.ascontiguousarray(np.concatenate([x, y], axis=1))
        self._blocks = _in_blocks(x, y)
        self._ones: list[int] = []
        begin, weights = _HEADER_BYTES, 0
        self.nets: list[int] = []
        self.outputs: list[int] = []
        layers = []
        for n_rows, n_out in architecture.matrix_shapes:
            net = begin
            output = net + n_out * self._plane_bytes
            self._ones.append(output + n_out * self._plane_bytes)
            delta = self._ones[-1] + self._plane_bytes
            begin = delta + n_out * self._plane_bytes
            layers.append([n_rows - 1, n_out, weights, net, output, delta])
            weights += n_rows * n_out
            self.nets.append(net)
            self.outputs.append(output)
        gathered = begin
        self._ones.append(gathered + n_inputs * self._plane_bytes)
        accumulators = gathered + (n_inputs + 1 + self.n_outputs) * self._plane_bytes
        self.scratch_bytes = accumulators + self.dim * _LANES * x.dtype.itemsize
        self._layers = np.array(layers, np.int64)
        fields = {
            "n_samples": self.n_samples,
            "n_inputs": n_inputs,
            "n_outputs": self.n_outputs,
            "divided_by": divided_by,
            "batch": batch or 0,
            "seed": seed,
            "n_layers": len(layers),
            "layers": self._layers.ctypes.data,
            "blocks": self._blocks.ctypes.data,
            "rows": self._rows.ctypes.data,
            "gathered": gathered,
            "accumulators": accumulators,
        }
        self._fields = np.array([fields[name] for name in PROBLEM], np.int64)

    def scratch(self) -> np.ndarray:
        """Return scratch memory for one thread, aligned for vectors, to evaluate all samples or those named."""
        memory = aligned(self.scratch_bytes)
        self.prepare(memory)
        return memory

    def prepare(self, scratch: np.ndarray, *, draws: bool = False) -> np.ndarray:
        """Fill in the constant parts of scratch memory.

        Args:
            scratch: At least `scratch_bytes` bytes, aligned for vectors.
            draws: Whether mini-batches will be drawn.

        Returns:
            Further memory, which must be kept as long as the scratch memory.
        """
        shuffling = np.empty(N_ARRAYS * n_words(self.n_samples) if draws else 0, np.int64)
        values = {"problem": self._fields.ctypes.data, "shuffling": shuffling.ctypes.data, "run": -1}
        header = scratch[:_HEADER_BYTES].view(np.int64)
        header[:] = [values.get(name, 0) for name in SCRATCH]
        for begin in self._ones:
            scratch[begin : begin + self._plane_bytes].view(self.dtype)[:] = 1.0
        return shuffling

    def first_of_planes(self, scratch: np.ndarray, begin: int, n: int) -> np.ndarray:
        """Return the first sample's numbers in `n` planes of scratch memory, `(n,)`."""
        planes = scratch[begin : begin + n * self._plane_bytes].view(self.dtype)
        return planes[::BLOCK].copy()


def _in_blocks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n, n_inputs = x.shape
    n_blocks = -(-n // BLOCK)
    planes = np.zeros((n_inputs + 1 + y.shape[1], n_blocks * BLOCK), x.dtype)
    planes[:n_inputs, :n] = x.T
    planes[n_inputs] = 1.0
    planes[n_inputs + 1 :, :n] = y.T
    return np.ascontiguousarray(planes.reshape(len(planes), n_blocks, BLOCK).transpose(1, 0, 2))
