"""Adam on Himmelblau's function with a step under `torch.compile`."""

from collections.abc import Callable

import torch


def one(start: tuple[float, float], steps: int) -> Callable[[], torch.Tensor]:
    """Return where one descent ends, `(2,)`, nothing recorded; value, gradient and update are one step."""

    @torch.compile(fullgraph=False)
    def step(x: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
        f = (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2
        (x.grad,) = torch.autograd.grad(f, x)
        optimizer.step()

    def way() -> torch.Tensor:
        x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        # a rate that is a tensor: a number would be compiled in, and compiled again when it changes
        optimizer = torch.optim.Adam([x], lr=torch.tensor(1e-3), capturable=False)
        for _ in range(steps):
            step(x, optimizer)
        return x.detach()

    way()
    return way
