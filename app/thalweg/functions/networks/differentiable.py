"""The native loss as torch's autograd sees it: values and gradients by native code, second derivatives by torch."""

from typing import Any

import numpy as np
import torch

from thalweg.functions.networks.native_loss import NativeLoss


def loss_at(points: torch.Tensor, loss: NativeLoss, orders: np.ndarray | None) -> torch.Tensor:
    """Return the loss at points `(n, dim)`: `(n,)`, differentiable twice.

    Args:
        points: Parameters.
        loss: The network on its samples.
        orders: The numbers of the samples to take at each point, `(n, k)`; None for all.
    """
    if torch.is_grad_enabled() and points.requires_grad:
        values: torch.Tensor = _Loss.apply(points, loss, orders)  # type: ignore[no-untyped-call]
        return values
    return torch.from_numpy(loss.values(points.detach().numpy(), orders))


class _Loss(torch.autograd.Function):
    """Points to values."""

    @staticmethod
    def forward(ctx: Any, points: torch.Tensor, loss: NativeLoss, orders: np.ndarray | None) -> torch.Tensor:
        values, gradients = loss.values_and_gradients(points.detach().numpy(), orders)
        ctx.save_for_backward(points, torch.from_numpy(gradients))
        ctx.of = loss, orders
        return torch.from_numpy(values)

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> Any:
        points, gradients = ctx.saved_tensors
        return _Slope.apply(points, gradients, slopes[0], *ctx.of), None, None  # type: ignore[no-untyped-call]


class _Slope(torch.autograd.Function):
    """Points and their gradients, `(n, dim)`, times the derivatives by the values, `(n,)`."""

    @staticmethod
    def forward(
        ctx: Any,
        points: torch.Tensor,
        gradients: torch.Tensor,
        slopes: torch.Tensor,
        loss: NativeLoss,
        orders: np.ndarray | None,
    ) -> torch.Tensor:
        ctx.save_for_backward(points, gradients, slopes)
        ctx.of = loss, orders
        ctx.graph = None
        return slopes.unsqueeze(-1) * gradients

    @staticmethod
    def backward(ctx: Any, *directions: torch.Tensor) -> Any:
        points, gradients, slopes = ctx.saved_tensors
        (direction,) = directions
        if ctx.graph is None:  # a Hessian asks for every direction
            with torch.enable_grad():
                again = points.detach().requires_grad_()
                loss, orders = ctx.of
                (slope,) = torch.autograd.grad(loss.in_torch(again, orders).sum(), again, create_graph=True)
                ctx.graph = again, slope
        again, slope = ctx.graph
        curved = torch.zeros_like(points)
        if slope.requires_grad:  # else it is constant
            (curved,) = torch.autograd.grad(
                slope, again, slopes.unsqueeze(-1) * direction, retain_graph=True, materialize_grads=True
            )
        return curved, None, (direction * gradients).sum(-1), None, None
