"""The gradient as the optimizer gets it."""

import torch

from thalweg.functions.base import row_norm


def effective(gradient: torch.Tensor, noise: torch.Tensor | None, clip_norm: float | None) -> torch.Tensor:
    """Return the gradient with noise added and then each row's norm clipped.

    Args:
        gradient: `(..., dim)`.
        noise: Added to the gradient, of the same shape and dtype; None for no noise.
        clip_norm: The largest norm of a row; None for no clipping.
    """
    if noise is not None:
        gradient = gradient + noise
    if clip_norm is not None:
        norm = row_norm(gradient).unsqueeze(-1)
        # the arithmetic of torch.nn.utils.clip_grad_norm_, row by row
        gradient = gradient * torch.clamp(clip_norm / (norm + 1e-6), max=1.0)
    return gradient
