"""Runs that go through one kernel together, though they differ in numbers of their optimizer."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

import numpy as np

from thalweg.engine.fused.frontend.hyperparameters import NEAR_HALF, WEIGHT, Own, hyperparameters
from thalweg.spec.job import JobSpec

_RATE: Final = "lr"


class Company:
    """The runs of a job, or of many jobs that differ in nothing but starts and numbers of their optimizer.

    Args:
        spec: What all share; of what `numbers` has, its own value does not count.
        starts: `(n, dim)`, in the job's dtype.
        runs: `(n,)` the number of each run in its own job, by which noise is drawn; None for one job.
        numbers: A value for each run, `(n,)`, by the label of a hyperparameter: `lr`, `betas.0`, `weight_decay`.

    Raises:
        ValueError: A kernel does not take such a number as an input, or the values differ in sign.
    """

    def __init__(
        self,
        spec: JobSpec,
        starts: np.ndarray,
        runs: np.ndarray | None = None,
        numbers: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.spec = spec
        self.starts = starts
        self.runs = np.arange(len(starts)) if runs is None else runs
        self.numbers = {label: np.asarray(values, np.float64) for label, values in (numbers or {}).items()}
        self._check()

    @classmethod
    def of(cls, spec: JobSpec) -> "Company":
        """Return the runs of a job."""
        return cls(spec, spec.starts())

    @property
    def n_runs(self) -> int:
        """How many runs it is."""
        return len(self.starts)

    @cached_property
    def own(self) -> Own:
        """The hyperparameters of which each run has its own."""
        scheduled = self.spec.scheduler is not None and self.spec.scheduler.per_run
        return tuple(
            (label, _side(label, values))
            for label, values in sorted(self.numbers.items())
            if not (scheduled and label == _RATE)
        )

    def _check(self) -> None:
        spec = self.spec
        if not self.numbers:
            return
        if spec.wide:
            raise ValueError("runs cannot differ in numbers where the kernel takes them one by one")
        known = {each.label: each for each in hyperparameters(spec.optimizer, spec.scheduler)}
        for label, values in self.numbers.items():
            if label not in known:
                raise ValueError(f"{label} of {spec.optimizer.name} is no input of a kernel")
            if values.shape != (self.n_runs,):
                raise ValueError(f"{len(values)} values of {label} for {self.n_runs} runs")
            if known[label].moved and spec.scheduler is not None and not spec.scheduler.per_run:
                raise ValueError(f"{spec.scheduler.name} moves {label}, and runs cannot differ in it")
            if (np.sign(values) != known[label].sign).any():
                raise ValueError(f"the values of {label} differ in sign from {known[label].sign}")
            if ((values < 1) & known[label].unit != known[label].fraction).any():
                raise ValueError(f"the values of {label} are partly 1")


def _side(label: str, values: np.ndarray) -> bool | None:
    if label != ".".join(map(str, WEIGHT)):
        return None
    if (values > 0.5 + NEAR_HALF).all():
        return True
    return False if (values < 0.5 - NEAR_HALF).all() else None
