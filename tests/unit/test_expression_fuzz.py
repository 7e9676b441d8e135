"""A hundred thousand texts, made by a grammar and then spoiled: each is a working objective or a clear refusal."""

import random
import warnings
from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError

from thalweg.analysis.derivatives import value_and_gradient
from thalweg.errors import InvalidInput
from thalweg.functions.expressions import ExpressionReference
from thalweg.functions.expressions.operations import FUNCTIONS

PARTS = 8
TEXTS_PER_PART = 13_000
EVALUATED_EVERY = 20

NUMBERS = ("0", "1", "2", "2.5", "1e3", ".5", "1e308", "1e-300", "007", "1e999", "9" * 45, "10**6", "n", "pi", "a")
WORDS = (
    *("x", "y", "i", "j", "n", "sum", "range", "len", "where", "for", "in", "if", "else", "and", "or", "not", "is"),
    *("lambda", "None", "True", "yield", "await", "async", "import", "__import__", "e", "math", "print", "x.real"),
)
SIGNS = (*"+-*/%<>=()[]{},.:;!^&|~@#$?\\'\"` \t\n\0_", "**", "//", "<=", "==", "!=", ":=", "->", "...", "<<", "<>")
STRANGE = (
    "\N{FULLWIDTH LATIN SMALL LETTER X}",
    "\ud800",
    "\u202e",
    "\N{SUPERSCRIPT TWO}",
    "\U0001f600",
    "\x7f",
    "\x0c",
)


