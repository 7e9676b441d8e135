"""Functions of Sleef, the vector library that torch uses where it does not use Intel's."""

from typing import Final

from thalweg.native.builder import BYTES, Builder, Type

FUNCTIONS: Final = ("log1p", "expm1")
"""The functions, by torch's names."""

NEEDED_FEATURES: Final = ("avx2", "fma")
"""Processor features they need."""

_VECTOR_BYTES: Final = 32


def name_of(op: str, of_type: Type) -> str:
    """Return the library's name of a function, for vectors of 32 bytes."""
    return f"Sleef_{op}{of_type[0]}{_lanes(of_type)}_u10avx2"


def call(builder: Builder, op: str, x: str, of_type: Type) -> str:
    """Call the function on a vector."""
    return builder.by_parts(name_of(op, of_type), x, of_type, _lanes(of_type))


def _lanes(of_type: Type) -> int:
    return _VECTOR_BYTES // BYTES[of_type]
