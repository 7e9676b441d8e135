"""Pictures of any job that there can be."""

import json
import re
import struct
from typing import Any

import numpy as np
import pytest

from tests.unit.driving import drive, job
from thalweg.engine.outcome import Outcome
from thalweg.plots import numbers
from thalweg.plots.document import document
from thalweg.plots.figure import draw
from thalweg.plots.heights import heights
from thalweg.plots.lines import level, within
from thalweg.plots.scene import Path, Scene, scene
from thalweg.settings import Settings
from thalweg.spec.job import JobSpec

MINUS = "\N{MINUS SIGN}"
FORMULA_2D = {"expression": "x**2 + y**4", "variables": ["x", "y"]}
JOBS: dict[str, dict[str, Any]] = {
    "plane": {},
    "one coordinate": {"function": {"name": "sphere", "dim": 1}, "init": [[3], [-2]]},
    "slice": {"function": "rosenbrock", "init": [[1, 2, 3, 4]]},
    "many coordinates": {"function": {"name": "rastrigin", "dim": 30}, "init": {"random": 3, "seed": 1}},
    "first run diverged": {"optimizer": "sgd", "lr": 0.015, "init": [[7, 7], [3, 2]], "steps": 25},
    "all diverged": {"optimizer": "sgd", "lr": 10, "init": [[7, 7], [1, 2]]},
    "diverged at its start": {"init": [[1e100, 0], [0, 0]]},
    "diverged without a domain": {"function": FORMULA_2D, "optimizer": "sgd", "lr": 10, "init": [[7, 7]]},
    "diverged in a slice": {"function": "rosenbrock", "optimizer": "sgd", "lr": 1, "init": [[1, 2, 3, 4]]},
    "diverged along a line": {"function": {"name": "sphere", "dim": 1}, "optimizer": "sgd", "lr": 5, "init": [[1]]},
    "no domain": {"function": FORMULA_2D, "init": [[2, 1]]},
    "no gradient at its start": {
        "function": {"expression": "hypot(x - 1, y)", "variables": ["x", "y"]},
        "init": [[1, 0]],
    },
    "at the border of its domain": {
        "function": {"expression": "sqrt(x) + y**2", "variables": ["x", "y"]},
        "init": [[0, 1]],
    },
    "one point": {"function": FORMULA_2D, "init": [[2, 1]], "steps": 1, "lr": 1e-300},
    "never a value": {"function": {"expression": "log(-1 - x**2 - y**2)", "variables": ["x", "y"]}},
    "never a value along a line": {"function": {"expression": "log(-1 - x**2)", "variables": ["x"]}, "init": [[1]]},
    "constant": {"function": {"expression": "2 + 0*x + 0*y", "variables": ["x", "y"]}},
    "constant along a line": {"function": {"expression": "2 + 0*x", "variables": ["x"]}, "init": [[1]]},
    "negative": {"function": {"expression": "-exp(-x**2 - y**2)", "variables": ["x", "y"]}, "init": [[0.5, 1]]},
    "largest starts": {"function": FORMULA_2D, "init": [[1e308, -1e308], [-1e308, 1e308]]},
    "largest start": {"function": {"expression": "x + y", "variables": ["x", "y"]}, "init": [[1e308, 1e308]]},
    "largest start along a line": {
        "function": {"expression": "abs(x)", "variables": ["x"]},
        "init": [[-1e308], [1e308]],
    },
    "smallest starts": {"function": FORMULA_2D, "init": [[1e-308, 5e-324]], "lr": 1e-310},
    "narrow": {
        "function": {**FORMULA_2D, "domain": [[1e16, 1e16 + 2], [1, 1.0000000000000002]]},
        "init": [[1e16, 1]],
    },
    "wide": {"function": {**FORMULA_2D, "domain": [[-1e308, 1e308], [-1e-308, 1e-308]]}, "init": [[1, 0]]},
    "far from its domain": {"init": [[1e30, -1e30], [1e300, 1]]},
    "extremes of float32": {"function": FORMULA_2D, "dtype": "float32", "init": [[3e38, 1], [1e-45, 1e-38]]},
    "values from end to end": {
        "function": {"expression": "x*1e308 + y", "variables": ["x", "y"]},
        "init": [[1.5, 0], [-1.5, 0]],
        "steps": 3,
    },
    "lbfgs": {"function": "rosenbrock", "optimizer": "lbfgs", "init": [[-1.2, 1]], "steps": 20},
    "names of its own": {"function": {"expression": "alpha**2 + beta**2", "variables": ["alpha", "beta"]}},
    "a label that means something elsewhere": {"label": "a $label$ with </script><script>alert(1)</script> & <b>"},
    "more runs than colors": {"init": {"random": 70, "seed": 1}, "steps": 3},
}


