"""One torch optimizer and the points that it moves: the loop that everybody writes by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from thalweg.engine import gradients
from thalweg.engine.noise import standard_normal
from thalweg.engine.raised import Raised, raising_results
from thalweg.functions.base import Objective
from thalweg.spec.job import JobSpec


class Interrupted(Exception):
    """Whoever drives a run wants no more of it."""


@dataclass(slots=True)
class Entry:
    """A point, its value and its gradient, for every row; tensors without history.

    Where the function raised, value and gradient are NaN, and `raised` has the sentence by row.
    """

    x: torch.Tensor  # (..., dim)
    f: torch.Tensor  # (...)
    gradient: torch.Tensor  # (..., dim)
    raised: Mapping[int, str] = field(default_factory=dict)


class Descent:
    """An optimizer, its scheduler, and the rows of points that it moves together.

    The rows are the runs of an optimizer that works element by element, `(n, dim)`; for any other there is a
    descent for each run, whose points have the shape `(dim,)` that a script by hand would give them.

    Args:
        spec: The job.
        runs: `(n,)` numbers of the runs that are moved.
        x: Where they are; it is taken over, not copied.
        state: What `state()` gave, to go on from there.
        n_evaluations: How often the function and its gradient were computed for each run up to there, the entry's
            own evaluation included.
    """

    def __init__(
        self,
        spec: JobSpec,
        runs: np.ndarray,
        x: torch.Tensor,
        state: dict[str, Any] | None = None,
        n_evaluations: int = 1,
    ) -> None:
        self._spec = spec
        self._objective: Objective = spec.objective()
        self._parameter = x.requires_grad_()
        self._optimizer = spec.optimizer.build(self._parts(x))
        self._schedule: Any = None if spec.scheduler is None else spec.scheduler.build(self._optimizer)
        self.runs = runs
        self.n_evaluations = n_evaluations
        if state is not None:
            self._restore(state)
        self.entry = self._evaluate(0 if state is None else state["step"])

    def advance(self, step: int, keep_going: Callable[[], bool] = lambda: True) -> None:
        """Do update number `step`, from 0, and look at the point that it leads to.

        The descent is of no further use once this has raised.

        Raises:
            Interrupted: `keep_going`, which is asked before every evaluation, said no.
            Raised: torch raised in the update.
        """
        f, optimizer = self.entry.f, self._optimizer
        self._give(self._used_gradient(self.entry.gradient, step))
        with raising_results():
            if self._spec.optimizer.closure:
                optimizer.step(self._closure(step, keep_going))
            else:
                optimizer.step()
            if self._spec.scheduler is not None:
                self._schedule.step(*([f] if self._spec.scheduler.per_run else []))
        if not keep_going():
            raise Interrupted
        self.n_evaluations += 1
        self.entry = self._evaluate(step + 1)

    def keep(self, rows: np.ndarray) -> None:
        """Go on with these rows only, `(k,)` indices; the others are forgotten."""
        index = torch.from_numpy(rows)
        whole = self._parameter.shape
        state = self._optimizer.state[self._parameter]
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == whole:
                state[name] = value[index]
        self._parameter.data = self._parameter.data[index]
        self.runs = self.runs[rows]
        self.entry = Entry(self.entry.x[index], self.entry.f[index], self.entry.gradient[index])

    def state(self, step: int) -> dict[str, Any]:
        """Return what is needed to go on after `step` updates, as tensors and plain values."""
        return {
            "step": step,
            "runs": torch.from_numpy(self.runs),
            "x": self._parameter.detach(),
            "optimizer": [dict(self._optimizer.state[part]) for part in self._moved],
            "group": {name: value for name, value in self._optimizer.param_groups[0].items() if name != "params"},
            "schedule": None if self._schedule is None else self._schedule.state_dict(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        # load_state_dict would cast the float32 tensors that NAdam and ASGD keep to the parameter's dtype,
        # and a run that was taken up again would differ from one that was not
        for part, saved in zip(self._moved, state["optimizer"], strict=True):
            self._optimizer.state[part] = saved
        if self._schedule is not None:
            self._schedule.load_state_dict(state["schedule"])
        self._optimizer.param_groups[0].update(state["group"])

    @property
    def _moved(self) -> list[torch.Tensor]:
        moved: list[torch.Tensor] = self._optimizer.param_groups[0]["params"]
        return moved

    def _give(self, gradient: torch.Tensor) -> None:
        for part, part_gradient in zip(self._moved, self._parts(gradient), strict=True):
            part.grad = part_gradient

    def _parts(self, whole: torch.Tensor) -> list[torch.Tensor]:
        """Return what the optimizer moves: the whole, or the matrices that lie in it, in the same memory."""
        if not self._spec.optimizer.matrices:
            return [whole]
        shapes = self._objective.matrices
        parts = torch.split(whole.detach(), [n_rows * n_columns for n_rows, n_columns in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    def _evaluate(self, step: int) -> Entry:
        """Return the present entry, with NaN in the rows for which the function raises."""
        x = self._parameter.detach()
        try:
            return Entry(x, *self._computed(self._parameter, self.runs, step))
        except Raised as error:
            nothing = torch.full_like(x, torch.nan)
            if x.ndim == 1:
                return Entry(x, nothing[0], nothing, {0: str(error)})
            return self._evaluate_others(nothing, self._failing_rows(step), step)

    def _evaluate_others(self, gradient: torch.Tensor, raised: dict[int, str], step: int) -> Entry:
        x, f = self._parameter.detach(), gradient[:, 0].clone()
        others = [row for row in range(len(x)) if row not in raised]
        try:
            f[others], gradient[others] = self._computed(x[others].requires_grad_(), self.runs[others], step)
        except Raised as error:
            raise RuntimeError("the function raises for points together and for none of them alone") from error
        return Entry(x, f, gradient, raised)

    def _failing_rows(self, step: int) -> dict[int, str]:
        """Return what the function raises for each row alone, where it does."""
        x, raised = self._parameter.detach(), {}
        for row in range(len(x)):
            rows = slice(row, row + 1)
            try:
                self._computed(x[rows].clone().requires_grad_(), self.runs[rows], step)
            except Raised as error:
                raised[row] = str(error)
        return raised

    def _computed(self, points: torch.Tensor, runs: np.ndarray, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return value and gradient. Raises `Raised`."""
        with raising_results():
            f = self._objective(points, step, runs)
            (gradient,) = torch.autograd.grad(f.sum(), points)
        return f.detach(), gradient

    def _closure(self, step: int, keep_going: Callable[[], bool]) -> Any:
        # the optimizer asks for the present point first, which has been evaluated already
        known: list[torch.Tensor] = [self.entry.f]

        def evaluate() -> torch.Tensor:
            if known:
                return known.pop()
            if not keep_going():  # one step may take thousands of evaluations
                raise Interrupted
            self.n_evaluations += 1
            f, gradient = self._computed(self._parameter, self.runs, step)
            self._give(self._used_gradient(gradient, step))
            return f

        return evaluate

    def _used_gradient(self, gradient: torch.Tensor, step: int) -> torch.Tensor:
        noise_drawn = None
        if (noise := self._spec.gradient_noise) is not None:
            drawn = standard_normal(noise.seed, step, self.runs, gradient.shape[-1])
            scaled = torch.from_numpy(drawn * noise.std).to(gradient.dtype)
            noise_drawn = scaled.reshape(gradient.shape)
        return gradients.used(gradient, noise_drawn, self._spec.clip_grad_norm)
