"""Cases beyond the sweep of the catalogue: zeros, overflow, and minima of many coordinates."""

import pytest
import torch
from mpmath import mp

from tests.unit.test_functions import both_dtypes, value_and_gradient
from thalweg.functions.catalogue import get
from thalweg.functions.minima import first


def hessian_of(name: str, x: list[float]) -> torch.Tensor:
    at = torch.tensor(x, dtype=torch.float64)
    hessian: torch.Tensor = torch.autograd.functional.hessian(get(name).at(len(x)), at)  # type: ignore[no-untyped-call]
    return hessian


@both_dtypes
@pytest.mark.parametrize("name", ["schwefel", "brown", "sum_of_different_powers", "griewank"])
def test_gradients_at_zeros_are_those_of_the_formula(name: str, dtype: torch.dtype) -> None:
    tiny = torch.finfo(dtype).tiny
    _, gradient = value_and_gradient(get(name).at(3), torch.tensor([0.0, tiny, -tiny / 4], dtype=dtype))
    assert (gradient.abs() <= 2 * tiny**0.5).all()
    _, gradient = value_and_gradient(get(name).at(3), torch.tensor([0.0, 0.5, 0.0], dtype=dtype))
    _, close = value_and_gradient(get(name).at(3), torch.tensor([1e-12, 0.5, 1e-12], dtype=dtype))
    torch.testing.assert_close(gradient, close, rtol=1e-6, atol=1e-5)


def test_second_derivatives_at_zeros() -> None:
    assert torch.equal(
        hessian_of("sum_of_different_powers", [0.0] * 3), torch.diag(torch.tensor([2.0, 0, 0])).double()
    )
    assert torch.equal(hessian_of("brown", [0.0] * 3), torch.diag(torch.tensor([2.0, 4.0, 2.0])).double())
    assert torch.equal(hessian_of("powell", [0.0] * 4)[0], torch.tensor([2.0, 20.0, 0, 0]).double())


@both_dtypes
def test_a_low_power_does_not_overflow_beside_a_high_one(dtype: torch.dtype) -> None:
    points = torch.tensor([1e15] + [0.5] * 15, dtype=dtype)
    value, gradient = value_and_gradient(get("sum_of_different_powers").at(16), points)
    assert value.item() == pytest.approx(1e30, rel=1e-6)
    assert gradient[0].item() == pytest.approx(2e15, rel=1e-6)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["perm_0_d_beta", "perm_d_beta"])
def test_the_largest_dimension_is_the_last_without_overflow(name: str) -> None:
    def corner(dim: int) -> torch.Tensor:
        return torch.full((dim,), float(dim), dtype=torch.float64)

    dim = get(name).max_dim
    assert dim is not None
    for numbers in value_and_gradient(get(name).at(dim), corner(dim)):
        assert torch.isfinite(numbers).all()
    assert torch.isinf(get(name).evaluate(corner(dim + 1)))


def test_michalewicz_minima_are_the_nearest_doubles_far_along() -> None:
    (minimum,) = first(get("michalewicz").at(2003).minima, 2)
    for i in [*range(1, 30), 998, 999, 1000, 1001, 2003]:
        x = minimum.x[i - 1]
        with mp.workdps(40):

            def height(t: mp.mpf, i: int = i) -> mp.mpf:
                return mp.sin(t) * mp.sin(i * t * t / mp.pi) ** 20

            def slope(t: mp.mpf, i: int = i) -> mp.mpf:
                return mp.cot(t) + 40 * i * t / mp.pi * mp.cot(i * t * t / mp.pi)

            top = mp.findroot(slope, (x * (1 - mp.mpf(10) ** -9), x * (1 + mp.mpf(10) ** -9)), solver="secant")
            peaks = [mp.pi * mp.sqrt((k + mp.mpf(1) / 2) / i) for k in range(i)]
            assert float(top) == x
            assert height(top) >= max(map(height, peaks))


def test_qings_minima_lie_in_the_domain_in_any_dimension() -> None:
    objective = get("qing").at(500**2 + 2)
    minimum = objective.minima[0]
    assert (minimum.x[-3], minimum.x[-1], minimum.f) == (500.0, 500.0, 5.0)
    assert objective(torch.tensor(minimum.x, dtype=torch.float64)).item() == pytest.approx(5.0)
