"""Known global minima of a function: a list, or a grid of coordinate values."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Minimum:
    """A global minimiser `x` and its value `f`, correct to the last digit of a double."""

    x: tuple[float, ...]
    f: float


class Minima(Protocol):
    """The known global minima of a function in its domain, in a fixed order."""

    @property
    def count(self) -> int:
        """Number of minima."""
        ...

    def __getitem__(self, index: int) -> Minimum:
        """Return the minimum with this index, from 0 to `count` - 1."""
        ...

    def nearest(self, x: np.ndarray) -> int:
        """Return the index of the minimum nearest to the finite point `x`, `(dim,)`; `count` must not be 0."""
        ...


@dataclass(frozen=True, slots=True)
class ListedMinima:
    """A list of minima."""

    minima: tuple[Minimum, ...] = ()

    @property
    def count(self) -> int:
        """Number of minima."""
        return len(self.minima)

    def __getitem__(self, index: int) -> Minimum:
        """Return the minimum with this index."""
        return self.minima[index]

    def nearest(self, x: np.ndarray) -> int:
        """Return the index of the minimum nearest to `x`, `(dim,)`."""
        with np.errstate(over="ignore"):  # an infinite distance is fine
            distances = np.linalg.norm(np.array([minimum.x for minimum in self.minima]) - x, axis=1)
        return int(distances.argmin())


@dataclass(frozen=True, slots=True)
class MinimaGrid:
    """A minimum for every combination of coordinates; the last coordinate varies fastest.

    Attributes:
        coordinates: The possible values of each coordinate, `dim` sequences.
        f: The function value at all minima.
    """

    coordinates: tuple[tuple[float, ...], ...]
    f: float

    @property
    def count(self) -> int:
        """Number of minima."""
        return prod(len(values) for values in self.coordinates)

    def __getitem__(self, index: int) -> Minimum:
        """Return the minimum with this index."""
        x = []
        for values in reversed(self.coordinates):
            index, place = divmod(index, len(values))
            x.append(values[place])
        return Minimum(tuple(reversed(x)), self.f)

    def nearest(self, x: np.ndarray) -> int:
        """Return the index of the minimum nearest to `x`, `(dim,)`."""
        index = 0
        for values, coordinate in zip(self.coordinates, x, strict=True):
            index = index * len(values) + int(np.abs(np.array(values) - coordinate).argmin())
        return index


def first(minima: Minima, most: int) -> list[Minimum]:
    """Return the first `most` minima, or all if there are fewer."""
    return [minima[index] for index in range(min(most, minima.count))]


def listed(x: Sequence[Sequence[float]], f: float) -> tuple[Minimum, ...]:
    """Return minima at the points `x` with the common value `f`."""
    return tuple(Minimum(tuple(point), f) for point in x)
