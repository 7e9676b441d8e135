import inspect
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mpmath import mp

from tests.unit.formulas import FORMULAS
from thalweg.errors import InvalidInput
from thalweg.functions.base import CatalogueFunction, CatalogueObjective, Objective, function
from thalweg.functions.catalogue import functions, get, names
from thalweg.functions.minima import first

DIMS = (1, 2, 3, 5, 10, 50)
BATCHES = (1, 2, 3, 7, 64, 1000)


def dims_of(entry: CatalogueFunction) -> tuple[int, ...]:
    if entry.dim is not None:
        return (entry.dim,)
    dims = dict.fromkeys(dim + -dim % entry.dim_multiple for dim in DIMS)
    return tuple(dim for dim in dims if entry.min_dim <= dim <= (entry.max_dim or dim))


every_function = pytest.mark.parametrize("entry", functions(), ids=names())
every_objective = pytest.mark.parametrize(
    "objective",
    [pytest.param(entry.at(dim), id=f"{entry.name}-{dim}") for entry in functions() for dim in dims_of(entry)],
)
both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])


def sample(
    objective: CatalogueObjective, n: int, dtype: torch.dtype = torch.float64, seed: int = 7
) -> torch.Tensor:
    low, high = torch.tensor(objective.domain, dtype=torch.float64).unbind(-1)
    uniform = torch.rand(n, objective.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (low + (high - low) * uniform).to(dtype)


def value_and_gradient(objective: Objective, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    points = points.detach().requires_grad_()
    values = objective(points)
    (gradient,) = torch.autograd.grad(values.sum(), points)
    return values.detach(), gradient


def assert_rows_equal_alone(objective: Objective, points: torch.Tensor) -> None:
    values, gradients = value_and_gradient(objective, points)
    n = len(points)
    for row in sorted({0, 1, n // 2, n - 2, n - 1} & set(range(n))):
        value, gradient = value_and_gradient(objective, points[row].clone())
        torch.testing.assert_close(value, values[row], rtol=0, atol=0, equal_nan=True)
        torch.testing.assert_close(gradient, gradients[row], rtol=0, atol=0, equal_nan=True)


def exact(objective: CatalogueObjective, x: Sequence[float]) -> Any:
    """Return the value of the plain formula to 50 digits."""
    with mp.workdps(50):
        return FORMULAS[objective.function.name](*map(mp.mpf, x))


def exact_gradient(objective: CatalogueObjective, x: Sequence[float]) -> list[Any]:
    """Return the gradient of the plain formula by differences, far beyond double precision."""
    formula = FORMULAS[objective.function.name]
    with mp.workdps(50):
        order = range(objective.dim)
        at = tuple(map(mp.mpf, x))
        return [mp.diff(formula, at, tuple(int(i == j) for j in order)) for i in order]


def noise(evaluate: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Return by how much the value changes in the last digits of `x`: the attainable accuracy."""
    moved = [evaluate(x * (1 + k * 2**-52)) for k in range(-8, 9)]
    return torch.stack(moved).sub(evaluate(x)).abs().amax(0)


@every_objective
def test_values_are_those_of_the_plain_formula(objective: CatalogueObjective) -> None:
    points = sample(objective, 20)
    found, loss = objective(points), noise(objective, points)
    for point, value, slack in zip(points.tolist(), found.tolist(), loss.tolist(), strict=True):
        expected = exact(objective, point)
        assert abs(value - expected) <= 1e-13 * abs(expected) + 1e-14 + slack, point


@every_objective
def test_gradients_are_those_of_the_plain_formula(objective: CatalogueObjective) -> None:
    if objective.dim > 5:
        return
    points = sample(objective, 3)
    _, found = value_and_gradient(objective, points)
    loss = noise(lambda x: value_and_gradient(objective, x)[1], points)
    for point, gradient, slack in zip(points.tolist(), found.tolist(), loss.tolist(), strict=True):
        expected = exact_gradient(objective, point)
        scale = max(map(abs, expected))
        for one, other, lost in zip(gradient, expected, slack, strict=True):
            assert abs(one - other) <= 1e-12 * scale + 1e-14 + lost, point


@every_objective
def test_value_at_each_minimiser_is_the_stated_minimum(objective: CatalogueObjective) -> None:
    assert objective.minima.count
    for minimum in first(objective.minima, 20):
        stated = torch.tensor(minimum.x, dtype=torch.float64)
        slack = noise(objective, stated).item()
        assert minimum.f == pytest.approx(float(exact(objective, minimum.x)), rel=2e-16, abs=1e-15 + slack)
        assert objective(stated).item() == pytest.approx(minimum.f, rel=1e-14, abs=1e-14 + slack)


@every_objective
def test_minimisers_lie_in_the_domain_and_share_one_value(objective: CatalogueObjective) -> None:
    minima = first(objective.minima, 1000)
    assert len(objective.domain) == objective.dim
    assert len({minimum.f for minimum in minima}) == 1
    assert len({minimum.x for minimum in minima}) == len(minima)
    for index, minimum in enumerate(minima):
        assert len(minimum.x) == objective.dim
        assert all(low <= x <= high for x, (low, high) in zip(minimum.x, objective.domain, strict=True))
        assert objective.minima.nearest(np.array(minimum.x)) == index


def inside(objective: CatalogueObjective, x: Sequence[float]) -> bool:
    return all(low < t < high for t, (low, high) in zip(x, objective.domain, strict=True))


@every_objective
def test_gradient_vanishes_at_each_minimiser(objective: CatalogueObjective) -> None:
    for minimum in first(objective.minima, 20):
        stated = torch.tensor(minimum.x, dtype=torch.float64)
        _, gradient = value_and_gradient(objective, stated)
        assert torch.isfinite(gradient).all()
        if not objective.function.smooth:
            continue
        slack = noise(lambda x: value_and_gradient(objective, x)[1], stated)
        for i, (low, high) in enumerate(objective.domain):
            slope, spare = gradient[i].item(), 1e-12 + slack[i].item()
            assert minimum.x[i] == low or slope <= spare
            assert minimum.x[i] == high or slope >= -spare


@every_objective
def test_minimisers_are_right_to_the_last_digit(objective: CatalogueObjective) -> None:
    """A Newton step from the stated minimiser, with the exact gradient, stays within its last digit."""
    if not objective.function.smooth or objective.dim > 5:
        return
    for minimum in first(objective.minima, 8):
        stated = torch.tensor(minimum.x, dtype=torch.float64)
        if not inside(objective, minimum.x):
            continue
        hessian = torch.autograd.functional.hessian(objective, stated)  # type: ignore[no-untyped-call]
        slope = torch.tensor([float(d) for d in exact_gradient(objective, minimum.x)], dtype=torch.float64)
        if not torch.linalg.cond(hessian) <= 1e12:  # NaN for a zero Hessian
            assert slope.abs().max() < 1e-30
            continue
        step = torch.linalg.solve(hessian, slope)
        assert (step.abs() <= 1.01 * torch.tensor([math.ulp(x) for x in minimum.x]) + 1e-20).all()


@every_objective
def test_no_sampled_point_is_lower_than_the_minimum(objective: CatalogueObjective) -> None:
    values = torch.cat([objective(sample(objective, 10_000, seed=seed)) for seed in range(10)])
    assert torch.isfinite(values).all()
    assert values.min().item() >= objective.minima[0].f


@every_objective
def test_no_descent_in_the_domain_ends_lower(objective: CatalogueObjective) -> None:
    low, high = torch.tensor(objective.domain, dtype=torch.float64).unbind(-1)
    points = sample(objective, 200).requires_grad_()
    optimizer = torch.optim.Adam([points], lr=1.0)
    lowest = math.inf
    for step in range(200):
        values = objective(points)
        lowest = min(lowest, values.min().item())
        (slope,) = torch.autograd.grad(values.sum(), points)
        assert torch.isfinite(slope).all()
        # in units of the domain's width, with decreasing steps
        points.grad = slope * (high - low)
        before = points.detach().clone()
        optimizer.step()
        with torch.no_grad():
            moved = (points - before) * (high - low) * 0.05 * 0.97**step
            points.copy_((before + moved).clamp(low, high))
    stated = objective.minima[0].f
    assert lowest >= stated - 1e-13 * max(1, abs(stated)) * objective.dim


@both_dtypes
@every_objective
def test_a_row_equals_a_single_point_to_the_bit(objective: CatalogueObjective, dtype: torch.dtype) -> None:
    for n in BATCHES:
        assert_rows_equal_alone(objective, sample(objective, n, dtype))


@both_dtypes
@every_function
def test_a_row_equals_a_single_point_to_the_bit_in_every_dimension(
    entry: CatalogueFunction, dtype: torch.dtype
) -> None:
    dims = range(entry.min_dim, min(50, entry.max_dim or 50) + 1, entry.dim_multiple)
    for dim in (entry.dim,) if entry.dim is not None else dims:
        for n in (3, 64):
            assert_rows_equal_alone(entry.at(dim), sample(entry.at(dim), n, dtype))


@both_dtypes
@every_objective
def test_memory_layout_does_not_change_the_bits(objective: CatalogueObjective, dtype: torch.dtype) -> None:
    points = sample(objective, 64, dtype)
    assert_rows_equal_alone(objective, points.t().contiguous().t())
    assert_rows_equal_alone(objective, points[::3])
    assert_rows_equal_alone(objective, torch.stack((points, points), -1)[..., 0])


@every_objective
def test_leading_axes_are_kept(objective: CatalogueObjective) -> None:
    points = sample(objective, 12)
    values = objective(points)
    assert values.shape == (12,)
    assert objective(points[0]).shape == ()
    assert objective(points[:5]).shape == (5,)
    assert torch.equal(objective(points.reshape(3, 4, -1)), values.reshape(3, 4))
    assert objective(points[:0]).shape == (0,)


@both_dtypes
@every_objective
def test_dtype_is_kept_and_the_step_does_not_matter(objective: CatalogueObjective, dtype: torch.dtype) -> None:
    points = sample(objective, 4, dtype)
    assert objective(points).dtype == dtype
    torch.testing.assert_close(objective(points), objective(points, step=9), rtol=0, atol=0, equal_nan=True)


@every_function
def test_torch_export_traces_it(entry: CatalogueFunction) -> None:
    class Module(torch.nn.Module):
        def forward(self, points: torch.Tensor) -> torch.Tensor:
            return entry.evaluate(points)

    points = sample(entry.at(), 5)
    n = torch.export.Dim("n")
    traced = torch.export.export(Module(), (points,), dynamic_shapes=({0: n},)).module()
    more = sample(entry.at(), 9)
    assert torch.equal(traced(more), entry.evaluate(more))


@every_function
def test_facts_are_complete(entry: CatalogueFunction) -> None:
    assert entry.name.isidentifier()
    assert entry.title.strip()
    assert entry.formula.startswith("f(")
    assert any(character.isdigit() for character in entry.source)
    assert entry.formula.count(r"\left") == entry.formula.count(r"\right")
    depth = 0
    for brace in entry.formula.replace(r"\{", "").replace(r"\}", ""):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        assert depth >= 0
    assert depth == 0
    assert all(low < high for low, high in entry.at().domain)


def test_every_decorated_function_is_in_the_catalogue_once() -> None:
    folder = Path(inspect.getfile(functions)).parent
    written = sum(path.read_text().count("\n@function(") for path in folder.rglob("*.py"))
    assert written == len(functions()) == len(set(names()))
    assert all(get(name).name == name for name in names())


def test_every_function_has_a_plain_formula() -> None:
    assert set(FORMULAS) == set(names())


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        ("himmelblau", (0.0, 0.0), 170.0),
        ("himmelblau", (1.0, 1.0), 106.0),
        ("beale", (3.0, 0.5), 0.0),
        ("beale", (0.0, 0.0), 14.203125),
        ("beale", (1.0, 1.0), 14.203125),
        ("booth", (0.0, 0.0), 74.0),
        ("booth", (1.0, 3.0), 0.0),
        ("matyas", (1.0, 1.0), 0.04),
        ("matyas", (1.0, -1.0), 1.0),
        ("goldstein_price", (0.0, -1.0), 3.0),
        ("goldstein_price", (0.0, 0.0), 600.0),
        ("goldstein_price", (1.0, 1.0), 1876.0),
        ("three_hump_camel", (1.0, 1.0), 2 - 1.05 + 1 / 6 + 2),
        ("six_hump_camel", (1.0, 1.0), 4 - 2.1 + 1 / 3 + 1),
        ("sphere", (1.0, 2.0, 3.0), 14.0),
        ("rosenbrock", (-1.2, 1.0), 24.2),
        ("rosenbrock", (0.0, 0.0, 0.0), 2.0),
        ("rastrigin", (1.0, 2.0), 5.0),
        ("rastrigin", (0.5,), 20.25),
        ("ackley", (1.0, 1.0), 20 * (1 - math.exp(-0.2))),
        ("salomon", (3.0, 4.0), 0.5),
        ("schwefel_1_2", (1.0, 2.0, 3.0), 46.0),
        ("schwefel_2_20", (1.0, -2.0, 3.0), 6.0),
        ("schwefel_2_21", (1.0, -3.0, 2.0), 3.0),
        ("schwefel_2_22", (1.0, -2.0, 3.0), 12.0),
        ("schwefel_2_23", (1.0, -2.0), 1025.0),
        ("cosine_mixture", (1.0, 1.0, 1.0), 3.3),
        ("colville", (0.0, 0.0, 0.0, 0.0), 42.0),
        ("power_sum", (1.0, 1.0, 1.0, 1.0), 4.0**2 + 14**2 + 40**2 + 110**2),
        ("wolfe", (1.0, 0.0, 2.0), 4 / 3 + 2),
        ("helical_valley", (-1.0, 0.0, 0.0), 2500.0),
        ("helical_valley", (0.0, -2.0, 1.0), 100 * (3.5**2 + 1) + 1),
        ("gramacy_lee", (1.0,), 0.0),
        ("forrester", (1 / 3,), 0.0),
        ("levy", (5.0, -3.0), 1 + 10 * math.sin(1) ** 2 + 1),
        ("griewank", (0.0, math.sqrt(2) * math.pi), 2 + math.pi**2 / 2000),
        ("schwefel", (0.0, 0.0), 837.9657745448674),
        ("michalewicz", (math.pi / 2, math.pi / 2), -1 - 2**-10),
        ("zakharov", (1.0, 1.0), 2 + 2.25 + 5.0625),
        ("dixon_price", (0.0, 1.0), 9.0),
        ("trid", (1.0, 2.0, 3.0), 5 - 8),
        ("sum_of_different_powers", (-1.0, -0.5, 0.5), 1 + 0.125 + 0.0625),
        ("rotated_hyper_ellipsoid", (1.0, 2.0, 3.0), 20.0),
        ("perm_0_d_beta", (1.0, 1.0), 36.0 + 81.0),
        ("perm_d_beta", (1.0, 1.0), 1.25**2 + 3.375**2),
        ("powell", (3.0, -1.0, 0.0, 1.0), 215.0),
        ("brown", (1.0, 2.0), 1 + 16.0),
        ("vincent", (1.0, math.exp(math.pi / 20)), -1.0),
        ("styblinski_tang", (1.0, 1.0), -10.0),
        ("styblinski_tang", (0.0, 0.0, 0.0), 0.0),
    ],
)
def test_known_values(name: str, x: tuple[float, ...], value: float) -> None:
    objective = get(name).at(len(x))
    assert objective(torch.tensor(x, dtype=torch.float64)).item() == pytest.approx(value, rel=1e-14, abs=1e-14)


@both_dtypes
def test_himmelblau_equals_the_usual_script_to_the_bit(dtype: torch.dtype) -> None:
    objective = get("himmelblau").at()
    points = sample(objective, 1000, dtype)
    values, gradients = value_and_gradient(objective, points)
    for point, value, gradient in zip(points, values, gradients, strict=True):
        p = point.clone().requires_grad_()
        f = (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2
        f.backward()
        assert f.item() == value.item()
        assert p.grad is not None
        assert torch.equal(p.grad, gradient)


@both_dtypes
def test_ackley_has_gradient_zero_at_its_tip(dtype: torch.dtype) -> None:
    for dim in DIMS:
        _, gradient = value_and_gradient(get("ackley").at(dim), torch.zeros(4, dim, dtype=dtype))
        assert torch.equal(gradient, torch.zeros(4, dim, dtype=dtype))


@both_dtypes
@pytest.mark.parametrize(
    "name",
    [
        *("alpine_n1", "alpine_n2", "salomon", "schwefel_2_20", "schwefel_2_21", "schwefel_2_22"),
        *("xin_she_yang_n2", "xin_she_yang_n4"),
    ],
)
def test_undefined_derivatives_at_0_are_0(name: str, dtype: torch.dtype) -> None:
    for dim in DIMS[1:]:
        _, gradient = value_and_gradient(get(name).at(dim), torch.zeros(4, dim, dtype=dtype))
        assert torch.equal(gradient, torch.zeros(4, dim, dtype=dtype))


@both_dtypes
def test_derivatives_at_radius_0_are_finite(dtype: torch.dtype) -> None:
    axis = torch.tensor([[0.0, 0.0, 1.5], [0.0, 0.0, 0.0]], dtype=dtype)
    assert value_and_gradient(get("wolfe").at(), axis)[1].tolist() == [[0, 0, 1], [0, 0, 1]]
    assert torch.isfinite(value_and_gradient(get("helical_valley").at(), axis)[1]).all()
    _, (tip, beside) = value_and_gradient(get("ackley_n4").at(3), axis)
    assert torch.isfinite(torch.stack((tip, beside))).all()
    assert beside.tolist() == [0, 6, 6]


@pytest.mark.parametrize("dim", [2, 3, 6, 24, 25, 40])
def test_ackley_n4s_minima_are_right_to_the_last_digit(dim: int) -> None:
    """Its minima are not at the tip of a cone: a Newton step stays within their last digit."""
    objective = get("ackley_n4").at(dim)
    assert objective.minima.count == 2
    for minimum in first(objective.minima, 2):
        stated = torch.tensor(minimum.x, dtype=torch.float64)
        hessian = torch.autograd.functional.hessian(objective, stated)  # type: ignore[no-untyped-call]
        assert torch.linalg.eigvalsh(hessian).min() > 1
        slope = torch.tensor([float(d) for d in exact_gradient(objective, minimum.x)], dtype=torch.float64)
        step = torch.linalg.solve(hessian, slope)
        assert (step.abs() <= 0.51 * torch.tensor([math.ulp(x) for x in minimum.x])).all()


def test_himmelblau_and_six_hump_camel_have_all_their_minima() -> None:
    assert [tuple(round(t, 3) for t in minimum.x) for minimum in first(get("himmelblau").at().minima, 9)] == [
        (3.0, 2.0),
        (-2.805, 3.131),
        (-3.779, -3.283),
        (3.584, -1.848),
    ]
    assert get("six_hump_camel").at().minima.count == 2


def test_default_dimension() -> None:
    assert get("himmelblau").at().dim == get("himmelblau").at(2).dim == 2
    assert get("sphere").at().dim == get("rosenbrock").at().dim == 2
    assert get("powell").at().dim == 4
    assert get("sphere").at(3).domain == ((-5.12, 5.12),) * 3


@pytest.mark.parametrize(
    ("name", "dim", "detail"),
    [
        ("himmelblau", 3, "himmelblau takes points of dimension 2, not 3"),
        ("himmelblau", 0, "himmelblau takes points of dimension 2, not 0"),
        ("rosenbrock", 1, "rosenbrock takes points of dimension 2 or more, not 1"),
        ("sphere", 0, "sphere takes points of dimension 1 or more, not 0"),
        ("sphere", -4, "sphere takes points of dimension 1 or more, not -4"),
        ("powell", 6, "powell takes points whose dimension is a multiple of 4, not 6"),
        ("powell", 2, "powell takes points of dimension 4 or more, not 2"),
        (
            "perm_d_beta",
            80,
            "perm_d_beta takes points of dimension 79 or less, not 80: beyond that its values overflow a double",
        ),
    ],
)
def test_wrong_dimension_is_rejected(name: str, dim: int, detail: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        get(name).at(dim)
    assert refused.value.detail == detail


def test_unknown_name_is_rejected_with_suggestions() -> None:
    with pytest.raises(InvalidInput) as refused:
        get("Himelblau")
    assert refused.value.detail == ("there is no function 'Himelblau'; did you mean himmelblau?")
    with pytest.raises(InvalidInput) as refused:
        get("1234")
    assert refused.value.detail == "there is no function '1234'"


def test_an_entry_is_named_after_its_function() -> None:
    @function(title="Line", dim=1, domain=((0.0, 1.0),), minima=(), formula="f(x) = x", source="1900")
    def line(points: torch.Tensor) -> torch.Tensor:
        return points[..., 0]

    assert line.name == "line"
    with pytest.raises(InvalidInput, match="line takes points of dimension 1, not 2"):
        line.at(2)
