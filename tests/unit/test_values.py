from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from thalweg.analysis.evaluation import Evaluation, evaluate
from thalweg.analysis.surface import Slice, Surface, surface
from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueFunction
from thalweg.settings import Limits

LIMITS = Limits.model_validate({})


def surface_of(function: Any, **window: Any) -> Surface:
    return surface(Slice.model_validate({"function": function, **window}), LIMITS)


def test_himmelblau_equals_numpy_bitwise() -> None:
    window = {"x_min": -6.0, "x_max": 6.0, "y_min": -6.0, "y_max": 6.0}
    found = surface_of("himmelblau", step=0.1, **window)
    axis = np.arange(-6, 6, 0.1)
    x, y = np.meshgrid(axis, axis)
    assert found.z.shape == (120, 120)
    np.testing.assert_array_equal(found.x, axis)
    np.testing.assert_array_equal(found.y, axis)
    np.testing.assert_array_equal(found.z, (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2)


def test_rows_are_y_and_columns_are_x() -> None:
    found = surface_of("booth", x_min=0.0, x_max=3.0, y_min=10.0, y_max=12.0, step=1.0)
    assert (found.x.tolist(), found.y.tolist()) == ([0, 1, 2], [10, 11])
    for j, y in enumerate(found.y):
        for i, x in enumerate(found.x):
            assert found.z[j, i] == (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


@given(
    st.floats(-50, 50), st.floats(0.1, 50), st.floats(-50, 50), st.floats(0.1, 50), st.integers(2, 40), st.data()
)
@settings(deadline=None, max_examples=50)
def test_a_window_equals_linspace_or_arange(
    x: float, width: float, y: float, height: float, points: int, data: st.DataObject
) -> None:
    window = {"x_min": x, "x_max": x + width, "y_min": y, "y_max": y + height}
    ends = (x, x + width), (y, y + height)
    if data.draw(st.booleans()):
        found = surface_of("himmelblau", points=points, **window)
        expected = [np.linspace(*end, points) for end in ends]
    else:
        step = data.draw(st.floats(0.3, 10))
        found = surface_of("himmelblau", step=step, **window)
        expected = [np.arange(*end, step) for end in ends]
    np.testing.assert_array_equal(found.x, expected[0])
    np.testing.assert_array_equal(found.y, expected[1])
    assert found.z.shape == (len(found.y), len(found.x))


@pytest.mark.parametrize("function", catalogue.functions(), ids=lambda function: function.name)
def test_a_surface_covers_the_domain_by_default(function: CatalogueFunction) -> None:
    objective = function.at()
    if objective.dim < 2:
        with pytest.raises(ValidationError, match="a surface needs two coordinates, and the function has 1"):
            surface_of(function.name)
        return
    found = surface_of(function.name)
    (x_low, x_high), (y_low, y_high) = objective.domain[:2]
    np.testing.assert_array_equal(found.x, np.linspace(x_low, x_high, 100))
    np.testing.assert_array_equal(found.y, np.linspace(y_low, y_high, 100))
    middle = [np.full((100, 100), (low + high) / 2) for low, high in objective.domain[2:]]
    grid = np.stack([*np.meshgrid(found.x, found.y), *middle], axis=-1)
    np.testing.assert_array_equal(found.z, objective(torch.from_numpy(grid)).numpy())


@pytest.mark.parametrize(
    ("fixed", "base"),
    [
        (None, [0, 0, 0, 0]),
        ([1, 2, 3, 4], [1, 2, 3, 4]),
        ({"0": 0.5}, [0.5, 0, 0, 0]),
        ({"0": 0.5, "2": -1.5}, [0.5, 0, -1.5, 0]),
        ({}, [0, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize("axes", [(1, 3), (3, 1), (0, 2)])
def test_a_slice_goes_through_the_fixed_point_along_its_axes(
    fixed: Any, base: list[float], axes: tuple[int, int]
) -> None:
    function = {"name": "styblinski_tang", "dim": 4}
    found = surface_of(function, axes=axes, fixed=fixed, x_min=-2.0, x_max=2.0, y_min=0.0, y_max=3.0, points=7)
    objective = catalogue.get("styblinski_tang").at(4)
    for j, y in enumerate(found.y):
        for i, x in enumerate(found.x):
            point = np.array(base, dtype=np.float64)
            point[list(axes)] = x, y
            assert found.z[j, i] == objective(torch.from_numpy(point)).item()


def test_a_list_of_fixed_values_says_the_dimension() -> None:
    found = surface_of("sphere", fixed=[0, 0, 3], points=3, x_min=-1.0, x_max=1.0, y_min=-1.0, y_max=1.0)
    assert found.z[1, 1] == 9


def test_values_do_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = surface_of("ackley", points=50)
    monkeypatch.setattr("thalweg.analysis.derivatives._VALUES_TOGETHER", 74)
    np.testing.assert_array_equal(surface_of("ackley", points=50).z, whole.z)


def test_derivatives_do_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(2).uniform(-5, 5, (50, 3)).tolist()
    request = Evaluation.model_validate(
        {"function": "rastrigin", "points": points, "hessian": True, "gradient": True}
    )
    whole = evaluate(request)
    monkeypatch.setattr("thalweg.analysis.derivatives._DERIVED_TOGETHER", 210)
    parts = evaluate(request)
    np.testing.assert_array_equal(parts.f, whole.f)
    np.testing.assert_array_equal(parts.gradient, whole.gradient)
    np.testing.assert_array_equal(parts.hessian, whole.hessian)


def test_coordinates_that_a_formula_does_not_use_count_towards_the_limit() -> None:
    formula = {"expression": "x[0]", "variables": ["x"], "dim": 10_000, "domain": [[-1, 1]]}
    with pytest.raises(LimitExceeded, match="max_request_values"):
        surface_of(formula, points=400)


def test_a_single_evaluation_can_exceed_the_limit() -> None:
    network = {"mlp": {"layers": [2, 1], "dataset": {"name": "moons", "n": 1000}, "batch_size": 2}}
    request = Evaluation.model_validate({"function": network, "points": [[0, 0, 0]]})
    request.check_limits(Limits(max_evaluation_values=10_000))
    with pytest.raises(LimitExceeded, match="max_evaluation_values"):
        request.check_limits(Limits(max_evaluation_values=7_000))


@pytest.mark.parametrize("spacing", [{"points": 11}, {"step": 0.999}])
def test_a_surface_passes_at_the_limit_and_not_above(spacing: dict[str, Any]) -> None:
    request = Slice.model_validate({"function": "sphere", "x_max": 5.12 - 0.25, **spacing})
    assert surface(request, Limits(max_grid_points=121)).z.size <= 121
    with pytest.raises(LimitExceeded, match="max_grid_points"):
        surface(request, Limits(max_grid_points=surface(request, LIMITS).z.size - 1))


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not below"):
        surface_of("himmelblau", x_min=1.0, x_max=1.0)


def points_in(function: CatalogueFunction, dim: int, n: int) -> np.ndarray:
    low, high = np.array(function.at(dim).domain).T
    # not in the middle, where some functions have their minimum and no derivative
    points: np.ndarray = low + (high - low) * (0.05 + 0.4 * np.random.default_rng(7).random((n, dim)))
    return points


# their waves are too short for a step of 1e-5
STEPS = {"whitley": 3e-9, "schaffer_n1": 1e-9, "schaffer_n4": 1e-6}


@pytest.mark.parametrize("function", catalogue.functions(), ids=lambda function: function.name)
def test_derivatives_are_the_limits_of_differences(function: CatalogueFunction) -> None:
    dim = function.dim or 3 + -3 % function.dim_multiple
    points = points_in(function, dim, 5)
    request = {"function": function.name, "points": points.tolist(), "gradient": True, "hessian": True}
    found = evaluate(Evaluation.model_validate(request))
    assert found.gradient is not None
    assert found.hessian is not None
    assert found.gradient.shape == (5, dim)
    assert found.hessian.shape == (5, dim, dim)
    objective = function.at(dim)
    np.testing.assert_array_equal(found.f, objective(torch.from_numpy(points)).numpy())
    np.testing.assert_allclose(found.hessian, found.hessian.swapaxes(1, 2), rtol=1e-12, atol=1e-9)
    step = STEPS.get(function.name, 1e-5)
    for i in range(dim):
        h = step * np.eye(dim)[i]
        near = [
            evaluate(Evaluation.model_validate({**request, "hessian": False, "points": (points + d).tolist()}))
            for d in (h, -h)
        ]
        slope = (near[0].f - near[1].f) / (2 * step)
        scale = np.abs(found.f).max() + np.abs(found.gradient).max()
        np.testing.assert_allclose(found.gradient[:, i], slope, rtol=1e-5, atol=1e-8 * scale)
        assert near[0].gradient is not None
        assert near[1].gradient is not None
        curvature = (near[0].gradient - near[1].gradient) / (2 * step)
        scale = np.abs(found.gradient).max() + np.abs(found.hessian).max()
        np.testing.assert_allclose(found.hessian[:, i], curvature, rtol=1e-5, atol=1e-8 * scale)


def test_derivatives_of_himmelblau_equal_its_formulas() -> None:
    points = np.random.default_rng(0).uniform(-6, 6, (20, 2))
    request = {"function": "himmelblau", "points": points.tolist(), "gradient": True, "hessian": True}
    found = evaluate(Evaluation.model_validate(request))
    x, y = points.T
    u, v = x**2 + y - 11, x + y**2 - 7
    gradient = np.stack([4 * x * u + 2 * v, 2 * u + 4 * y * v], axis=-1)
    mixed = 4 * (x + y)
    hessian = np.array([[4 * u + 8 * x**2 + 2, mixed], [mixed, 4 * v + 8 * y**2 + 2]]).transpose(2, 0, 1)
    np.testing.assert_allclose(found.f, u**2 + v**2, rtol=1e-14)
    assert found.gradient is not None
    np.testing.assert_allclose(found.gradient, gradient, rtol=1e-12, atol=1e-10)
    assert found.hessian is not None
    np.testing.assert_allclose(found.hessian, hessian, rtol=1e-12, atol=1e-10)


def test_the_hessian_of_the_sphere_is_twice_the_identity() -> None:
    request = {"function": "sphere", "points": [[1, 2, 3], [0, 0, 0]], "hessian": True}
    found = evaluate(Evaluation.model_validate(request))
    assert found.gradient is None
    assert found.hessian is not None
    np.testing.assert_array_equal(found.hessian, np.stack([2 * np.eye(3)] * 2))


def test_only_derivatives_asked_for_are_returned() -> None:
    found = evaluate(Evaluation.model_validate({"function": "sphere", "points": [[1, 2]]}))
    assert found.f.tolist() == [5]
    assert found.gradient is None
    assert found.hessian is None


@pytest.mark.parametrize(
    ("asked", "n_numbers"), [({}, 5), ({"gradient": True}, 20), ({"gradient": True, "hessian": True}, 65)]
)
def test_an_evaluation_passes_at_the_limit_and_not_above(asked: dict[str, bool], n_numbers: int) -> None:
    request = Evaluation.model_validate({"function": "sphere", "points": [[1, 2, 3]] * 5, **asked})
    request.check_limits(Limits(max_grid_points=n_numbers))
    with pytest.raises(LimitExceeded, match="max_grid_points"):
        request.check_limits(Limits(max_grid_points=n_numbers - 1))


def test_fixed_values_are_numbers() -> None:
    with pytest.raises(ValidationError):
        surface_of({"name": "sphere", "dim": 3}, fixed={"2": True})
