"""The vocabulary of formulas: functions, reductions, constants."""

import keyword
import math
import re
from difflib import get_close_matches
from typing import Final

from thalweg.errors import InvalidInput
from thalweg.functions.expressions.limits import MAX_NAME_LENGTH
from thalweg.functions.expressions.operations import FUNCTIONS

NUMBERS: Final = {"pi": math.pi, "e": math.e, "tau": math.tau}
"""Predefined constants."""

REDUCTIONS: Final = ("sum", "prod", "min", "max", "mean", "norm")
"""Functions that reduce a loop or a vector to a number."""

DIMENSION: Final = "n"
"""The name of the number of coordinates, unless a formula declares it otherwise."""

OPERATOR_WORDS: Final = frozenset({"and", "or", "not", "if", "else", "for", "in"})
"""Python keywords allowed in formulas."""

RESERVED: Final = frozenset({*NUMBERS, *REDUCTIONS, *FUNCTIONS, "where", "range", "len"})
"""Names that a formula cannot declare."""

_ELSEWHERE: Final = {
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "power": "**",
    "mod": "%",
    "square": "**2",
    "product": "prod",
    "clip": "clamp",
    "heaviside": "where",
    "enumerate": "range",
    "zip": "range",
}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_declared(name: str, *path: str | int) -> str:
    """Return `name` if it is valid for a variable or constant.

    Raises:
        InvalidInput: It is not a name, or is reserved; `path` leads to it.
    """
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise InvalidInput(
            f"a name consists of at most {MAX_NAME_LENGTH} ASCII letters, digits and underscores, and does not "
            "start with a digit",
            *path,
        )
    if keyword.iskeyword(name):
        raise InvalidInput(f"{name} is a Python keyword: choose another name", *path)
    if name in RESERVED:
        raise InvalidInput(f"{name} is predefined in formulas: choose another name", *path)
    return name


def likely(name: str, known: list[str]) -> str:
    """Return a suggestion for an unknown name, as the end of a sentence."""
    if name in _ELSEWHERE:
        return f"; write {_ELSEWHERE[name]}"
    close = get_close_matches(name, known, n=1)
    return (
        f"; did you mean {close[0]}?" if close else f"; the formula knows {', '.join(known[:20])}" if known else ""
    )