def pictured(spec: JobSpec, *, n_runs: int = 64) -> Scene:
    recording = drive(spec)
    paths = [
        Path(run, x.astype(float), f.astype(float), Outcome(int(recording.results.outcome[run])))
        for run, (x, f) in enumerate(zip(recording.x, recording.f, strict=True))
    ]
    return scene(spec, tuple(paths[:n_runs]), (0, 1), Settings())


def figure_in(page: bytes) -> dict[str, Any]:
    found = re.search(rb'id="figure">(.*?)</script>', page, re.DOTALL)
    assert found
    figure: dict[str, Any] = json.loads(found[1], parse_constant=pytest.fail)
    return figure


@pytest.mark.parametrize("fields", JOBS.values(), ids=JOBS)
def test_every_job_has_a_picture_of_every_form(fields: dict[str, Any]) -> None:
    shown = pictured(job(**{"steps": 12, **fields}))
    for log in (shown.fits_log, not shown.fits_log):
        png = draw(shown, "png", log=log, dpi=50)
        assert struct.unpack(">II", png[16:24]) == (600, 280)
        figure = figure_in(document(shown, log=log))  # which holds no number that is not finite
        assert {trace["name"] for trace in figure["data"]} >= {"f", "run 1"}


def test_the_first_run_diverged_and_looks_so() -> None:
    shown = pictured(job(optimizer="sgd", lr=0.015, init=[[7, 7], [3, 2]], steps=25))
    assert [path.outcome for path in shown.paths] == [Outcome.diverged, Outcome.max_steps]
    height = shown.heights(None)
    away, still = shown.lines(height)
    assert away.start is None  # (7, 7) is outside of [-6, 6]², and the first step leads through it
    assert (away.ended_as, still.ended_as) == ("diverged", "end")
    assert still.end is not None
    np.testing.assert_allclose(still.end[:2], [9 / 12, 8 / 12])


def test_a_path_that_leaves_ends_where_it_was_last_seen() -> None:
    path = Path(
        0, np.array([[0.0, 0], [12, 6], [np.inf, np.nan]]), np.array([170.0, 1e5, np.nan]), Outcome.diverged
    )
    (line,) = (shown := scene(job(), (path,), (0, 1), Settings())).lines(height := shown.heights(None))
    assert line.ended_as == "diverged"
    assert line.start is not None
    assert line.end is not None
    np.testing.assert_allclose(line.start, [0.5, 0.5, height.of(np.array([170.0]))[0]], rtol=2e-3)
    np.testing.assert_allclose(line.end[:2], [1, 0.75])  # at (6, 3), on the border
    grid = np.linspace(-6, 6, 120)
    x, y = np.meshgrid(grid, grid)
    ground = height.of((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2)
    inside = line.places[~np.isnan(line.places[:, 0])]
    assert len(inside) > 100  # a single step of half the window, laid on the ground
    np.testing.assert_allclose(inside[:, 2], level(ground, inside[:, 0], inside[:, 1]))
    assert np.abs(np.diff(inside[:, :2], axis=0)).max() <= 0.5 / 119


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ([[0.2, 0.2], [0.4, 0.4]], [[0.2, 0.2], [0.4, 0.4]]),
        ([[0.5, 0.5], [0.5, 1.5]], [[0.5, 0.5], [0.5, 1]]),
        ([[-1, 0.5], [2, 0.5]], [[0, 0.5], [1, 0.5]]),
        ([[-1, 2], [2, 2]], []),
        ([[0.5, 0.5]], [[0.5, 0.5]]),
        ([[0.5, 0.5], [np.inf, 0.5]], [[0.5, 0.5]]),
        (
            [[0.5, 0.5], [2, 0.5], [2, 0.25], [0.5, 0.25]],
            [[0.5, 0.5], [1, 0.5], [np.nan] * 2, [1, 0.25], [0.5, 0.25]],
        ),
        ([[0.5, 0.5], [1e300, 0.5]], [[0.5, 0.5], [1, 0.5]]),
    ],
)
def test_a_path_is_cut_at_the_border(path: list[list[float]], seen: list[list[float]]) -> None:
    np.testing.assert_allclose(within(np.array(path), 2), np.reshape(seen, (-1, 2)), atol=1e-15)


