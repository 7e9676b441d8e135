"""The backward pass of a network for one sample."""

from typing import Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.functions.networks.architecture import Architecture, LossName, Number
from thalweg.functions.networks.delta_rule import Backpropagation, backpropagation
from thalweg.functions.networks.targets import given_samples, targets
from thalweg.lists import StopEarly
from thalweg.settings import Limits
from thalweg.whole_numbers import Seed

Row = tuple[Number, ...]
Matrix = tuple[Row, ...]
Given = Annotated[Row, StopEarly()]


def _row(value: Any) -> Any:
    return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else value


class BackpropRequest(Architecture):
    """A network, its parameters, and a sample to pass through it forward and back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"layers": [2, 2, 1], "activation": "sigmoid", "input": [1, 0], "target": [1]}]
        }
    )

    loss: LossName = "half_sse"
    weights: Annotated[tuple[Matrix, ...], StopEarly()] | None = Field(
        None, description="a matrix for each layer after the first: [i][j] from node i to node j; drawn if left out"
    )
    biases: Annotated[tuple[Row, ...], StopEarly()] | None = Field(
        None, description="a row for each layer after the first; drawn if left out"
    )
    input: Given
    target: Annotated[Given, BeforeValidator(_row, json_schema_input_type=Number | Row)] = Field(
        description="a number for each output; for cross_entropy a 1 at the place of the class, or just its number"
    )
    seed: Seed = Field(0, description="of weights and biases that are drawn")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, given in (("weights", self.weights), ("biases", self.biases)):
            if given is not None:
                self._check_parts(name, given)
        if len(self.input) != self.layers[0]:
            raise InvalidInput(
                f"this has {len(self.input)} numbers, the first layer {self.layers[0]}: give one for each input",
                "input",
            )
        self._target()
        return self

    def _check_parts(self, name: str, given: tuple[Any, ...]) -> None:
        if len(given) != len(self.layers) - 1:
            raise InvalidInput(
                f"there are {len(given)}: give one for each layer after the first, {len(self.layers) - 1}",
                name,
            )
        for index, (part, (n_rows, n_out)) in enumerate(zip(given, self.matrix_shapes, strict=True)):
            rows = part if name == "weights" else (part,)
            if name == "weights" and len(part) != n_rows - 1:
                raise InvalidInput(
                    f"this has {len(part)} rows: give one for each node of the layer before, {n_rows - 1}",
                    name,
                    index,
                )
            for place, row in enumerate(rows):
                if len(row) != n_out:
                    path = (name, index, place) if name == "weights" else (name, index)
                    raise InvalidInput(
                        f"this has {len(row)} numbers: give one for each node of this layer, {n_out}", *path
                    )

    def _target(self) -> np.ndarray:
        try:
            samples = given_samples(self, np.array([self.input]), np.array([self.target]))
        except InvalidInput as error:
            raise InvalidInput(error.detail, "target") from None
        wanted: np.ndarray = targets(self, samples)[0]
        return wanted

    def check_limits(self, limits: Limits) -> None:
        """Check the size of the network.

        Raises:
            LimitExceeded: It has more parameters than a point may have coordinates.
        """
        if self.dim > limits.max_dim:
            raise LimitExceeded(
                f"the network has {self.dim} parameters; this service's limit is {limits.max_dim} (max_dim): take "
                "fewer or smaller layers",
                "layers",
            )

    def backpropagation(self) -> Backpropagation:
        """Return the forward and the backward pass."""
        weights, biases = self.parts(self.starts(1, self.seed)[0])
        point = self.point(self.weights or weights, self.biases or biases)
        return backpropagation(self, point, np.array(self.input), self._target())
