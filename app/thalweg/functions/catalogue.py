"""The test functions by name: every decorated function in a module of the packages below."""

from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from thalweg.errors import InvalidInput, Remedy
from thalweg.functions import any_dimension, fixed_dimension, planar
from thalweg.functions.base import CatalogueFunction


def _entries(package: ModuleType) -> Iterator[CatalogueFunction]:
    for module in iter_modules(package.__path__, f"{package.__name__}."):
        for entry in vars(import_module(module.name)).values():
            if isinstance(entry, CatalogueFunction):
                yield entry


_FUNCTIONS = (*_entries(planar), *_entries(fixed_dimension), *_entries(any_dimension))
_BY_NAME = {entry.name: entry for entry in _FUNCTIONS}


def functions() -> tuple[CatalogueFunction, ...]:
    """Return every function of the catalogue, in a fixed order."""
    return _FUNCTIONS


def names() -> tuple[str, ...]:
    """Return the name of every function, in the order of `functions`."""
    return tuple(entry.name for entry in _FUNCTIONS)


def has(name: str) -> bool:
    """Return whether there is a function of this name."""
    return name in _BY_NAME


def get(name: str) -> CatalogueFunction:
    """Return the function of this name.

    Raises:
        InvalidInput: There is no such function; the detail suggests similar names.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    close = get_close_matches(name[:50].lower(), _BY_NAME, n=3)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise InvalidInput(f"there is no function {name[:50]!r}{hint}", remedy=Remedy.functions)
