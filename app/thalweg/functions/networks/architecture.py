"""The nodes of a network, what they compute, and how its parameters lie in a point."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Annotated, Any, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from thalweg.errors import InvalidInput
from thalweg.functions.networks.activations import ACTIVATIONS, softmax
from thalweg.functions.networks.losses import LOSSES
from thalweg.functions.networks.weights import WEIGHT_INITS, draw
from thalweg.lists import StopEarly
from thalweg.whole_numbers import WHOLE

Width = Annotated[int, Field(strict=True, ge=1, le=100_000), WHOLE]
Number = Annotated[float, Field(strict=True, ge=-1e308, le=1e308, allow_inf_nan=False)]

# torch multiplies matrices of fewer products than this itself, and larger ones by a library whose roundings
# depend on where a row begins in memory, and on whether there is a single column
_PRODUCTS_OF_LIBRARY = 400
_COLUMNS_OF_LIBRARY = 4


class OneOf:
    """Makes a pydantic field of type str take a name in `entries` only.

    Args:
        entries: The names, or what has them as keys.
        kind: What an entry is called in a sentence.
    """

    def __init__(self, entries: Iterable[str], kind: str) -> None:
        self._entries = tuple(entries)
        self._kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.pick, handler(source))

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._entries)}

    def pick(self, name: str) -> str:
        """Return `name`, which must be one of the entries.

        Raises:
            InvalidInput: It is not; the detail names those that are.
        """
        if name in self._entries:
            return name
        close = get_close_matches(name[:50].lower(), self._entries, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise InvalidInput(f"there is no {self._kind} {name[:50]!r}; {hint}there are {', '.join(self._entries)}")


ActivationName = Annotated[str, OneOf(ACTIVATIONS, "activation")]
OutputActivationName = Annotated[str, OneOf([*ACTIVATIONS, "softmax"], "activation")]
WeightInitName = Annotated[str, OneOf(WEIGHT_INITS, "weight_init")]
LossName = Annotated[str, OneOf(LOSSES, "loss")]


class Architecture(BaseModel):
    """A fully connected feedforward network and its loss.

    A parameter point holds a matrix for each layer behind the first, one after the other, rows first: entry (i, j)
    is the weight from node i to node j, as in the delta rule's W_ij, and the last row holds the biases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: Annotated[tuple[Width, ...], Field(min_length=2, max_length=65), StopEarly()] = Field(
        description="nodes of each layer, from the inputs to the outputs"
    )
    activation: ActivationName = Field("sigmoid", description="of the hidden layers")
    output_activation: OutputActivationName | None = Field(
        None,
        description="of the last layer: sigmoid with bce, softmax with cross_entropy; else by default the hidden "
        "layers' own, and identity where a data set has no classes",
    )
    loss: LossName = Field("mse", description="the error of one sample; over several, their mean")
    weight_init: WeightInitName = Field("torch", description="the distribution that starts are drawn from")

    @model_validator(mode="after")
    def _outputs(self) -> Self:
        belongs = LOSSES[self.loss].output_activation
        if belongs is not None and self.output_activation not in {None, belongs}:
            raise InvalidInput(
                f"{self.loss} is defined with {belongs} outputs, not with {self.output_activation}: leave "
                "output_activation out",
                "output_activation",
            )
        if belongs is None and self.output_activation == "softmax":
            raise InvalidInput("softmax belongs to the loss cross_entropy", "output_activation")
        if self.loss == "cross_entropy" and self.layers[-1] < 2:
            raise InvalidInput(
                "cross_entropy has an output for each class, at least 2; with one output take bce",
                "layers",
                len(self.layers) - 1,
            )
        if self.output_activation is None:
            # frozen for everyone but its own construction
            self.__dict__["output_activation"] = belongs or self._free_output_activation()
        return self

    def _free_output_activation(self) -> str:
        return str(self.activation)

    @property
    def matrix_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of the matrices that a parameter point consists of."""
        return tuple((n_in + 1, n_out) for n_in, n_out in pairwise(self.layers))

    @property
    def dim(self) -> int:
        """How many parameters there are."""
        return sum(n_rows * n_columns for n_rows, n_columns in self.matrix_shapes)

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation of each layer behind the first."""
        return (self.activation,) * (len(self.layers) - 2) + (str(self.output_activation),)

    def starts(self, n: int, seed: int) -> np.ndarray:
        """Return parameter points drawn as `weight_init` says, float64, `(n, dim)`; row k is the same for any n."""
        return draw(self.weight_init, self.matrix_shapes, n, seed)

    def parts(self, point: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the weights, each `(n_in, n_out)`, and biases, each `(n_out,)`, of a point `(dim,)`."""
        cuts = np.cumsum([n_rows * n_columns for n_rows, n_columns in self.matrix_shapes])[:-1]
        whole = [part.reshape(shape) for part, shape in zip(np.split(point, cuts), self.matrix_shapes, strict=True)]
        return [matrix[:-1] for matrix in whole], [matrix[-1] for matrix in whole]

    def point(self, weights: Sequence[Any], biases: Sequence[Any]) -> np.ndarray:
        """Return the point, float64, `(dim,)`, of these weights and biases; the inverse of `parts`."""
        rows = [
            np.concatenate([np.ravel(matrix), np.ravel(bias)]) for matrix, bias in zip(weights, biases, strict=True)
        ]
        return np.concatenate(rows).astype(np.float64)


def with_ones(inputs: torch.Tensor) -> torch.Tensor:
    """Return inputs `(..., k)` with a 1 behind each, `(..., k + 1)`, which is what biases are multiplied by."""
    return torch.cat([inputs, inputs.new_ones((*inputs.shape[:-1], 1))], dim=-1)


def last_nets(architecture: Architecture, points: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Return the net inputs of the last layer, `(n, s, n_outputs)`.

    On one thread, a point and its gradient get the same bits alone and as a row of a batch.

    Args:
        architecture: The network.
        points: Its parameters, `(n, dim)`.
        inputs: Samples with a 1 behind each, of the points' dtype: `(s, n_inputs + 1)`, the same for all points,
            or `(n, s, n_inputs + 1)`.
    """
    n = len(points)
    incoming = inputs.expand(n, *inputs.shape[-2:])
    *hidden, last = torch.split(points, [n_in * n_out for n_in, n_out in architecture.matrix_shapes], dim=-1)
    activation = ACTIVATIONS[architecture.activation].value
    for rows, shape in zip(hidden, architecture.matrix_shapes[:-1], strict=True):
        incoming = with_ones(activation(_products(incoming, rows.reshape(n, *shape))))
    return _products(incoming, last.reshape(n, *architecture.matrix_shapes[-1]))


def outputs(architecture: Architecture, nets: torch.Tensor) -> torch.Tensor:
    """Return the outputs of the last layer from its net inputs, `(..., n_outputs)`."""
    name = str(architecture.output_activation)
    return softmax(nets) if name == "softmax" else ACTIVATIONS[name].value(nets)


def errors(architecture: Architecture, nets: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the error of each sample, `(n, s)`, from the net inputs of the last layer."""
    loss = LOSSES[architecture.loss]
    return loss.error(nets if loss.output_activation else outputs(architecture, nets), targets)


def n_products(architecture: Architecture, n_samples: int) -> int:
    """Return how many products the largest layer multiplies for so many samples."""
    return n_samples * max(n_rows * n_columns for n_rows, n_columns in architecture.matrix_shapes)


def multiplies_itself(products: int) -> bool:
    """Whether torch multiplies matrices with so many products itself, one after the other."""
    return products < _PRODUCTS_OF_LIBRARY


def _products(incoming: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Return incoming `(n, s, k)` times matrices `(n, k, m)`, each product with the bits that it has alone."""
    n_columns = matrices.shape[-1]
    if multiplies_itself(incoming.shape[-2] * matrices.shape[-2] * n_columns):
        return torch.bmm(incoming, matrices)
    # new memory, rows of which begin at multiples of 16 bytes
    padded = torch.constant_pad_nd(matrices, (0, -n_columns % _COLUMNS_OF_LIBRARY))
    return torch.bmm(incoming, padded)[..., :n_columns]
