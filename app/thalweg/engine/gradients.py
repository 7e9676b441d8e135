"""What is done to a gradient before an optimizer uses it."""

import torch

from thalweg.functions.base import row_norm


def effective(gradient: torch.Tensor, noise: torch.Tensor | None, clip_norm: float | None) -> torch.Tensor:
    """Return the gradient with the noise on it, then with each row's norm clipped.

    Args:
        gradient: `(..., dim)`.
        noise: What is added, of the gradient's shape and dtype.
        clip_norm: The largest norm of a row.
    """
    if noise is not None:
        gradient = gradient + noise
    if clip_norm is not None:
        norm = row_norm(gradient).unsqueeze(-1)
        # the same arithmetic as torch.nn.utils.clip_grad_norm_, for each row
        gradient = gradient * torch.clamp(clip_norm / (norm + 1e-6), max=1.0)
    return gradient
