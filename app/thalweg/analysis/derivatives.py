"""Values, gradients and Hessians of an objective at many points, by autograd, in batches that fit in memory."""

from collections.abc import Callable, Iterator

import torch

from thalweg.cancellation import check_wanted
from thalweg.functions.base import Objective

_VALUES_TOGETHER = 4_000_000
_DERIVED_TOGETHER = 1_000_000  # fewer, as the graph stays in memory until the derivatives are computed


def values(objective: Objective, points: torch.Tensor) -> torch.Tensor:
    """Return values `(n,)` at `points`, `(n, dim)`, detached."""
    with torch.no_grad():
        return torch.cat([objective(part) for part in _parts(objective, points, _VALUES_TOGETHER)])


def value_and_gradient(objective: Objective, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values `(n,)` and gradients `(n, dim)` at `points`, `(n, dim)`."""
    f, slope = _joined(objective, points, _value_and_gradient)
    return f, slope


def all_derivatives(objective: Objective, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return values `(n,)`, gradients `(n, dim)` and Hessians `(n, dim, dim)` at `points`, `(n, dim)`."""
    f, slope, curvature = _joined(objective, points, _all_derivatives)
    return f, slope, curvature


def points_together(objective: Objective) -> int:
    """Return the batch size for evaluating the objective, at least 1."""
    return max(1, _VALUES_TOGETHER // objective.n_values)


def _parts(objective: Objective, points: torch.Tensor, n_values: int) -> Iterator[torch.Tensor]:
    for part in torch.split(points, max(1, n_values // objective.n_values)):
        check_wanted()
        yield part


def _joined(
    objective: Objective,
    points: torch.Tensor,
    derive: Callable[[Objective, torch.Tensor], tuple[torch.Tensor, ...]],
) -> list[torch.Tensor]:
    found = [derive(objective, part) for part in _parts(objective, points, _DERIVED_TOGETHER)]
    return [torch.cat(column) for column in zip(*found, strict=True)]


def _value_and_gradient(objective: Objective, points: torch.Tensor) -> tuple[torch.Tensor, ...]:
    x = points.detach().requires_grad_()
    f = objective(x)
    (slope,) = torch.autograd.grad(f.sum(), x)
    return f.detach(), slope


def _all_derivatives(objective: Objective, points: torch.Tensor) -> tuple[torch.Tensor, ...]:
    x = points.detach().requires_grad_()
    f = objective(x)
    (slope,) = torch.autograd.grad(f.sum(), x, create_graph=True)
    rows = []
    for i in range(x.shape[-1]):
        check_wanted()
        rows.append(_derivative(slope[:, i], x))
    return f.detach(), slope.detach(), torch.stack(rows, dim=-2)


def _derivative(component: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    if not component.requires_grad:  # constant in every coordinate
        return torch.zeros_like(x)
    (row,) = torch.autograd.grad(component.sum(), x, retain_graph=True, materialize_grads=True)
    return row.detach()
