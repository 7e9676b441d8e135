"""A network and its data set as specified by a client."""

from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, TypeAdapter, model_validator

from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.functions.forms import ByLooks
from thalweg.functions.networks.architecture import Architecture, Number, OneOf
from thalweg.functions.networks.datasets import DATASETS, Samples, generated, output_activation_for
from thalweg.functions.networks.objective import NetworkObjective
from thalweg.functions.networks.targets import check_classes, given_samples
from thalweg.lists import StopEarly
from thalweg.whole_numbers import WHOLE, Seed

MOST_SAMPLES = 100_000
MOST_TARGETS = 10_000_000

_NAMES = OneOf(DATASETS, "data set")

Rows = Annotated[tuple[tuple[Number, ...], ...], Field(max_length=MOST_SAMPLES), StopEarly()]
Column = Annotated[tuple[Number, ...], Field(max_length=MOST_SAMPLES), StopEarly()]

_ROWS: TypeAdapter[tuple[tuple[float, ...], ...]] = TypeAdapter(Rows)
_COLUMN: TypeAdapter[tuple[float, ...]] = TypeAdapter(Column)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GeneratedData(_Part):
    """A generated data set."""

    name: Annotated[str, _NAMES]
    n: Annotated[int, Field(strict=True, ge=2, le=MOST_SAMPLES), WHOLE] | None = Field(
        None, description="number of samples"
    )
    noise: Annotated[float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False)] | None = Field(
        None, description="standard deviation of the noise: on the inputs of classes, on the output for regression"
    )
    classes: Annotated[int, Field(strict=True, ge=2, le=100), WHOLE] | None = Field(
        None, description="number of classes, for blobs and spiral"
    )
    seed: Seed = 0

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        entry = DATASETS[self.name]
        if self.classes is not None and not entry.any_classes and self.classes != entry.classes:
            has = "no classes" if entry.classes is None else f"{entry.classes} classes"
            raise InvalidInput(f"{self.name} always has {has}: omit this field", "classes")
        filled = {"n": entry.n, "noise": entry.noise, "classes": entry.classes}
        # the model is frozen once it is constructed
        self.__dict__.update({name: value for name, value in filled.items() if getattr(self, name) is None})
        return self

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.n or 0

    @property
    def n_inputs(self) -> int:
        """Dimension of an input."""
        return DATASETS[self.name].n_inputs

    def check(self, architecture: Architecture) -> None:
        """Check that the data set fits a network.

        Raises:
            InvalidInput: Its layers or its loss do not fit.
        """
        if self.classes is not None:
            check_classes(architecture, self.classes)
        elif architecture.loss in {"bce", "cross_entropy"}:
            raise InvalidInput(f"{architecture.loss} needs classes, and {self.name} has none: use mse", "loss")
        elif architecture.layers[-1] != 1:
            raise InvalidInput(
                f"{self.name} has one output: end layers with 1", "layers", len(architecture.layers) - 1
            )

    def classes_for(self, _architecture: Architecture) -> int | None:
        """Return how many classes there are; None where the outputs are not classes."""
        return self.classes

    def samples(self, _architecture: Architecture) -> Samples:
        """Return the samples."""
        return generated(self.name, self.n_samples, self.noise or 0.0, self.classes, self.seed)


def _flat_or_rows(value: Any) -> tuple[float, ...] | tuple[tuple[float, ...], ...]:
    rows = isinstance(value, list | tuple) and len(value) > 0 and isinstance(value[0], list | tuple)
    return _ROWS.validate_python(value) if rows else _COLUMN.validate_python(value)


