"""The learning rate of each update, as torch's own scheduler gives it."""

import io

import numpy as np
import torch

from thalweg.engine.raised import Raised, raising_results
from thalweg.spec.job import JobSpec


class LearningRates:
    """The learning rates of a job, update after update.

    Args:
        spec: The job.
        state: What `state()` gave, to go on from there.

    Attributes:
        raised: What the schedule raised after the last update for which there is a rate; None for nothing.
    """

    def __init__(self, spec: JobSpec, state: bytes = b"") -> None:
        self.raised: str | None = None
        self._constant = np.array([spec.optimizer.lr], dtype=np.float64)
        self._schedule = None
        if spec.scheduler is None:
            return
        self._optimizer = spec.optimizer.build([torch.zeros(1)])
        self._schedule = spec.scheduler.build(self._optimizer)
        # without a gradient this moves nothing; torch warns of a schedule that is stepped first
        self._optimizer.step()
        if state:
            saved = torch.load(io.BytesIO(state), weights_only=True)
            self._schedule.load_state_dict(saved["schedule"])
            self._optimizer.param_groups[0]["lr"] = saved["lr"]

    @property
    def constant(self) -> bool:
        """Whether all are the same."""
        return self._schedule is None

    def next(self, n: int) -> np.ndarray:
        """Return the rates of the next `n` updates, float64, `(n,)`; `(1,)` if they are constant.

        They are fewer where the schedule raises after one.
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
        """Return what is needed to go on from here."""
        if self._schedule is None:
            return b""
        buffer = io.BytesIO()
        saved = {"schedule": self._schedule.state_dict(), "lr": self._optimizer.param_groups[0]["lr"]}
        torch.save(saved, buffer)
        return buffer.getvalue()
