"""The words of formulas: functions, reductions, constants."""

import keyword
import math
import re
from difflib import get_close_matches
from typing import Final

from thalweg.errors import InvalidInput
from thalweg.functions.expressions.limits import MAX_NAME_LENGTH
from thalweg.functions.expressions.operations import FUNCTIONS

NUMBERS: Final = {"pi": math.pi, "e": math.e, "tau": math.tau}
"""Constants that every formula has."""

REDUCTIONS: Final = ("sum", "prod", "min", "max", "mean", "norm")
"""What makes one number of many, which a loop goes through."""

DIMENSION: Final = "n"
"""The number of coordinates, unless a formula declares it to be something else."""

OPERATOR_WORDS: Final = frozenset({"and", "or", "not", "if", "else", "for", "in"})
"""Words of Python that have a meaning in formulas."""

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
    """Return a name that a variable or constant can have.

    Raises:
        InvalidInput: It is not one, or it means something already; `path` leads to it.
    """
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise InvalidInput(
            f"a name is at most {MAX_NAME_LENGTH} letters, digits and underscores of ASCII, and no digit first",
            *path,
        )
    if keyword.iskeyword(name):
        raise InvalidInput(f"{name} is a word of Python's grammar: choose another name", *path)
    if name in RESERVED:
        raise InvalidInput(f"{name} has a meaning of its own in every formula: choose another name", *path)
    return name


def likely(name: str, known: list[str]) -> str:
    """Return what was perhaps meant by an unknown name, as the end of a sentence."""
    if name in _ELSEWHERE:
        return f"; write {_ELSEWHERE[name]}"
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; it knows {', '.join(known[:20])}" if known else ""
