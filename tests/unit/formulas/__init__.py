"""Every function of the catalogue restated in mpmath, for any precision.

Written from the literature and not from the catalogue, in another form where there is one.
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

FORMULAS: dict[str, Callable[..., Any]] = {
    name: formula
    for module in iter_modules(__path__, f"{__name__}.")
    for name, formula in import_module(module.name).FORMULAS.items()
}
