"""Gradients and Hessians of an objective at many points, by autograd."""

import torch

from app.functions.base import Objective


def value_and_gradient(objective: Objective, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values `(n,)` and gradients `(n, dim)` at `points`, `(n, dim)`."""
    x = points.detach().requires_grad_()
    f = objective(x)
    (slope,) = torch.autograd.grad(f.sum(), x)
    return f.detach(), slope


def all_derivatives(objective: Objective, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return values `(n,)`, gradients `(n, dim)` and Hessians `(n, dim, dim)` at `points`, `(n, dim)`."""
    x = points.detach().requires_grad_()
    f = objective(x)
    (slope,) = torch.autograd.grad(f.sum(), x, create_graph=True)
    rows = [_derivative(slope[:, i], x) for i in range(x.shape[-1])]
    return f.detach(), slope.detach(), torch.stack(rows, dim=-2)


def _derivative(component: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    if not component.requires_grad:  # constant in every coordinate
        return torch.zeros_like(x)
    (row,) = torch.autograd.grad(component.sum(), x, retain_graph=True, materialize_grads=True)
    return row.detach()
