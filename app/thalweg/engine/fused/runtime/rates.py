"""The learning rate of each update, from torch's own scheduler."""

import io

import numpy as np
import torch

from thalweg.engine.raised import Raised, raising_results
from thalweg.spec.job import JobSpec


class LearningRates:
    """The learning rates of a job, update by update.

    Args:
        spec: The job.
        state: A result of `state()` to continue from; empty at the start.

    Attributes:
        raised: The message of what the scheduler raised after the last update that has a rate; None for nothing.
    """

    def __init__(self, spec: JobSpec, state: bytes = b"") -> None:
        self.raised: str | None = None
        self._constant = np.array([spec.optimizer.lr], dtype=np.float64)
        self._schedule = None
        if spec.scheduler is None:
            return
        self._optimizer = spec.optimizer.build([torch.zeros(1)])
        self._schedule = spec.scheduler.build(self._optimizer)
        # a step without a gradient moves nothing; torch warns if the scheduler is stepped before the optimizer
        self._optimizer.step()
        if state:
            saved = torch.load(io.BytesIO(state), weights_only=True)
            self._schedule.load_state_dict(saved["schedule"])
            self._optimizer.param_groups[0]["lr"] = saved["lr"]

    @property
    def constant(self) -> bool:
        """Whether all rates are equal."""
        return self._schedule is None

    def next(self, n: int) -> np.ndarray:
        """Return the rates of the next `n` updates, float64, `(n,)`; `(1,)` if they are constant.

        There are fewer if the scheduler raises; see `raised`.
        """
        if self._schedule is None:
            return self._constant
        rates = np.empty(n)
        group = self._optimizer.param_groups[0]
        k = 0
        try:
            with raising_results():
                for k in range(n):
                    rates[k] = group["lr"]
                    self._schedule.step()
        except Raised as error:
            self.raised = str(error)
            return rates[: k + 1]
        return rates

    def state(self) -> bytes:
        """Return the state to continue from."""
        if self._schedule is None:
            return b""
        buffer = io.BytesIO()
        saved = {"schedule": self._schedule.state_dict(), "lr": self._optimizer.param_groups[0]["lr"]}
        torch.save(saved, buffer)
        return buffer.getvalue()
