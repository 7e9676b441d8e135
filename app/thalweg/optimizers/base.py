"""What every optimizer and every schedule is: torch's parameters, named, bounded and frozen."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch.optim.lr_scheduler import LRScheduler

from thalweg.errors import InvalidInput
from thalweg.whole_numbers import WHOLE

# Strict: JSON's true and "0.1" are no numbers, although Python would turn them into some.
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=1e308)]
UpToOne = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
BelowOne = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, lt=1)]
# torch mixes its integers with floats, which hold them exactly up to 2**53 only.
Count = Annotated[int, Field(strict=True, ge=1, le=2**53), WHOLE]
CountFromZero = Annotated[int, Field(strict=True, ge=0, le=2**53), WHOLE]
Flag = Annotated[bool, Field(strict=True)]

LearningRate = Annotated[Positive, Field(exclude=True, description="learning rate")]

_DOCS = "https://docs.pytorch.org/docs/stable/generated"
_SWITCH = "chooses how torch computes, not what: the engine decides it, and the result means the same. Leave it out"


def _require_name(schema: dict[str, Any]) -> None:
    # it has a default for Python; in JSON it is what tells the entries apart
    schema["required"] = list(dict.fromkeys(["name", *schema.get("required", [])]))


class Params(BaseModel):
    """The parameters of one class of torch, under torch's names and with torch's defaults."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,  # torch's default 0 and a 0.0 that is sent are then one and the same JSON
        json_schema_extra=_require_name,
    )

    namespace: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str | None] = None
    refused: ClassVar[Mapping[str, str]] = {}
    """Parameters that torch takes and this does not: why not, each the end of a sentence."""

    name: str

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            for parameter, reason in cls.refused.items():
                if parameter in value:
                    raise InvalidInput(f"{parameter} {reason}", parameter)
        return value

    @property
    def arguments(self) -> dict[str, Any]:
        """Torch's arguments by name."""
        return {field: getattr(self, field) for field in type(self).model_fields if field != "name"}


class OptimizerParams(Params):
    """An optimizer of torch.optim.

    `lr` is left out of what is dumped: a job has one learning rate, and it stands beside its optimizer.
    """

    namespace = "torch.optim"
    torch_class: ClassVar[type[torch.optim.Optimizer]]
    rowwise: ClassVar[bool] = True
    """Whether points that are the rows of one tensor get, bit for bit, what each gets alone."""
    closure: ClassVar[bool] = False
    """Whether a step evaluates the function itself, as often as it likes."""
    matrices: ClassVar[bool] = False
    """Whether it moves matrices only."""
    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("foreach", "fused", "capturable", "differentiable"), _SWITCH
    )

    lr: LearningRate

    @property
    def n_memory(self) -> int:
        """Numbers that it keeps, at most, for each coordinate that it moves."""
        return 3

    def build(self, params: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
        """Return torch's optimizer of `params`, in one group.

        Raises:
            ValueError: torch refuses the parameters; `thalweg.optimizers.check` turns that into a sentence.
        """
        torch_class: Any = self.torch_class
        optimizer: torch.optim.Optimizer = torch_class(list(params), **self.arguments)
        return optimizer


class SchedulerParams(Params):
    """A schedule of torch.optim.lr_scheduler: stepped once after every step of the optimizer."""

    namespace = "torch.optim.lr_scheduler"
    torch_class: ClassVar[type[LRScheduler]]
    per_run: ClassVar[bool] = False
    """Whether its `step` takes the run's own f, so that every run needs an optimizer of its own."""
    refused: ClassVar[Mapping[str, str]] = {
        "optimizer": "is the job's own, and cannot be given here",
        "last_epoch": "is where the schedule is, and a job begins at its beginning",
        "verbose": "is not known to torch any longer",
    }

    @property
    def moves_momentum(self) -> bool:
        """Whether it moves more than the learning rate."""
        return False

    @property
    def max_steps(self) -> int | None:
        """The most steps it can be taken through before torch raises; None if it never does."""
        return None

    def build(self, optimizer: torch.optim.Optimizer) -> LRScheduler:
        """Return torch's schedule for `optimizer`, whose parameter groups it changes at once.

        Raises:
            ValueError: torch refuses; `thalweg.optimizers.check` turns that into a sentence.
        """
        torch_class: Any = self.torch_class
        scheduler: LRScheduler = torch_class(optimizer, **self.arguments)
        return scheduler


def describe(cls: type[OptimizerParams] | type[SchedulerParams]) -> dict[str, Any]:
    """Return an entry as the API lists it: name, title, schema of its parameters, source, what it moves."""
    schema = cls.model_json_schema()
    # one that contains itself is a reference into its own definitions
    own = schema["$defs"][cls.__name__] if "$ref" in schema else schema
    defs = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    docs = f"{_DOCS}/{cls.namespace}.{cls.torch_class.__name__}.html"
    return {
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
        "source": f"{docs} ; {cls.paper}" if cls.paper else docs,
        **({"matrices_only": cls.matrices} if issubclass(cls, OptimizerParams) else {}),
    }