class GivenData(_Part):
    """Samples given in full."""

    x: Rows = Field(description="inputs, one list per sample")
    y: Annotated[
        Column | Rows,
        PlainValidator(_flat_or_rows, json_schema_input_type=Column | Rows),
        PlainSerializer(lambda y: y, return_type=tuple[float, ...] | tuple[tuple[float, ...], ...]),
    ] = Field(
        description="outputs, one list per sample, or one number if there is a single output; for cross_entropy "
        "class indices from 0, or one-hot lists"
    )

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        self._check_rows("x", self.x)
        if self.y and isinstance(self.y[0], tuple):
            self._check_rows("y", self.y)
        if len(self.y) != len(self.x):
            raise InvalidInput(
                f"there are {len(self.x)} inputs but {len(self.y)} outputs: give one output per input", "y"
            )
        return self

    @staticmethod
    def _check_rows(name: str, rows: tuple[Any, ...]) -> None:
        if not rows or not rows[0]:
            raise InvalidInput("give at least one sample of at least one number", name)
        for index, row in enumerate(rows):
            if len(row) != len(rows[0]):
                raise InvalidInput(
                    f"this row has {len(row)} numbers, but the first has {len(rows[0])}", name, index
                )

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.x)

    @property
    def n_inputs(self) -> int:
        """Dimension of an input."""
        return len(self.x[0])

    def check(self, architecture: Architecture) -> None:
        """Check that the data set fits a network.

        Raises:
            InvalidInput: Its layers or its loss do not fit.
        """
        self.samples(architecture)

    def classes_for(self, architecture: Architecture) -> int | None:
        """Return how many classes the outputs can be read as; None where they cannot."""
        return self.samples(architecture).classes

    def samples(self, architecture: Architecture) -> Samples:
        """Return the samples, with classes if y can be interpreted so."""
        try:
            return given_samples(architecture, np.array(self.x), np.array(self.y).reshape(len(self.y), -1))
        except InvalidInput as error:
            raise InvalidInput(error.detail, "dataset", *error.path) from None


_GENERATED: TypeAdapter[GeneratedData] = TypeAdapter(GeneratedData)


def _dataset(value: Any) -> GeneratedData | GivenData:
    match value:
        case GeneratedData() | GivenData():
            return value
        case str():
            return GeneratedData(name=_NAMES.pick(value))
        case {"name": _}:
            return GeneratedData.model_validate(value)
        case {"x": _} | {"y": _}:
            return GivenData.model_validate(value)
    raise InvalidInput(
        f'give one of {", ".join(DATASETS)}, or {{"name": ..., "n": ..., "noise": ...}}, '
        'or {"x": [[...], ...], "y": [[...], ...]}'
    )


Dataset = Annotated[
    GeneratedData | GivenData,
    ByLooks(_dataset, TypeAdapter(Annotated[str, _NAMES] | GeneratedData | GivenData)),
]


class Network(Architecture):
    """A network and the data set to train it on."""

    dataset: Dataset
    batch_size: Annotated[int, Field(strict=True, ge=1, le=MOST_SAMPLES), WHOLE] | None = Field(
        None, description="samples per mini-batch, drawn separately for each run; by default all samples"
    )
    seed: Seed = Field(0, description="seed of the mini-batches")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.layers[0] != self.dataset.n_inputs:
            raise InvalidInput(
                f"the data set has {self.dataset.n_inputs} inputs, but the first layer has {self.layers[0]} nodes",
                "layers",
                0,
            )
        self.dataset.check(self)
        if (n_targets := self.dataset.n_samples * self.layers[-1]) > MOST_TARGETS:
            raise LimitExceeded(
                f"{self.dataset.n_samples} samples of {self.layers[-1]} outputs are {n_targets} targets, over the "
                f"limit of {MOST_TARGETS}: use fewer samples or a smaller last layer",
                "dataset",
            )
        if self.batch_size is not None and self.batch_size > self.dataset.n_samples:
            raise InvalidInput(
                f"a mini-batch cannot be larger than the data set, which has {self.dataset.n_samples} samples",
                "batch_size",
            )
        return self

    def _free_output_activation(self) -> str:
        return output_activation_for(self.dataset.classes_for(self)) or self.activation

    @cached_property
    def objective(self) -> NetworkObjective:
        """The loss that training minimises."""
        return NetworkObjective(self, self.dataset.samples(self), self.batch_size, self.seed)


class NetworkReference(_Part):
    """A network as a job's function."""

    mlp: Network

    @property
    def name(self) -> str:
        """The name of all networks in lists."""
        return "mlp"

    @property
    def dim(self) -> int:
        """Number of parameters of the network."""
        return self.mlp.dim

    def objective(self, dim: int | None = None) -> NetworkObjective:
        """Return the objective, which is cached.

        Raises:
            InvalidInput: `dim` is not the number of parameters.
        """
        if dim not in {None, self.dim}:
            raise InvalidInput(
                f"the network has {self.dim} parameters (a matrix of weights and a row of biases for each layer "
                f"after the first), but the points have {dim} coordinates"
            )
        return self.mlp.objective

    def bound(self, _dim: int) -> Self:
        """Return the reference itself: the layers determine the dimension."""
        return self
