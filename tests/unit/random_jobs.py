"""Random jobs: a formula of the grammar, an optimizer, and any other options of a job."""

import random
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from tests.unit.test_fused import DTYPES, FUSED, FUSED_SCHEDULERS
from thalweg.functions.expressions.operations import FUNCTIONS
from thalweg.functions.expressions.vocabulary import REDUCTIONS
from thalweg.spec.job import JobSpec

SIGNS = ("+", "-", "*", "/", "//", "%", "**")
RELATIONS = ("<", "<=", ">", ">=", "==", "!=")
NUMBERS = ("0", "1", "2", "3", "0.5", "-1.5", "0.3", "10", "1e-3", "pi", "e", "a")
EXPONENTS = ("-3", "-2", "-1", "-0.5", "0.25", "0.5", "1.7", "2", "3", "4", "10", "19", "20.5")
STARTS = (1, 2, 3, 8, 9, 17, 33)
UNTRACEABLE = {name for name, function in FUNCTIONS.items() if function.untraceable}
CALLED = sorted(set(FUNCTIONS) - UNTRACEABLE)


class Formulas:
    """Writes formulas in scalars x and y, or in a vector x; all functions and operators are equally likely."""

    def __init__(self, chance: random.Random, *, vector: bool) -> None:
        self.chance = chance
        self.vector = vector

    def formula(self, depth: int) -> str:
        """Return a formula that depends on every coordinate."""
        return f"{self.value(depth)} + {self.value(depth - 1)} + {'sum(x**2)' if self.vector else 'x*x + y*y'} / 50"

    def value(self, depth: int, counter: str = "") -> str:
        if depth == 0:
            return self.leaf(counter)
        kinds: list[Callable[[int, str], str]] = [self.operation, self.call, self.call, self.call, self.choice]
        if self.vector and not counter:
            kinds.append(self.loop)
        return self.chance.choice(kinds)(depth - 1, counter)

    def leaf(self, counter: str) -> str:
        if self.chance.random() < 0.15:
            return self.chance.choice(NUMBERS)
        if not self.vector:
            return self.chance.choice("xy")
        return self.chance.choice(
            [f"x[{counter}]", f"x[({counter} + 1) % n]", counter] if counter else ["x[0]", "x[1]"]
        )

    def operation(self, depth: int, counter: str) -> str:
        sign = self.chance.choice(SIGNS)
        right = self.value(depth, counter)
        if sign == "**" and self.chance.random() < 0.6:
            right = self.chance.choice(EXPONENTS)
        return f"({self.value(depth, counter)} {sign} {right})"

    def call(self, depth: int, counter: str) -> str:
        name = self.chance.choice([*CALLED, "min", "max"])
        n = self.chance.choice([2, 3]) if name in {"min", "max"} else FUNCTIONS[name].least
        if name == "log" and self.chance.random() < 0.3:
            n = 2
        return f"{name}({', '.join(self.value(depth, counter) for _ in range(n))})"

    def choice(self, depth: int, counter: str) -> str:
        one, other = self.value(depth, counter), self.value(depth, counter)
        test = f"{self.value(0, counter)} {self.chance.choice(RELATIONS)} {self.value(min(depth, 1), counter)}"
        return f"where({test}, {one}, {other})"

    def loop(self, depth: int, _counter: str) -> str:
        kind = self.chance.choice(REDUCTIONS)
        return f"{kind}({self.value(depth, 'i')} for i in range({self.chance.choice(['n', 'n - 1', '7'])}))"


def random_fields(chance: random.Random) -> dict[str, Any]:
    """Return the fields of a valid job that the fused engine can run."""
    while True:
        fields = _drawn(chance)
        try:
            spec = JobSpec.model_validate(fields)
        except ValidationError:  # an index out of range, a constant that is no number
            continue
        if spec.obstacle is None:
            return fields


def _drawn(chance: random.Random) -> dict[str, Any]:
    vector = chance.random() < 0.4
    dim = chance.choice([2, 3, 5, 17, 40, 130]) if vector else 2
    optimizer = dict(chance.choice(FUSED))
    lr = 10 ** chance.uniform(-4, 0)
    fields: dict[str, Any] = {
        "function": {
            "expression": Formulas(chance, vector=vector).formula(chance.choice([1, 2, 2, 3])),
            "variables": ["x"] if vector else ["x", "y"],
            "constants": {"a": chance.uniform(-2, 2)},
        },
        "optimizer": {name: value for name, value in optimizer.items() if name != "lr"},
        "lr": lr,
        "dtype": chance.choice(DTYPES),
        "init": [_start(chance, dim) for _ in range(chance.choice(STARTS))],
        "steps": chance.choice([5, 20, 60]),
        "record_every": chance.choice([1, 1, 1, 3, 10]),
    }
    if chance.random() < 0.3:
        fields["scheduler"] = chance.choice(FUSED_SCHEDULERS)
    if chance.random() < 0.3:
        fields["gradient_noise"] = {"std": 10 ** chance.uniform(-3, 0), "seed": chance.randrange(2**53)}
    if chance.random() < 0.3:
        fields["clip_grad_norm"] = 10 ** chance.uniform(-2, 1)
    if chance.random() < 0.3:
        fields["stop"] = {chance.choice(["f", "grad_norm"]): 10 ** chance.uniform(-2, 1)}
    return fields


def _start(chance: random.Random, dim: int) -> list[float]:
    spread = chance.choice([1.0, 1.0, 3.0, 30.0])
    return [
        chance.choice([0.0, 1.0, -1.0, 0.5]) if chance.random() < 0.1 else chance.gauss(0, spread)
        for _ in range(dim)
    ]
