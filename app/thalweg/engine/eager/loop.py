"""The loop that everybody writes by hand: one torch optimizer and the points it moves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from thalweg.engine import gradients
from thalweg.engine.eager import kept
from thalweg.engine.noise import standard_normal
from thalweg.engine.raised import Raised, raising_results
from thalweg.engine.run import Interrupted
from thalweg.functions.base import Objective
from thalweg.spec.job import JobSpec


@dataclass(slots=True)
class Entry:
    """Point, value and gradient of every row, as detached tensors.

    Rows for which the function raised have NaN as value and gradient, and their message in `raised`.
    """

    x: torch.Tensor  # (..., dim)
    f: torch.Tensor  # (...)
    gradient: torch.Tensor  # (..., dim)
    raised: Mapping[int, str] = field(default_factory=dict)


class TorchLoop:
    """An optimizer, its scheduler, and the rows of points they move together.

    An optimizer that works element by element moves all runs in one loop, as rows of an `(n, dim)` parameter. Any
    other needs one loop per run, with a parameter of shape `(dim,)`, as in a script written by hand.

    Args:
        spec: The job.
        runs: `(n,)` numbers of the runs in this loop.
        x: Their points. The loop takes ownership and changes them in place.
        state: A result of `state()` to continue from; None at the start.
        n_evaluations: Evaluations of function and gradient so far, per run, including that of the present entry.
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
        """Do update number `step`, counted from 0, and evaluate the new point.

        The loop must not be used again once this has raised.

        Raises:
            Interrupted: `keep_going` returned False; it is called before every evaluation.
            Raised: torch raised in the update.
        """
        f, optimizer = self.entry.f, self._optimizer
        self._set_gradient(self._effective_gradient(self.entry.gradient, step))
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
        """Drop all rows but these, given as `(k,)` indices."""
        index = torch.from_numpy(rows)
        state = self._optimizer.state
        state[self._parameter] = kept.rows(state[self._parameter], index, self._parameter.shape)
        self._parameter.data = self._parameter.data[index]
        self.runs = self.runs[rows]
        self.entry = Entry(self.entry.x[index], self.entry.f[index], self.entry.gradient[index])

    def vectors(self) -> dict[str, torch.Tensor]:
        """Return what the optimizer keeps for each coordinate, by name, in the shape of the points."""
        kept = [(part, self._optimizer.state[part]) for part in self._moved]
        names = {
            name
            for part, state in kept
            for name, value in state.items()
            if isinstance(value, torch.Tensor) and value.shape == part.shape
        }
        shape = self._parameter.shape
        return {name: torch.cat([state[name].reshape(-1) for _, state in kept]).reshape(shape) for name in names}

    def state(self, step: int) -> dict[str, Any]:
        """Return the state from which to continue after `step` updates, as tensors and plain values."""
        return {
            "step": step,
            "runs": torch.from_numpy(self.runs),
            "x": self._parameter.detach(),
            **kept.state_of(self._optimizer),
            "schedule": None if self._schedule is None else self._schedule.state_dict(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        if self._schedule is not None:
            self._schedule.load_state_dict(state["schedule"])
        kept.restore(self._optimizer, state)

    @property
    def _moved(self) -> list[torch.Tensor]:
        moved: list[torch.Tensor] = self._optimizer.param_groups[0]["params"]
        return moved

    def _set_gradient(self, gradient: torch.Tensor) -> None:
        for part, part_gradient in zip(self._moved, self._parts(gradient), strict=True):
            part.grad = part_gradient

    def _parts(self, whole: torch.Tensor) -> list[torch.Tensor]:
        """Return the optimizer's parameters: `whole`, or the matrices in it as views of the same memory."""
        if not self._spec.optimizer.matrices:
            return [whole]
        shapes = self._objective.matrix_shapes
        parts = torch.split(whole.detach(), [n_rows * n_columns for n_rows, n_columns in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    def _evaluate(self, step: int) -> Entry:
        """Return the present entry; rows for which the function raises have NaN."""
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
            raise RuntimeError("the function raises for a batch of points but for none of them alone") from error
        return Entry(x, f, gradient, raised)

    def _failing_rows(self, step: int) -> dict[int, str]:
        """Return the message of each row for which the function raises when evaluated alone."""
        x, raised = self._parameter.detach(), {}
        for row in range(len(x)):
            rows = slice(row, row + 1)
            try:
                self._computed(x[rows].clone().requires_grad_(), self.runs[rows], step)
            except Raised as error:
                raised[row] = str(error)
        return raised

    def _computed(self, points: torch.Tensor, runs: np.ndarray, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return value and gradient, or raise `Raised`."""
        with raising_results():
            f = self._objective(points, step, runs)
            (gradient,) = torch.autograd.grad(f.sum(), points)
        return f.detach(), gradient

    def _closure(self, step: int, keep_going: Callable[[], bool]) -> Any:
        # the optimizer first asks for the present point, whose value and gradient are known
        known: list[torch.Tensor] = [self.entry.f]

        def evaluate() -> torch.Tensor:
            if known:
                return known.pop()
            if not keep_going():  # a single step may take thousands of evaluations
                raise Interrupted
            self.n_evaluations += 1
            f, gradient = self._computed(self._parameter, self.runs, step)
            self._set_gradient(self._effective_gradient(gradient, step))
            return f

        return evaluate

    def _effective_gradient(self, gradient: torch.Tensor, step: int) -> torch.Tensor:
        """Return the gradient as the optimizer gets it: with noise, then clipped."""
        noise_drawn = None
        if (noise := self._spec.gradient_noise) is not None:
            drawn = standard_normal(noise.seed, step, self.runs, gradient.shape[-1])
            scaled = torch.from_numpy(drawn * noise.std).to(gradient.dtype)
            noise_drawn = scaled.reshape(gradient.shape)
        return gradients.effective(gradient, noise_drawn, self._spec.clip_grad_norm)
