"""What is wrong with some optimizers of the zoo, each shown by a trajectory that is computed anew."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from thalweg.optimizers.catalogue import find

_STEPS = 3


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield for each fault the optimizer, what is wrong, and the trajectory that shows it."""
    yield (
        "adams",
        "Where the gradient is zero, the weight decay is divided by `eps` alone, and throws the point far away.",
        f"gradient 0, from 1: {_path('adams', [1.0], _nothing)}",
    )
    yield (
        "yogi",
        "The average of the gradients starts at `initial_accumulator` too, and not at 0: a point at rest moves.",
        f"gradient 0, from 0: {_path('yogi', [0.0], _nothing)}",
    )
    yield (
        "srmm",
        "The average of the points starts at 0: a point at rest is pulled to the origin.",
        f"gradient 0, from 1: {_path('srmm', [1.0], _nothing)}",
    )
    yield (
        "ftrl",
        "The first step forgets where the point was.",
        f"gradient 0, from 1: {_path('ftrl', [1.0], _nothing)}",
    )
    for name in ("laprop", "simplifiedademamix"):
        alone = _path(name, [1.0], _slope, lr=0.1, one_by_one=True)
        yield (
            name,
            "By default its step sizes are rounded to float32 for a point in float64; with `foreach=False` not.",
            f"f = x²/2, from 1, lr 0.1: {_path(name, [1.0], _slope, lr=0.1)}; with `foreach=False`: {alone}",
        )
    yield (
        "qhadam",
        "`load_state_dict` makes its float32 weights float64: a run that is cut there ends elsewhere.",
        f"f = x²/2, from 1, lr 0.1, 4 steps: {_shown([_end(cut=False)])}; cut after 2: {_shown([_end(cut=True)])}",
    )


def _nothing(point: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(point)


def _slope(point: torch.Tensor) -> torch.Tensor:
    return point.detach().clone()


def _path(
    name: str,
    start: Sequence[float],
    gradient: Callable[[torch.Tensor], torch.Tensor],
    *,
    one_by_one: bool = False,
    **arguments: Any,
) -> str:
    point = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = find(name).model_validate(arguments).build([point], one_by_one=one_by_one)
    passed = []
    for _ in range(_STEPS):
        point.grad = gradient(point)
        optimizer.step()
        passed.append(point.item())
    return _shown(passed)


def _end(*, cut: bool) -> float:
    model = find("qhadam").model_validate({"lr": 0.1})
    point = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    optimizer = model.build([point])
    for step in range(4):
        if cut and step == 2:
            saved = optimizer.state_dict()
            optimizer = model.build([point])
            optimizer.load_state_dict(saved)
        point.grad = _slope(point)
        optimizer.step()
    return point.item()


def _shown(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:.17g}" for number in numbers).replace("-", "−")
