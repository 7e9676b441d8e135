"""The job specification: one document, from the client who writes it to the engine that runs it."""

from typing import Annotated, Any, Literal, Self

import numpy as np
import orjson
import torch
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator

from thalweg.errors import InvalidInput
from thalweg.functions.base import Objective
from thalweg.functions.networks.objective import NetworkObjective
from thalweg.lists import StopEarly
from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.catalogue import Optimizer
from thalweg.optimizers.check import check
from thalweg.optimizers.schedules import Scheduler
from thalweg.optimizers.state import state_vectors
from thalweg.settings import Limits
from thalweg.spec.engine_choice import EngineName, is_wide, obstacle
from thalweg.spec.function import CatalogueReference, FunctionField, FunctionReference, check_dim, objective_of
from thalweg.spec.starts import Grid, Init, Points, Random
from thalweg.whole_numbers import WHOLE, Seed

_NEGATIVE_ZERO = b"-0.0"

SPEC_VERSION = (
    1  # of the documents that `JobSpec.text` writes; incremented when an old one would change its meaning
)

Count = Annotated[int, Field(strict=True, ge=1, le=2**53), WHOLE]
Positive = Annotated[float, Field(strict=True, gt=0, le=1e308, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(strict=True, ge=0, le=1e308, allow_inf_nan=False)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stop(_Part):
    """When a run has converged: at the first entry that meets one of these conditions."""

    grad_norm: NotNegative | None = Field(None, description="Euclidean norm of the gradient at most this")
    f: Real | None = Field(None, description="value at most this")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.grad_norm is None and self.f is None:
            raise InvalidInput("give grad_norm, f or both, or leave stop out")
        return self


class GradientNoise(_Part):
    """Normal noise, added to every gradient before it is clipped."""

    std: NotNegative = Field(description="standard deviation")
    seed: Seed = 0


class Recorded(_Part):
    """What is recorded of each entry beside the point and the value."""

    gradient: Flag = Field(default=False, description="the gradient at the point, before noise and clipping")
    update: Flag = Field(default=False, description="the step taken to the point")
    state: Flag = Field(default=False, description="what the optimizer keeps for each coordinate")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not (self.gradient or self.update or self.state):
            raise InvalidInput("ask for gradient, update or state, or leave record out")
        return self


class JobSpec(_Part):
    """What to minimise, with which optimizer, from where and for how long.

    An instance is valid: names are resolved, dimensions agree, and torch has accepted the optimizer and the
    scheduler. Limits of a service are checked separately.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "function": "himmelblau",
                    "optimizer": "adam",
                    "lr": 0.001,
                    "init": [[0, 0], [4, 0], [-4, 0]],
                    "steps": 20000,
                }
            ]
        }
    )

    function: FunctionField
    optimizer: Optimizer
    lr: Positive | None = Field(None, description="learning rate; torch's default if left out")
    init: Init
    steps: Count
    dtype: Literal["float64", "float32"] = "float64"
    scheduler: Scheduler | None = None
    record_every: Count = Field(1, description="record every so many steps; the first and last always")
    record: Recorded | None = Field(None, description="what to record beside points and values")
    stop: Stop | None = None
    clip_grad_norm: Positive | None = Field(None, description="largest norm of a run's gradient")
    gradient_noise: GradientNoise | None = None
    engine: Literal["auto", "eager", "fused"] = Field(
        "auto", description="fused is native code, eager is torch's own loop; auto takes fused wherever it can"
    )
    timeout_s: Annotated[Positive, Field(le=1e9)] | None = Field(
        None, description="seconds after which the runs end with what they have"
    )
    label: Text | None = None
    tags: Annotated[tuple[Tag, ...], Field(max_length=20), StopEarly()] = ()

    @model_validator(mode="after")
    def _normalise(self, info: ValidationInfo) -> Self:
        function = self._with_dim()
        if isinstance(info.context, Limits):  # posted to a service: refuse before anything as large as dim is made
            check_dim(self.init.dim or function.dim or 0, function, info.context)
        optimizer = self._with_lr()
        # frozen for everyone but its own construction
        self.__dict__.update(
            function=function,
            optimizer=optimizer,
            lr=optimizer.lr,
            init=self._with_box(function),
            tags=tuple(dict.fromkeys(self.tags)),
        )
        if optimizer.matrices and not self.objective().matrix_shapes:
            raise InvalidInput(
                f"{optimizer.name} moves matrices, and a point of this function is a vector: it is for networks",
                "optimizer",
            )
        check(optimizer, self.scheduler, getattr(torch, self.dtype))
        self.check_schedule(self.steps)
        self._check_float32()
        if self.engine == "fused" and (reason := self.obstacle) is not None:
            raise InvalidInput(
                f"this job cannot run on the fused engine: {reason}; leave engine out to take eager", "engine"
            )
        return self

    def _with_dim(self) -> FunctionReference:
        dim = self.init.dim or self.function.dim
        objective = objective_of(self.function, dim, "init" if self.init.dim else None)
        if dim is None and isinstance(self.function, CatalogueReference) and self.function.any_dim:
            raise InvalidInput(
                f"{self.function.name} takes points of any dimension: say which, as in "
                f'{{"name": "{self.function.name}", "dim": 2}}, or give init low and high',
                "function",
            )
        return self.function.bound(objective.dim)

    def _with_lr(self) -> OptimizerParams:
        if self.lr is None:
            return self.optimizer
        if "lr" in self.optimizer.model_fields_set and self.optimizer.lr != self.lr:
            raise InvalidInput(
                f"lr is given twice, as {self.lr} and, in the optimizer, as {self.optimizer.lr}", "lr"
            )
        return self.optimizer.model_copy(update={"lr": self.lr})

    def _with_box(self, function: FunctionReference) -> Points | Grid | Random:
        if not isinstance(self.init, Random) or self.init.low is not None or self._drawn_by is not None:
            return self.init
        if (domain := function.objective().domain) is None:
            raise InvalidInput(
                "the function has no domain to draw starts from: give init low and high, or the function a domain",
                "init",
            )
        low, high = zip(*domain, strict=True)
        return self.init.model_copy(update={"low": low, "high": high})

    @property
    def _drawn_by(self) -> NetworkObjective | None:
        """The network whose weight initialisation draws the starts; None where `init` says them."""
        without_box = isinstance(self.init, Random) and self.init.low is None
        return self.network if without_box else None

    def _check_float32(self) -> None:
        if self._drawn_by is not None:
            return
        ends = self.init.ends()
        if self.dtype == "float32" and np.abs(ends).max() > np.finfo(np.float32).max:
            raise InvalidInput("a starting point is beyond the range of float32", "init")

    def check_schedule(self, steps: int) -> None:
        """Check that the scheduler lasts for `steps` steps.

        Raises:
            InvalidInput: It ends before.
        """
        if self.scheduler is not None and (most := self.scheduler.max_steps) is not None and steps > most:
            raise InvalidInput(
                f"the scheduler ends after {most} steps and the job has {steps}: let the scheduler last as long",
                "scheduler",
            )

    def objective(self) -> Objective:
        """Return the objective that is minimised."""
        return self.function.objective()

    @property
    def network(self) -> NetworkObjective | None:
        """The network that is trained; None if the function is not one."""
        objective = self.objective()
        return objective if isinstance(objective, NetworkObjective) else None

    @property
    def details(self) -> dict[str, int]:
        """What is recorded of an entry beside its point and value: names, and how many numbers each has."""
        if self.record is None:
            return {}
        state = state_vectors(self.optimizer) if self.record.state else ()
        asked = {"gradient": self.record.gradient, "update": self.record.update}
        names = [*(name for name, wanted in asked.items() if wanted), *(f"state.{name}" for name in state)]
        return dict.fromkeys(names, self.dim)

    @property
    def entry_values(self) -> int:
        """How many numbers are recorded of an entry."""
        return 1 + self.dim + sum(self.details.values())

    @property
    def records_losses(self) -> bool:
        """Whether the loss is recorded at every step, beside a sparser trajectory."""
        return self.record_every > 1 and self.network is not None

    @property
    def obstacle(self) -> str | None:
        """Why the fused engine cannot run this, as a sentence; None if it can."""
        return obstacle(self.optimizer, self.scheduler, self.objective())

    @property
    def coupled(self) -> bool:
        """Whether every run needs an optimizer of its own."""
        return self.optimizer.coupled or (self.scheduler is not None and self.scheduler.per_run)

    @property
    def wide(self) -> bool:
        """Whether the fused engine takes the runs one by one, with loops over their coordinates."""
        return is_wide(self.optimizer, self.objective())

    @property
    def chosen_engine(self) -> EngineName:
        """The engine that runs this job."""
        return "eager" if self.engine == "eager" or self.obstacle is not None else "fused"

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return self.objective().dim

    @property
    def n_runs(self) -> int:
        """Number of starts, one run each."""
        return self.init.n_runs

    def starts(self) -> np.ndarray:
        """Return the starting points, in the job's dtype, `(n_runs, dim)`."""
        if (network := self._drawn_by) is not None and isinstance(self.init, Random):
            return network.starts(self.init.random, self.init.seed).astype(self.dtype)
        return self.init.array().astype(self.dtype)

    @property
    def dumped(self) -> dict[str, Any]:
        """The specification as JSON values; validating them gives an equal one."""
        return self.model_dump(mode="json")

    @property
    def text(self) -> str:
        """The specification as JSON text, with every negative zero written as 0.0."""
        dumped = self.dumped
        text = orjson.dumps(dumped)
        return (orjson.dumps(_without_negative_zeros(dumped)) if _NEGATIVE_ZERO in text else text).decode()


def _without_negative_zeros(node: Any) -> Any:
    match node:
        case dict():
            return {name: _without_negative_zeros(value) for name, value in node.items()}
        case list():
            return [_without_negative_zeros(value) for value in node]
        case float():
            return node + 0.0
    return node