class Writer:
    """Writes formulas at random, mostly with a meaning."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def value(self, depth: int, counters: tuple[str, ...] = ()) -> str:
        if depth == 0:
            return self.leaf(counters)
        kinds: list[Callable[[int, tuple[str, ...]], str]] = [
            self.operation,
            self.operation,
            self.operation,
            self.call,
            self.choice,
            self.loop,
            lambda _depth, counters: self.leaf(counters),
        ]
        return self.chance.choice(kinds)(depth - 1, counters)

    def leaf(self, counters: tuple[str, ...]) -> str:
        indices = [
            "0",
            "1",
            "-1",
            *counters,
            *(f"{counter}+1" for counter in counters),
            *(f"{c}%n" for c in counters),
        ]
        names = ["x", "y", f"x[{self.chance.choice(indices)}]", *counters]
        return self.chance.choice([*names, *names, self.chance.choice(NUMBERS)])

    def operation(self, depth: int, counters: tuple[str, ...]) -> str:
        sign = self.chance.choice(["+", "-", "*", "*", "/", "%", "//", "**"])
        left, right = self.value(depth, counters), self.value(depth, counters)
        return self.chance.choice(
            [f"({left} {sign} {right})", f"{left}{sign}{right}", f"-{left}", f"({left}){sign}2"]
        )

    def call(self, depth: int, counters: tuple[str, ...]) -> str:
        name = self.chance.choice([*FUNCTIONS, "min", "max", "sum", "prod", "mean", "norm", "where", "len", "abs"])
        n = FUNCTIONS[name].least if name in FUNCTIONS else self.chance.choice([1, 2, 3])
        return f"{name}({', '.join(self.value(depth, counters) for _ in range(n))})"

    def choice(self, depth: int, counters: tuple[str, ...]) -> str:
        one, other = self.value(depth, counters), self.value(depth, counters)
        test = self.test(depth, counters)
        return self.chance.choice([f"where({test}, {one}, {other})", f"({one} if {test} else {other})"])

    def test(self, depth: int, counters: tuple[str, ...]) -> str:
        sides = [self.value(min(depth, 1), counters) for _ in range(3)]
        signs = [self.chance.choice(["<", "<=", ">", ">=", "==", "!="]) for _ in range(2)]
        test = f"{sides[0]} {signs[0]} {sides[1]}"
        more = self.chance.choice([f" and not {test}", f" or {test}", f" {signs[1]} {sides[2]}", "", ""])
        return test + more

    def loop(self, depth: int, counters: tuple[str, ...]) -> str:
        counter = self.chance.choice("ijk")
        ends = ["n", "n-1", "1, n", "3", "len(x)", "n//2", "0", "5, 0, -1", "10**5", *counters]
        source = self.chance.choice([f"range({self.chance.choice(ends)})"] * 4 + ["x"])
        body = self.value(depth, (*counters, counter))
        return (
            f"{self.chance.choice(['sum', 'prod', 'min', 'max', 'mean', 'norm'])}({body} for {counter} in {source})"
        )

    def spoiled(self, text: str) -> str:
        for _ in range(self.chance.choice([1, 1, 2, 5])):
            place = self.chance.randrange(len(text) + 1)
            length = self.chance.choice([0, 0, 1, 1, 3])
            piece = self.chance.choice(
                [self.chance.choice(SIGNS), self.chance.choice(WORDS), self.chance.choice(STRANGE)]
            )
            piece = self.chance.choice([piece, piece, "", chr(self.chance.randrange(256)), text[place : place + 9]])
            text = text[:place] + piece + text[place + length :]
        return text

    def soup(self) -> str:
        pieces = [*WORDS, *SIGNS, *NUMBERS, *FUNCTIONS]
        return "".join(self.chance.choice([*pieces, " "]) for _ in range(self.chance.randrange(30)))

    def pile(self) -> str:
        piece = self.chance.choice(
            ["(", "[", "-", "not ", "x**", "x if x>0 else ", "sum(", "x+", "x<", "max(x,", "1", "x[", "9**"]
        )
        n = self.chance.choice([10, 39, 41, 200, 1500])
        closed = self.chance.choice(["", ")" * n, "]" * n])
        return piece * n + "x" + closed

    def text(self) -> str:
        kind = self.chance.random()
        if kind < 0.02:
            return self.pile()
        if kind < 0.17:
            return self.soup()
        text = self.value(self.chance.choice([1, 2, 2, 3, 3, 4]))
        return text if kind < 0.5 else self.spoiled(text)


def judged(text: str, variables: tuple[str, ...], dim: int | None) -> ExpressionReference | None:
    """Return a reference to the formula, or None after a refusal that says what is wrong and where."""
    try:
        return ExpressionReference(expression=text, variables=variables, constants={"a": 1.5}, dim=dim)
    except ValidationError as error:
        for issue in error.errors():
            cause = (issue.get("ctx") or {}).get("error")
            assert isinstance(cause, InvalidInput), text
            assert cause.detail, text
            assert cause.path == ("dim",) or cause.column is None or 1 <= cause.column <= len(text) + 1, text
    return None


def check_objective(reference: ExpressionReference, points: torch.Tensor) -> None:
    try:
        objective = reference.objective(points.shape[-1])
    except InvalidInput:  # an index that this dimension does not have
        return
    f, gradient = value_and_gradient(objective, points)
    assert f.shape == points.shape[:-1], reference.expression
    assert f.dtype == points.dtype, reference.expression
    assert gradient.shape == points.shape, reference.expression
    assert objective.n_values >= 1


@pytest.mark.parametrize("part", range(PARTS))
def test_no_text_does_anything_else(part: int) -> None:
    writer = Writer(random.Random(part))  # noqa: S311 - the same texts every time
    n_accepted = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for index in range(TEXTS_PER_PART):
            text = writer.text()
            variables, dim = [(("x", "y"), None), (("x",), 3), (("x", "y"), 4)][index % 3]
            reference = judged(text, variables, dim)
            if reference is None:
                continue
            n_accepted += 1
            if n_accepted % EVALUATED_EVERY == 0:
                points = torch.tensor([[0.5, -1.5, 2.0, 0.0]] * 2, dtype=(torch.float32, torch.float64)[index % 2])
                check_objective(reference, points[:, : reference.dim or len(variables)])
    assert n_accepted > TEXTS_PER_PART // 20
