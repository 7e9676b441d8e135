"""What the page draws: axes, scales, lines, symbols. Modules that need no document are called directly."""

import json
import math
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from matplotlib.image import imread
from playwright.sync_api import Page, expect

from tests.web.reading import camera_of
from tests.web.watched import Watched, field, place_starts
from tests.workers.service import Service

MINUS = "\N{MINUS SIGN}"
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def drawing(browser: Any, service: Service) -> Any:
    """A page whose modules can be called: `drawing("plots/ticks.js", "m => m.ticks(0, 1, 5)")`."""
    page = browser.new_page()
    page.goto(str(service.client.base_url))

    def call(module: str, function: str, value: Any = None) -> Any:
        address = page.locator(f"link[href$='{module}']").get_attribute("href")
        return page.evaluate(
            f"async ([address, value]) => ({function})(await import(`/${{address}}`), value)", [address, value]
        )

    yield call
    page.close()


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (-6, 6, [f"{MINUS}6", f"{MINUS}4", f"{MINUS}2", "0", "2", "4", "6"]),
        (-5.02, 3.1, [f"{MINUS}4", f"{MINUS}2", "0", "2"]),
        (0, 6.31e6, ["0", "2·10⁶", "4·10⁶", "6·10⁶"]),
        (0, 3e-7, ["0", "5·10⁻⁸", "10⁻⁷", "1.5·10⁻⁷", "2·10⁻⁷", "2.5·10⁻⁷", "3·10⁻⁷"]),
        (-1e308, 1e308, [f"{MINUS}10³⁰⁸", f"{MINUS}5·10³⁰⁷", "0", "5·10³⁰⁷", "10³⁰⁸"]),
        (2, 2, ["2"]),
    ],
)
def test_an_axis_is_marked_at_round_numbers(drawing: Call, low: float, high: float, texts: list[str]) -> None:
    assert drawing("plots/ticks.js", "(m, [low, high]) => m.ticks(low, high, 6).text", [low, high]) == texts


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (1e-31, 200, ["10⁻³⁰", "10⁻²⁰", "10⁻¹⁰", "1"]),
        (0.009, 1100, ["10⁻²", "10⁻¹", "1", "10", "10²", "10³"]),
        (3, 90, ["5", "10", "20", "50"]),
        (0.0101, 0.03, ["0.02"]),
        (3.97, 3.99, ["3.97", "3.975", "3.98", "3.985", "3.99"]),
    ],
)
def test_a_log_axis_is_marked_at_decades_or_at_1_2_5(
    drawing: Call, low: float, high: float, texts: list[str]
) -> None:
    found = drawing(
        "plots/ticks.js",
        "(m, [low, high]) => m.logTicks(Math.log10(low), Math.log10(high), 6)",
        [low, high],
    )
    if texts == ["0.02"]:  # one of 1, 2, 5 would be no scale: round numbers between them
        assert set(texts) < set(found["text"])
        assert all(len(text) <= 5 for text in found["text"])
    else:
        assert found["text"] == texts
    assert all(math.log10(low) - 1e-9 <= at <= math.log10(high) + 1e-9 for at in found["at"])


