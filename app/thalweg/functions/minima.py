"""The known global minima of a function, few enough to be listed or one for every combination of coordinates."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Minimum:
    """A global minimiser `x` and the value `f` there, correct to the last digit of a double."""

    x: tuple[float, ...]
    f: float


class Minima(Protocol):
    """All global minima of a function in its domain, in a fixed order."""

    @property
    def count(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, index: int) -> Minimum:
        """Return minimum number `index`, from 0 to `count` - 1."""
        ...

    def nearest(self, x: np.ndarray) -> int:
        """Return which one is nearest to the finite point `x`, `(dim,)`; there must be one."""
        ...


@dataclass(frozen=True, slots=True)
class ListedMinima:
    """Minima that are written out."""

    minima: tuple[Minimum, ...] = ()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.minima)

    def __getitem__(self, index: int) -> Minimum:
        """Return minimum number `index`."""
        return self.minima[index]

    def nearest(self, x: np.ndarray) -> int:
        """Return which one is nearest to `x`, `(dim,)`."""
        with np.errstate(over="ignore"):  # infinitely far is far
            distances = np.linalg.norm(np.array([minimum.x for minimum in self.minima]) - x, axis=1)
        return int(distances.argmin())


@dataclass(frozen=True, slots=True)
class MinimaGrid:
    """A minimum for every combination of coordinates; the last coordinate varies fastest.

    Attributes:
        coordinates: The values that each coordinate may have, `dim` sequences.
        f: The value at all of them.
    """

    coordinates: tuple[tuple[float, ...], ...]
    f: float

    @property
    def count(self) -> int:
        """How many there are."""
        return prod(len(values) for values in self.coordinates)

    def __getitem__(self, index: int) -> Minimum:
        """Return minimum number `index`."""
        x = []
        for values in reversed(self.coordinates):
            index, place = divmod(index, len(values))
            x.append(values[place])
        return Minimum(tuple(reversed(x)), self.f)

    def nearest(self, x: np.ndarray) -> int:
        """Return which one is nearest to `x`, `(dim,)`."""
        index = 0
        for values, coordinate in zip(self.coordinates, x, strict=True):
            index = index * len(values) + int(np.abs(np.array(values) - coordinate).argmin())
        return index


def first(minima: Minima, most: int) -> list[Minimum]:
    """Return the first minima, `most` at most."""
    return [minima[index] for index in range(min(most, minima.count))]


def listed(x: Sequence[Sequence[float]], f: float) -> tuple[Minimum, ...]:
    """Return minima at the points `x` that share the value `f`."""
    return tuple(Minimum(tuple(point), f) for point in x)