def test_a_long_segment_is_divided() -> None:
    np.testing.assert_allclose(
        within(np.array([[0.0, 0, 10], [1, 0.5, 20], [1, 1, 30]]), 2, 0.25)[:, 2],
        [10, 12, 14, 16, 18, 20, 23.333333, 26.666667, 30],
    )


@pytest.mark.parametrize(
    ("low", "high", "at"),
    [
        (-6, 6, [-6, -4, -2, 0, 2, 4, 6]),
        (0.1, 0.5, [0.1, 0.2, 0.3, 0.4, 0.5]),
        (-5.02, 3, [-4, -2, 0, 2]),
        (1, 1, [1]),
    ],
)
def test_axes_are_marked_at_round_numbers(low: float, high: float, at: list[float]) -> None:
    assert numbers.ticks(low, high, 6) == at


@pytest.mark.parametrize(
    ("low", "texts"),
    [
        (0.0, ["0", "10", "100", "1000"]),
        (-5.02, [f"{MINUS}5", "0", "10", "100", "1000"]),
    ],
)
def test_a_log_axis_of_heights_is_marked_at_round_values(low: float, texts: list[str]) -> None:
    z = low + np.geomspace(0.01, 2000, 100)
    height = heights(z, np.array([low]), log=True)
    at, found = height.ticks()
    assert found == texts
    np.testing.assert_allclose(
        at, np.log10(1 + (np.array([float(each.replace(MINUS, "-")) for each in texts]) - low) / height.unit)
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-5, f"{MINUS}5"),
        (0.0001, "0.0001"),
        (12345.5, "12345.5"),
        (1e5, "10⁵"),
        (-1e-7, f"{MINUS}10⁻⁷"),
        (2.5e-31, "2.5·10⁻³¹"),
        (1e308, "10³⁰⁸"),
    ],
)
def test_a_number_is_plain_or_a_power_of_ten(value: float, text: str) -> None:
    assert numbers.text(value) == text


def test_a_scale_is_chosen_by_the_values() -> None:
    assert pictured(job(steps=1)).fits_log
    assert not pictured(job(steps=1, function=JOBS["negative"]["function"])).fits_log
    assert not pictured(job(steps=1, function={"name": "sphere", "dim": 1}, init=[[1]])).fits_log


def test_minima_have_the_numbers_of_the_results() -> None:
    shown = pictured(job(init=[[3, 2.1], [-3.7, -3.2]], steps=400, lr=0.01))
    numbered = {known.number: known.place for known in shown.minima(shown.heights(None))}
    assert list(numbered) == [1, 2, 3, 4]
    minima = job().objective().minima
    for path in shown.paths:
        place = numbered[minima.nearest(path.x[-1]) + 1]
        np.testing.assert_allclose(place[:2] * 12 - 6, path.x[-1], atol=1e-3)


def test_a_picture_says_what_is_what() -> None:
    shown = pictured(job(optimizer="sgd", lr=0.1, init=[[5.5, 5.5], [3, 2]], steps=25))
    svg = draw(shown, "svg").decode()
    figure = figure_in(document(shown))
    named = {trace["name"]: trace for trace in figure["data"]}
    symbols = {"start": "circle", "end": "square", "diverged": "x", "known minimum": "diamond"}
    for name, symbol in symbols.items():
        assert f"<!-- {name} -->" in svg
        assert named[name]["marker"]["symbol"] == symbol
    assert named["numbers"]["text"] == ["1", "2", "3", "4"]
    assert figure["layout"]["scene"]["xaxis"]["title"]["text"] == "x"
    slice_ = pictured(job(**JOBS["slice"], steps=3))
    assert [window.title for window in slice_.windows] == ["x₀", "x₁"]
    assert slice_.note == "slice at x₂ = 1, x₃ = 1"
    assert [window.title for window in pictured(job(**JOBS["names of its own"], steps=1)).windows] == [
        "alpha",
        "beta",
    ]