def scale(drawing: Call, columns: list[list[float | None]], **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = drawing(
        "plots/scale.js",
        """(m, [columns, options]) => {
            const scale = new m.Scale(columns, options);
            const of = columns.map((values) => values.map((value) => scale.of(value)));
            const { isLog, isEmpty, cut, range } = scale;
            return { of, isLog, isEmpty, cut, range, ticks: scale.ticks(5) };
        }""",
        [columns, {"log": True, "base": 0, **options}],
    )
    return found


def test_a_log_scale_shows_the_smallest_value_as_it_is_and_0_at_its_foot(drawing: Call) -> None:
    found = scale(drawing, [[170, 7.9e-31, 0, None]], zero="f = 0")
    (of,) = found["of"]
    assert of[:2] == pytest.approx([math.log10(170), math.log10(7.9e-31)])
    assert found["range"][0] < of[2] < of[1] - 0.5
    assert of[3] is None
    assert found["ticks"]["text"][0] == "f = 0"
    assert found["ticks"]["at"][0] == of[2]
    assert found["ticks"]["text"][1:] == ["10⁻³⁰", "10⁻²⁰", "10⁻¹⁰", "1"]
    assert "f = 0" not in scale(drawing, [[170, 7.9e-31]])["ticks"]["text"]
    only_zero = scale(drawing, [[0, 0]])
    assert only_zero["ticks"]["text"] == ["0"]


def test_values_below_0_are_on_a_linear_scale_but_for_rounding(drawing: Call) -> None:
    assert not scale(drawing, [[3, -5]])["isLog"]
    assert scale(drawing, [[3, -5]])["ticks"]["text"] == [f"{MINUS}4", f"{MINUS}2", "0", "2"]
    rounded = scale(drawing, [[3, -1.0316284534898777]], base=-1.0316284534898774)
    assert rounded["isLog"]
    assert rounded["ticks"]["text"][0] == "0"


def test_no_values_have_no_marks(drawing: Call) -> None:
    found = scale(drawing, [[None, None], []])
    assert found["isEmpty"]
    assert found["ticks"] == {"at": [], "text": []}


def test_a_diverging_path_leaves_at_the_top_and_the_axis_says_where_it_ends(drawing: Call) -> None:
    found = scale(drawing, [[100, 1e-3], [50, 1e6, 1e300, None]], diverging=[False, True])
    assert found["cut"] == pytest.approx(1000)
    assert 2 < found["range"][1] < 4
    assert scale(drawing, [[100, 1e-3], [50, 1e6]], diverging=[False, False])["cut"] is None


@pytest.mark.parametrize(
    ("low", "texts"), [(0, ["0", "10", "100", "1000"]), (-5.02, [f"{MINUS}5", "0", "10", "100", "1000"])]
)
def test_heights_are_marked_at_round_values(drawing: Call, low: float, texts: list[str]) -> None:
    z = [[low + 0.01 * (200_000 ** (k / 99)) for k in range(100)]]
    assert (
        drawing("plots/heights.js", "(m, [z, low]) => new m.Heights(z, [low], true).ticks().text", [z, low])
        == texts
    )


def test_heights_of_extreme_values_are_numbers(drawing: Call) -> None:
    for log in (True, False):
        heights = drawing(
            "plots/heights.js",
            """(m, [z, log]) => {
                const heights = new m.Heights(z, [], log);
                return [...z[0].map((f) => heights.of(f)), ...heights.range];
            }""",
            [[[-1.7e308, 0, 1.7e308]], log],
        )
        assert all(math.isfinite(height) for height in heights)
        assert heights[0] == 0
        assert heights == [*sorted(heights[:3]), 0, heights[2]]


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ([[0.5, 0.5], [2, 0.5], [2, 0.25], [0.5, 0.25]], [[[0.5, 0.5], [1, 0.5]], [[1, 0.25], [0.5, 0.25]]]),
        ([[-1, 0.5], [2, 0.5]], [[[0, 0.5], [1, 0.5]]]),
        ([[0.5, 0.5], None, [0.25, 0.25], [0.5, 0.25]], [[[0.25, 0.25], [0.5, 0.25]]]),
        ([[0.5, 0.5], [1e308, 0.5]], [[[0.5, 0.5], [1, 0.5]]]),
        ([[0.5, 0.5], [None, 0.5]], [[[0.5, 0.5]]]),
        ([[2, 2], [3, 3]], []),
    ],
)
def test_a_path_is_cut_at_the_border(drawing: Call, path: list[Any], parts: list[Any]) -> None:
    found = drawing("plots/lines.js", "(m, path) => m.within(path, [0, 1, 0, 1])", path)
    assert len(found) == len(parts)
    for mine, theirs in zip(found, parts, strict=True):
        assert [list(map(float, point)) for point in mine] == [pytest.approx(point) for point in theirs]


