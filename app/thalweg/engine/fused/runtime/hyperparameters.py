"""The hyperparameters of each update, moved by torch's own scheduler."""

import io
from typing import Any

import numpy as np
import torch

from thalweg.engine.fused.frontend.hyperparameters import Own, inputs_of
from thalweg.engine.fused.frontend.own_schedule import numbers_of, own_schedule
from thalweg.engine.raised import Raised, raising_results
from thalweg.spec.job import JobSpec


class Hyperparameters:
    """The numbers of a job's optimizer that its kernel takes as inputs, update by update.

    Args:
        spec: The job.
        state: A result of `state()` to continue from; empty at the start.
        own: Those that each run has of its own, and that are no inputs for all.

    Attributes:
        own: The first numbers of a run of its own, where the schedule sees its f, by name.
        raised: The message of what the scheduler raised after the last update that has a row; None for nothing.
    """

    def __init__(self, spec: JobSpec, state: bytes = b"", own: Own = ()) -> None:
        self.raised: str | None = None
        self._inputs = [each for each in inputs_of(spec.optimizer, spec.scheduler, own) if not each.own]
        self._moved = [(k, each) for k, each in enumerate(self._inputs) if each.moved]
        self._group: dict[str, Any] = spec.optimizer.arguments
        self._schedule = None
        self._parameters: list[float] = []
        self.own: dict[str, float] = {}
        if spec.scheduler is None:
            return
        if spec.scheduler.per_run:
            numbers = numbers_of(spec.optimizer, spec.scheduler)
            schedule = own_schedule(spec.optimizer, spec.scheduler)
            self._parameters = [numbers[name] for name in schedule.parameters]
            self.own = {f"own.{name}": numbers[name] for name in schedule.state}
            return
        self._optimizer = spec.optimizer.build([torch.zeros(1)])
        self._group = self._optimizer.param_groups[0]
        self._schedule = spec.scheduler.build(self._optimizer)
        # a step without a gradient moves nothing; torch warns if the scheduler is stepped before the optimizer
        self._optimizer.step(lambda: 0.0)
        if state:
            saved = torch.load(io.BytesIO(state), weights_only=True)
            self._schedule.load_state_dict(saved["schedule"])
            for _, each in self._moved:
                each.put(self._group, saved[each.parameter])

    @property
    def constant(self) -> bool:
        """Whether they stay the same."""
        return self._schedule is None

    def next(self, n: int) -> np.ndarray:
        """Return those of the next `n` updates, float64, a row each; one row if they stay the same.

        There are fewer if the scheduler raises; see `raised`.
        """
        now = [*(each.of(self._group) for each in self._inputs), *self._parameters]
        if self._schedule is None:
            return np.array([now])
        rows = np.tile(now, (n, 1))
        k = 0
        try:
            with raising_results():
                for k in range(n):
                    for column, each in self._moved:
                        rows[k, column] = each.of(self._group)
                    self._schedule.step()
        except Raised as error:
            self.raised = str(error)
            return rows[: k + 1]
        return rows

    def state(self) -> bytes:
        """Return the state to continue from."""
        if self._schedule is None:
            return b""
        buffer = io.BytesIO()
        moved = {each.parameter: each.of(self._group) for _, each in self._moved}
        torch.save({"schedule": self._schedule.state_dict(), **moved}, buffer)
        return buffer.getvalue()
