"""What the page draws: axes, scales, symbols. Modules that need no document are tested in tests/js."""

import json
from io import BytesIO
from typing import Any

import pytest
from matplotlib.image import imread
from playwright.sync_api import Page, expect

from tests.web.reading import camera_of
from tests.web.watched import Watched, field, place_starts
from tests.workers.service import Service


def map_box(page: Page) -> dict[str, float]:
    box: dict[str, float] = page.locator("#map-inside rect").evaluate(
        """rect => Object.fromEntries(
            ["x", "y", "width", "height"].map((name) => [name, Number(rect.getAttribute(name))]),
        )"""
    )
    return box


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1000, 900), (380, 800)])
def test_a_square_domain_is_drawn_square(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.locator(".map .minimum").first.wait_for(state="attached")
    page.wait_for_function(
        """() => {
            const rect = document.querySelector("#map-inside rect");
            const [width, height] = ["width", "height"].map((name) => Number(rect.getAttribute(name)));
            const room = document.querySelector(".map").clientWidth;
            return width > 150 && width < room && Math.abs(width - height) < 0.01;
        }"""
    )


def test_symbols_say_what_is_what(watched: Watched, service: Service) -> None:
    job = service.post(init=[[3, 2.1], [5.5, 5.5]], optimizer="sgd", lr=0.02, steps=100)
    assert [run["outcome"] for run in service.ended(job)["runs"]] == ["max_steps", "diverged"]
    page = watched.open(f"#/run?job={job}")
    expect(page.locator(".legend li")).to_have_text(["start", "end", "diverged", "known minimum"])
    expect(page.locator(".map .path-end.end")).to_have_count(1)
    expect(page.locator(".map .path-end.diverged")).to_have_count(1)
    expect(page.locator(".map .number")).to_have_text(["1", "2", "3", "4"])
    expect(page.locator(".place-texts span")).to_have_text(["1", "2", "3", "4"])
    minimum = service.job(job)["runs"][0]["minimum"]
    title = page.locator(".map .minimum title").nth(minimum["index"])
    expect(title).to_contain_text(f"no. {minimum['index'] + 1}, (3, 2)")
    expect(page.locator(".results tbody tr").first).to_contain_text(f"no. {minimum['index'] + 1}")
    box = map_box(page)
    place = page.locator(".map .path-end.diverged").get_attribute("transform") or ""
    x, y = (float(value) for value in place.removeprefix("translate(").removesuffix(")").split(","))
    edges = (x - box["x"], box["x"] + box["width"] - x, y - box["y"], box["y"] + box["height"] - y)
    assert min(edges) == pytest.approx(0, abs=0.1)  # where it was last seen
    expect(page.locator(".curve .heading").first).to_contain_text("f, up to")
    watched.picture(page, "symbols-1440", full=True)


def test_a_value_of_0_is_shown_at_the_foot_of_a_log_axis(watched: Watched, service: Service) -> None:
    job = service.post(init=[[0, 0], [4, 0], [-4, 0]], steps=20_000, lr=0.001)
    service.ended(job)
    page = watched.open(f"#/run?job={job}")
    marks = page.locator(".curve .plot-axes .y")
    expect(marks.first).to_have_text("f = 0")
    texts = page.locator(".curve").first.locator(".plot-axes .y").all_text_contents()
    assert texts == ["f = 0", "10⁻³⁰", "10⁻²⁰", "10⁻¹⁰", "1"]
    assert camera_of(page) == (60, -30)
    watched.picture(page, "himmelblau-1440", full=True)


def test_while_a_job_runs_there_is_no_axis_of_gradients(page: Page) -> None:
    place_starts(page, (0.9, 0.9))
    field(page, "Optimizer").select_option("sgd")
    field(page, "Learning rate").fill("1e-9")
    field(page, "Steps").fill("900000000")
    page.get_by_text("More", exact=True).click()
    field(page, "Record every").fill("1000")
    page.get_by_role("button", name="Run", exact=True).click()
    slope = page.locator(".curve").nth(1)
    expect(slope.locator(".curve-note")).to_have_text("Computed when the run has ended")
    expect(slope.locator(".plot-axes .y")).to_have_count(0)
    page.locator(".progress").get_by_role("button", name="Cancel").click()
    expect(slope.locator(".curve-note")).to_be_hidden()
    expect(slope.locator(".plot-axes .y").first).to_be_attached()


@pytest.mark.parametrize(
    ("function", "is_log"),
    [
        ({"name": "himmelblau", "dim": 2}, True),
        ({"name": "six_hump_camel", "dim": 2}, False),
        ({"name": "sphere", "dim": 1}, False),
    ],
)
def test_the_values_choose_the_scale_unless_the_address_does(
    watched: Watched, function: dict[str, Any], *, is_log: bool
) -> None:
    page = watched.open(f"#/run?spec={json.dumps({'function': function, 'steps': 50})}")
    switch = page.get_by_label("log scale")
    page.locator(".map .minimum").first.wait_for(state="attached")
    expect(switch).to_be_checked(checked=is_log)
    assert "log=" not in page.url
    switch.click()
    page.wait_for_url(lambda url: f"log={str(not is_log).lower()}" in url)
    again = watched.open(page.url.removeprefix(watched.origin + "/"))
    again.locator(".map .minimum").first.wait_for(state="attached")
    expect(again.get_by_label("log scale")).to_be_checked(checked=not is_log)


def test_all_minima_are_seen_from_the_first_camera(page: Page) -> None:
    labels = page.locator(".surface .place-texts span")
    expect(labels).to_have_count(4)
    assert camera_of(page) == (60, -30)
    places = labels.evaluate_all(
        """all => all.map((each) => {
            const { e, f } = new DOMMatrix(getComputedStyle(each).transform);
            return [e - 9, f + 9 + each.offsetHeight / 2];
        })"""
    )
    pixels = imread(BytesIO(page.locator(".surface").screenshot()))
    for x, y in places:
        assert pixels[round(y), round(x), :3].min() > 0.6  # white, even where a hill is before it
