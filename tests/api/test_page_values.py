"""What the page computes for itself is held against what the service says: one place changes, both follow."""

import json
from typing import Any

import numpy as np
import pytest

from demo import himmelblau
from tests.api.page_values import FOLDER, values
from thalweg.analysis import arrival
from thalweg.functions import catalogue
from thalweg.functions.networks.datasets import DATASETS
from thalweg.plots import colors, heights
from thalweg.web import assets


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    return values()


def document() -> tuple[dict[str, Any], str]:
    """Return the facts in the document, and its style sheet of colors, as they would be served now."""
    page = assets.page.__wrapped__()
    _, _, rest = page.document.body.decode().partition('<script type="application/json" id="facts">')
    return json.loads(rest.partition("</script>")[0]), page.files["css/palette.css"].body.decode()


def assert_alike(one: Any, other: Any, where: str) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for name in one:
            assert_alike(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list):
        assert len(one) == len(other), where
        for index, (each, its) in enumerate(zip(one, other, strict=True)):
            assert_alike(each, its, f"{where}[{index}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-12, abs=1e-300), where
    else:
        assert one == other, where


def test_what_the_tests_of_the_page_read_is_current(said: dict[str, Any]) -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == said.keys()
    for name, value in said.items():
        written = json.loads((FOLDER / f"{name}.json").read_text())
        assert_alike(written, value, f"{name}: run python -m tests.api.page_values")


def test_a_color_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colors, "PATHS", ("#010203", "#0a0b0c"))
    monkeypatch.setattr(colors, "HEIGHTS", ("#000000", "#123456", "#ffffff"))
    facts, sheet = document()
    assert facts["colors"]["paths"] == ["#010203", "#0a0b0c"]
    assert facts["colors"]["heights"] == ["#000000", "#123456", "#ffffff"]
    assert "--path-1: #0a0b0c;" in sheet
    assert "--height-1: #123456;" in sheet
    assert colors.path_color(3) == "#0a0b0c"


def test_no_color_of_a_picture_is_written_twice() -> None:
    said = {*colors.HEIGHTS, *colors.PATHS, colors.NOWHERE, colors.INK}
    root = FOLDER.parents[2]
    sources = [*(root / "app").rglob("*.js"), *(root / "app").rglob("*.css"), *(root / "app").rglob("*.py")]
    sources.append(root / "demo" / "himmelblau.py")
    written = {color: [path.name for path in sources if color in path.read_text().lower()] for color in said}
    assert written == {color: ["colors.py"] for color in said}


def test_the_demo_draws_with_the_same_colors_and_heights() -> None:
    names = vars(himmelblau)
    assert names["HEIGHTS"] is colors.HEIGHTS
    assert names["PATHS"] is colors.PATHS
    assert names["heights"] is heights.heights


def test_what_heights_are_made_by_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heights, "RESOLVED", 77.0)
    monkeypatch.setattr(heights, "ROUNDEST_FIRST", ((1,), (0,)))
    facts, _ = document()
    assert facts["heights"]["resolved"] == 77
    assert facts["heights"]["roundest_first"] == [[1], [0]]


def test_nothing_in_the_facts_ends_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colors, "INK", "</script>")
    facts, _ = document()
    assert facts["colors"]["ink"] == "</script>"


def test_how_near_a_minimum_is_comes_from_the_service(monkeypatch: pytest.MonkeyPatch, idle: Any) -> None:
    # Himmelblau's domain is 12 wide, of which a thousandth is 0.012
    assert idle.get("/v1/functions/himmelblau").json()["minimum_radius"] == pytest.approx(0.012)
    monkeypatch.setattr(arrival, "NEAR", 0.5)
    assert idle.get("/v1/functions/himmelblau").json()["minimum_radius"] == pytest.approx(6)


def test_a_run_is_at_a_minimum_up_to_the_radius_that_is_said(idle: Any) -> None:
    objective = catalogue.get("himmelblau").at(None)
    radius = idle.get("/v1/functions/himmelblau").json()["minimum_radius"]
    at = objective.minima[0].x
    for share, is_near in ((0.999, True), (1.001, False)):
        x = np.array([at[0] + share * radius, at[1]])
        assert (arrival.reached_minimum(objective, x) is not None) == is_near


def test_the_outputs_of_a_curve_are_said_to_be_as_they_are(said: dict[str, Any]) -> None:
    entries = {entry["name"]: entry["output_activation"] for entry in said["networks"]["offer"]["datasets"]}
    assert entries == {name: "identity" if name == "sine" else None for name in DATASETS}
    losses = {entry["name"]: entry["output_activation"] for entry in said["networks"]["offer"]["losses"]}
    for case in said["networks"]["outputs"]:
        network = case["network"]
        of_data = entries[network["dataset"]["name"]]
        expected = losses[network["loss"]] or of_data or network["activation"]
        assert case["output_activation"] == expected