def test_a_long_step_lies_on_the_triangles_of_the_surface(drawing: Call) -> None:
    n = 9
    z = [[math.sin(3 * i) + math.cos(2 * j) for i in range(n)] for j in range(n)]
    line = [[0.05, 0.1], [0.93, 0.71]]
    found = drawing(
        "plots/mesh.js",
        """(m, [z, line]) => {
            const mesh = new m.Mesh(z);
            return mesh.crossed(line).map(([u, v]) => [u, v, mesh.heightAt(u, v)]);
        }""",
        [z, line],
    )
    # columns, rows and diagonals of the 8 × 8 squares that lie between the ends
    ends = [(a * (n - 1), b * (n - 1)) for a, b in line]
    spans = [(ends[0][0], ends[1][0]), (ends[0][1], ends[1][1]), (sum(ends[0]), sum(ends[1]))]
    assert len(found) == 2 + sum(math.floor(high) - math.floor(low) for low, high in spans)

    def height(u: float, v: float) -> float:
        a, b = u * (n - 1), v * (n - 1)
        i, j = min(int(a), n - 2), min(int(b), n - 2)
        r, t = a - i, b - j
        corners = [(i + 1, j), (i, j + 1), (i, j) if r + t <= 1 else (i + 1, j + 1)]
        shares = [r, t, 1 - r - t] if r + t <= 1 else [1 - t, 1 - r, r + t - 1]
        return sum(share * z[row][column] for share, (column, row) in zip(shares, corners, strict=True))

    for (u0, v0, h0), (u1, v1, h1) in pairwise(found):
        for share in (0.25, 0.5, 0.75):
            on_line = h0 + share * (h1 - h0)
            assert on_line == pytest.approx(height(u0 + share * (u1 - u0), v0 + share * (v1 - v0)), abs=1e-9)


@pytest.mark.parametrize("far", [1e3, 1e17, 1e150, 1e300])
def test_a_path_that_leads_far_out_ends_at_the_border(drawing: Call, far: float) -> None:
    path = [[0.3, 0.4], [-far, far / 3], [far / 7, -far], [0.9, 0.7]]
    found = drawing("plots/lines.js", "(m, path) => m.within(path, [0, 1, 0, 1])", path)
    places = [place for part in found for place in part]
    assert places[0] == [0.3, 0.4]
    assert places[-1] == [0.9, 0.7]
    assert all(0 <= number <= 1 for place in places for number in place)


def test_a_decision_boundary_is_not_stretched(drawing: Call) -> None:
    ranges = drawing("networks/boundary.js", "(m, ranges) => m.onOneScale(ranges)", [[-1, 1], [2, 7]])
    assert ranges == [[-2.5, 2.5], [2, 7]]


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


def test_what_ends_at_0_is_seen_to_do_so(watched: Watched, service: Service) -> None:
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
def test_the_scale_is_chosen_by_the_values_unless_it_is_said(
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


def test_a_path_lies_on_the_surface_up_to_where_it_leaves(drawing: Call) -> None:
    axis = [-6 + 12 * k / 40 for k in range(41)]
    z = [[(x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2 for x in axis] for y in axis]
    parts, size = drawing(
        "plots/space.js",
        """async (m, [x, z]) => {
            const address = document.querySelector("link[href$='plots/heights.js']").href;
            const { Heights } = await import(address);
            const space = new m.Space({ x, y: x, z }, new Heights(z, [], true), true);
            return [space.partsOf({ x: [0, 5, 50, null], y: [0, 5, 50, 1], f: [170, 890, 1e7, null] }), m.SIZE];
        }""",
        [axis, z],
    )
    (part,) = parts
    assert part[0][:2] == pytest.approx([0, 0])
    assert part[-1][:2] == pytest.approx([size[0] / 2, size[1] / 2])  # the corner, and not the last entry before it
    assert len(part) > 20


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
