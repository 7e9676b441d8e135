"""What every optimizer and every schedule is: the parameters of a class, named, bounded and frozen."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch.optim.lr_scheduler import LRScheduler

from thalweg.errors import InvalidInput
from thalweg.optimizers.record import Record
from thalweg.whole_numbers import WHOLE

# Strict: pydantic would otherwise turn JSON's true and "0.1" into numbers.
NotNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1e308)]
UpToOne = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
BelowOne = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, lt=1)]
# torch mixes its integers with floats, which hold them exactly up to 2**53 only.
Count = Annotated[int, Field(strict=True, ge=1, le=2**53), WHOLE]
CountFromZero = Annotated[int, Field(strict=True, ge=0, le=2**53), WHOLE]
Flag = Annotated[bool, Field(strict=True)]

LearningRate = Annotated[Positive, Field(exclude=True, description="learning rate")]

_SCHEDULER_DOCS = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler"


def _require_name(schema: dict[str, Any]) -> None:
    # Python may leave it out; in JSON it is what tells the entries apart
    schema["required"] = list(dict.fromkeys(["name", *schema.get("required", [])]))


class Params(BaseModel):
    """The parameters of one class, under the names and with the defaults of its package."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,  # a default of 0 and a 0.0 that is sent then give the same JSON
        json_schema_extra=_require_name,
    )

    title: ClassVar[str]
    paper: ClassVar[str | None] = None
    brief: ClassVar[bool] = False
    """Whether a schema of all entries has its name alone."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Parameters of the class that are not offered, each with the reason as the predicate of a sentence."""

    name: str

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            for parameter, reason in cls.refused.items():
                if parameter in value:
                    raise InvalidInput(f"{parameter} {reason}", parameter)
        return value

    @classmethod
    def docs(cls) -> str:
        """Return the address of the class's documentation."""
        raise NotImplementedError

    @property
    def arguments(self) -> dict[str, Any]:
        """The class's keyword arguments."""
        return {field: getattr(self, field) for field in type(self).model_fields if field != "name"}


class OptimizerParams(Params):
    """An optimizer, with its parameters.

    `lr` is not dumped: a job has one learning rate, which stands beside its optimizer.
    """

    family: ClassVar[str]
    optimizer_class: ClassVar[Callable[..., torch.optim.Optimizer]]
    identity: ClassVar[tuple[str, str, str]]
    """Module and name of the class, and the version of its package; with the arguments they decide its digits."""
    docs_url: ClassVar[str]
    licence: ClassVar[str]
    """The licence of its class, as SPDX names it."""
    rule: ClassVar[Callable[[Mapping[str, Any]], None] | None] = None
    """A check of the arguments against each other, which raises `InvalidInput`."""
    closure: ClassVar[bool] = False
    """Whether a step evaluates the function itself, any number of times."""
    matrices: ClassVar[bool] = False
    """Whether it moves matrices only."""
    whole: ClassVar[bool] = False
    """Whether its code treats matrices, and so a batch, otherwise than vectors, where a probe might not notice."""
    has_foreach: ClassVar[bool] = False
    """Whether its class can move several parameters together."""
    fixed: ClassVar[Mapping[str, Any]] = {}
    """Arguments of the class that are always given, and that no job can set."""
    history: ClassVar[str | None] = None
    """The parameter that says how many past steps are kept."""
    others: ClassVar[Mapping[str, Any]]
    """A value other than the default for each parameter."""
    variants: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """Arguments that a probe tries beside the defaults and `others`."""
    record: ClassVar[Record]

    lr: LearningRate

    @model_validator(mode="after")
    def _check_rule(self) -> Self:
        if (rule := type(self).rule) is not None:
            rule(self.arguments)
        return self

    @classmethod
    def docs(cls) -> str:
        """Return the address of the class's documentation."""
        return cls.docs_url

    @property
    def coupled(self) -> bool:
        """Whether runs cannot share a batch: true until a probe found rows equal to single runs, bit for bit."""
        return self.record.coupled

    def state_values(self, n_coordinates: int, n_tensors: int) -> int:
        """Return the most values that its state takes for so many coordinates in so many tensors."""
        memory = self.record.memory
        values = memory.values(n_coordinates, n_tensors)
        if self.history is None or memory.per_history is None:
            return values
        return values + int(getattr(self, self.history)) * memory.per_history.values(n_coordinates, n_tensors)

    def build(self, params: Iterable[torch.Tensor], *, one_by_one: bool = False) -> torch.optim.Optimizer:
        """Return the optimizer of `params`, in one group.

        Args:
            params: What it moves.
            one_by_one: Have each parameter moved by itself, where the class could move them together.

        Raises:
            ValueError: The class refuses the arguments; `thalweg.optimizers.check` turns that into a sentence.
        """
        how = {"foreach": False} if one_by_one and self.has_foreach else {}
        return type(self).optimizer_class(list(params), **self.arguments, **self.fixed, **how)


class SchedulerParams(Params):
    """A schedule of torch.optim.lr_scheduler: stepped once after every step of the optimizer."""

    torch_class: ClassVar[type[LRScheduler]]
    per_run: ClassVar[bool] = False
    """Whether its `step` takes the run's own f, so that every run needs an optimizer of its own."""
    refused: ClassVar[Mapping[str, str]] = {
        "optimizer": "is the job's own, and cannot be given here",
        "last_epoch": "cannot be given: a job starts its schedule at the first step",
        "verbose": "is no longer a parameter of torch's",
    }

    @classmethod
    def docs(cls) -> str:
        """Return the address of the class's documentation."""
        return f"{_SCHEDULER_DOCS}.{cls.torch_class.__name__}.html"

    @property
    def moves_momentum(self) -> bool:
        """Whether it changes the momentum too."""
        return False

    @property
    def begins_without_momentum(self) -> bool:
        """Whether the first momentum that it sets may be 0."""
        return False

    @property
    def momentum_overshoots(self) -> bool:
        """Whether it may move the momentum out of the range from 0 to 1, by more than a rounding."""
        return False

    @property
    def max_steps(self) -> int | None:
        """The number of steps after which torch raises; None if it never does."""
        return None

    def build(self, optimizer: torch.optim.Optimizer) -> LRScheduler:
        """Return torch's schedule for `optimizer`, whose parameter groups it changes at once.

        Raises:
            ValueError: torch refuses the arguments; `thalweg.optimizers.check` turns that into a sentence.
        """
        torch_class: Any = self.torch_class
        scheduler: LRScheduler = torch_class(optimizer, **self.arguments)
        return scheduler


def describe(cls: type[OptimizerParams] | type[SchedulerParams]) -> dict[str, Any]:
    """Return an entry as the API lists it: name, title, schema of its parameters, sources, and its facts."""
    schema = cls.model_json_schema()
    # a model that contains itself is a reference into its own definitions
    own = schema["$defs"][cls.__name__] if "$ref" in schema else schema
    defs = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    entry = {
        "name": cls.model_fields["name"].default,
        "title": cls.title,
        "parameters": {
            "type": "object",
            "description": own["description"],
            "properties": {key: value for key, value in own["properties"].items() if key != "name"},
            "required": [key for key in own["required"] if key != "name"],
            "additionalProperties": False,
            **defs,
        },
        "source": f"{cls.docs()} ; {cls.paper}" if cls.paper else cls.docs(),
    }
    if issubclass(cls, OptimizerParams):
        facts = {
            "family": cls.family,
            "licence": cls.licence,
            "matrices_only": cls.matrices,
            "fused": cls.record.unfused is None,
        }
        return entry | facts
    return entry
