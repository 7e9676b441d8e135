"""The architecture of a network, its forward pass, and the layout of its parameters in a point."""

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


class OneOf:
    """Restricts a pydantic field of type str to the names in `entries`.

    Args:
        entries: The names, or a mapping with these keys.
        kind: The noun for an entry in error messages.
    """

    def __init__(self, entries: Iterable[str], kind: str) -> None:
        self._entries = tuple(entries)
        self._kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.pick, handler(source))

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._entries)}

    def pick(self, name: str) -> str:
        """Return `name` if it is one of the entries.

        Raises:
            InvalidInput: It is not; the detail lists the entries.
        """
        if name in self._entries:
            return name
        close = get_close_matches(name[:50].lower(), self._entries, n=1)
        hint = f": did you mean {close[0]}?" if close else "."
        raise InvalidInput(f"unknown {self._kind} {name[:50]!r}{hint} Use one of {', '.join(self._entries)}")


ActivationName = Annotated[str, OneOf(ACTIVATIONS, "activation")]
OutputActivationName = Annotated[str, OneOf([*ACTIVATIONS, "softmax"], "activation")]
WeightInitName = Annotated[str, OneOf(WEIGHT_INITS, "weight_init")]
LossName = Annotated[str, OneOf(LOSSES, "loss")]


class Architecture(BaseModel):
    """A fully connected feedforward network and its loss.

    A point holds a matrix for each layer after the input layer, flattened row by row: entry (i, j) is the weight
    from node i to node j, W_ij of the delta rule, and the last row holds the biases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: Annotated[tuple[Width, ...], Field(min_length=2, max_length=65), StopEarly()] = Field(
        description="number of nodes in each layer, from inputs to outputs"
    )
    activation: ActivationName = Field("sigmoid", description="activation of the hidden layers")
    output_activation: OutputActivationName | None = Field(
        None,
        description="activation of the output layer: sigmoid for bce, softmax for cross_entropy; otherwise by "
        "default that of the hidden layers, or identity for a data set without classes",
    )
    loss: LossName = Field("mse", description="the error of a sample; training minimises the mean over samples")
    weight_init: WeightInitName = Field(
        "torch", description="the distribution from which random starting points are drawn"
    )

    @model_validator(mode="after")
    def _outputs(self) -> Self:
        belongs = LOSSES[self.loss].output_activation
        if belongs is not None and self.output_activation not in {None, belongs}:
            raise InvalidInput(
                f"{self.loss} requires {belongs} outputs, not {self.output_activation}: omit output_activation",
                "output_activation",
            )
        if belongs is None and self.output_activation == "softmax":
            raise InvalidInput("softmax outputs require the loss cross_entropy", "output_activation")
        if self.loss == "cross_entropy" and self.layers[-1] < 2:
            raise InvalidInput(
                "cross_entropy needs an output per class, at least 2: with one output, use bce",
                "layers",
                len(self.layers) - 1,
            )
        if self.output_activation is None:
            # the model is frozen once it is constructed
            self.__dict__["output_activation"] = belongs or self._free_output_activation()
        return self

    def _free_output_activation(self) -> str:
        return str(self.activation)

    @property
    def matrix_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of the matrices in a point."""
        return tuple((n_in + 1, n_out) for n_in, n_out in pairwise(self.layers))

    @property
    def dim(self) -> int:
        """Number of parameters."""
        return sum(n_rows * n_columns for n_rows, n_columns in self.matrix_shapes)

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation of each layer after the input layer."""
        return (self.activation,) * (len(self.layers) - 2) + (str(self.output_activation),)

    def starts(self, n: int, seed: int) -> np.ndarray:
        """Return points drawn from `weight_init`, float64, `(n, dim)`; row k does not depend on n."""
        return draw(self.weight_init, self.matrix_shapes, n, seed)

    def parts(self, point: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the weights, each `(n_in, n_out)`, and biases, each `(n_out,)`, of a point `(dim,)`."""
        cuts = np.cumsum([n_rows * n_columns for n_rows, n_columns in self.matrix_shapes])[:-1]
        whole = [part.reshape(shape) for part, shape in zip(np.split(point, cuts), self.matrix_shapes, strict=True)]
        return [matrix[:-1] for matrix in whole], [matrix[-1] for matrix in whole]

    def point(self, weights: Sequence[Any], biases: Sequence[Any]) -> np.ndarray:
        """Return the point, float64, `(dim,)`, with these weights and biases; the inverse of `parts`."""
        rows = [
            np.concatenate([np.ravel(matrix), np.ravel(bias)]) for matrix, bias in zip(weights, biases, strict=True)
        ]
        return np.concatenate(rows).astype(np.float64)


def with_ones(inputs: torch.Tensor) -> torch.Tensor:
    """Append a 1 to each of the inputs `(..., k)`, as the factor of the bias: `(..., k + 1)`."""
    return torch.cat([inputs, inputs.new_ones((*inputs.shape[:-1], 1))], dim=-1)


def last_nets(architecture: Architecture, points: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Return the net inputs of the output layer, `(n, s, n_outputs)`, in torch's operations.

    The digits of a network are those of native code; this is for second derivatives, and to check the first.

    Args:
        architecture: The network.
        points: Its parameters, `(n, dim)`.
        inputs: Samples with a 1 appended, of the points' dtype: `(s, n_inputs + 1)` for all points, or
            `(n, s, n_inputs + 1)`.
    """
    n = len(points)
    incoming = inputs.expand(n, *inputs.shape[-2:])
    *hidden, last = torch.split(points, [n_in * n_out for n_in, n_out in architecture.matrix_shapes], dim=-1)
    activation = ACTIVATIONS[architecture.activation].value
    for rows, shape in zip(hidden, architecture.matrix_shapes[:-1], strict=True):
        incoming = with_ones(activation(torch.bmm(incoming, rows.reshape(n, *shape))))
    return torch.bmm(incoming, last.reshape(n, *architecture.matrix_shapes[-1]))


def outputs(architecture: Architecture, nets: torch.Tensor) -> torch.Tensor:
    """Return the outputs of the network from the net inputs of its last layer, `(..., n_outputs)`."""
    name = str(architecture.output_activation)
    return softmax(nets) if name == "softmax" else ACTIVATIONS[name].value(nets)


def errors(architecture: Architecture, nets: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the error of each sample, `(n, s)`, from the net inputs of the last layer."""
    loss = LOSSES[architecture.loss]
    return loss.error(nets if loss.output_activation else outputs(architecture, nets), targets)
