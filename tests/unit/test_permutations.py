"""All global minima of the Perm functions, found a second time: by following every solution of an easier system.

A system of polynomials of degrees 1 to n has at most n! isolated complex solutions. From the n! of a system that
is solved by roots of unity a path leads to each; where n! different ones arrive, these are all, the real ones too.
"""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from thalweg.functions.catalogue import get


def equations(name: str, n: int) -> tuple[Any, Any]:
    """Return c and b of the equations sum_j c_ij x_j^i = b_i whose squared errors the function adds up."""
    i, j = np.indices((n, n)) + 1.0
    if name == "perm_0_d_beta":
        return j + 10, ((j + 10) / j**i).sum(1)
    return (j**i + 0.5) / j**i, (j**i + 0.5).sum(1)


class Homotopy:
    """The systems between twist (x_i^i - roots_i) = 0, at t = 0, and c x^i = b, at t = 1; x is (paths, n)."""

    def __init__(self, c: Any, b: Any) -> None:
        n = len(b)
        self.degree = np.arange(1, n + 1)
        self.c, self.b = c, b
        self.twist, self.roots = np.exp(2j * np.pi * np.random.default_rng(3).random((2, n)))

    def starts(self) -> Any:
        circles = [
            self.roots[d - 1] ** (1 / d) * np.exp(2j * np.pi * np.arange(d) / d) for d in self.degree.tolist()
        ]
        return np.array(list(itertools.product(*circles)))

    def ends(self, x: Any) -> tuple[Any, Any]:
        """Return the residuals at t = 0 and at t = 1."""
        powers = x[:, None, :] ** self.degree[:, None]
        return self.twist * (x**self.degree - self.roots), (self.c * powers).sum(-1) - self.b

    def solve(self, x: Any, t: Any, right: Any) -> Any:
        """Solve the Jacobian of the system for a right-hand side."""
        slopes = self.degree[:, None] * x[:, None, :] ** (self.degree - 1)[:, None]
        t = t[:, None, None]
        matrices = (1 - t) * self.twist[:, None] * np.eye(len(self.b)) * slopes + t * self.c * slopes
        return np.linalg.solve(matrices, right[..., None])[..., 0]

    def drift(self, x: Any, t: Any) -> Any:
        """Return the direction of the paths."""
        easy, wanted = self.ends(x)
        return self.solve(x, t, easy - wanted)

    def predicted(self, x: Any, t: Any, h: Any) -> Any:
        """Return a Runge-Kutta step."""
        half, by = t + h / 2, h[:, None]
        k1 = self.drift(x, t)
        k2 = self.drift(x + by / 2 * k1, half)
        k3 = self.drift(x + by / 2 * k2, half)
        k4 = self.drift(x + by * k3, t + h)
        return x + by / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def corrected(self, x: Any, t: Any) -> tuple[Any, Any]:
        """Make three Newton steps, and return their lengths."""
        lengths = []
        for _ in range(3):
            easy, wanted = self.ends(x)
            step = self.solve(x, t, (1 - t)[:, None] * easy + t[:, None] * wanted)
            x = x - step
            lengths.append(np.abs(step).max(1))
        return x, lengths


def solutions(name: str, n: int) -> Any:
    """Return the end points of the n! paths."""
    c, b = equations(name, n)
    scale = float(n) if name == "perm_d_beta" else 1.0
    c = c * scale ** np.arange(1, n + 1)[:, None]
    largest = c.max(1)
    homotopy = Homotopy(c / largest[:, None], b / largest)
    x = homotopy.starts()
    t, h = np.zeros(len(x)), np.full(len(x), 1e-3)
    while (t < 1).any():
        (on,) = np.nonzero(t < 1)
        assert h[on].min() > 1e-13, "a path does not arrive"
        step = np.minimum(h[on], 1 - t[on])
        end = np.where(step < h[on], 1.0, t[on] + step)
        new, lengths = homotopy.corrected(homotopy.predicted(x[on], t[on], step), end)
        held = (lengths[0] < 1e-4) & (lengths[-1] < 1e-10)
        x[on[held]], t[on[held]] = new[held], end[held]
        h[on] = np.where(held, np.minimum(np.where(lengths[0] < 1e-6, 1.5, 1.0) * step, 0.05), step / 2)
    return x * scale


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["perm_0_d_beta", "perm_d_beta"])
def test_all_minima_are_known(name: str, n: int) -> None:
    objective = get(name).at(n)
    ends = solutions(name, n)
    assert len(ends) == math.factorial(n)
    distances = np.abs(ends[:, None] - ends[None]).max(-1)
    assert (distances + np.eye(len(ends))).min() > 1e-5
    real = ends[np.abs(ends.imag).max(1) < 1e-8].real
    inside = real[(np.abs(real) <= n + 1e-9).all(1)]
    assert objective.all_minima_known
    assert objective.minima.count == len(inside)
    for index in range(objective.minima.count):
        assert np.abs(inside - objective.minima[index].x).max(1).min() < 1e-9


def test_of_more_coordinates_one_is_known() -> None:
    for name in ("perm_0_d_beta", "perm_d_beta"):
        assert not get(name).at(6).all_minima_known
        assert get(name).at(6).minima.count == 1
    assert get("sphere").at(50).all_minima_known
