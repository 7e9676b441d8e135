"""A run: from an empty database to its picture, by clicks."""

import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.web.reading import camera_of, job_of, turn
from tests.web.watched import EMPTY, Watched, field, on_map, place_starts, run
from tests.workers.service import Service

THREE = ((0.5, 0.5), (0.82, 0.5), (0.18, 0.5))


def test_three_starts_and_a_turning_surface_in_four_clicks(
    watched: Watched, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.perf_counter()
    page = watched.open(EMPTY)
    usable = time.perf_counter() - began
    place_starts(page, *THREE)
    expect(page.locator(".starts-list li")).to_have_count(3)
    began = time.perf_counter()
    run(page)
    first = time.perf_counter() - began
    job = job_of(page, service)
    assert [run["init"] for run in job["runs"]] == [[0, 0], [3.84, 0], [-3.84, 0]]
    rows = page.locator(".results tbody tr")
    expect(rows).to_have_count(3)
    for row, ended in zip(rows.all(), job["runs"], strict=True):
        expect(row).to_contain_text(f"no. {ended['minimum']['index'] + 1}")
    expect(page.locator(".map path.line")).to_have_count(3)
    assert camera_of(page) == (60, -30)
    turn(page)
    elevation, azimuth = camera_of(page)
    assert elevation < 60
    assert azimuth < -30
    began = time.perf_counter()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(lambda url: job["id"] not in url and "job=" in url)
    expect(page.locator(".progress-text")).to_contain_text("done")
    second = time.perf_counter() - began
    with capsys.disabled():
        print(f"\nusable after {usable:.2f} s, first result after {first:.2f} s, second after {second:.2f} s")
    watched.picture(page, "run-1440")


def test_a_path_grows_while_its_job_runs(page: Page, service: Service) -> None:
    asked: list[dict[str, list[str]]] = []

    def note(request: Request) -> None:
        if "/trajectory" in request.url:
            asked.append(parse_qs(urlsplit(request.url).query))

    page.on("request", note)
    place_starts(page, (0.9, 0.9))
    field(page, "Optimizer").select_option("sgd")
    field(page, "Learning rate").fill("1e-9")
    field(page, "Steps").fill("900000000")
    page.get_by_text("More", exact=True).click()
    field(page, "Record every").fill("1000")
    page.get_by_role("button", name="Run", exact=True).click()
    seen = None
    for _ in range(3):
        path = page.wait_for_function(
            """seen => {
                const path = document.querySelector(".map path.line")?.getAttribute("d");
                return path && path !== seen && path;
            }""",
            arg=seen,
        )
        seen = path.json_value()
        expect(page.locator(".progress-text")).to_contain_text("running")
    page.locator(".progress").get_by_role("button", name="Cancel").click()
    expect(page.locator(".results tbody tr")).to_contain_text("cancelled")
    assert job_of(page, service)["status"] == "cancelled"
    first, *others, last = asked
    assert "from_step" not in first
    assert "from_step" not in last  # what is seen in the end is thinned as a whole
    since = [int(each["from_step"][0]) for each in others if "from_step" in each]
    assert len(set(since)) >= 2
    assert since == sorted(since)


def test_an_address_restores_the_view(watched: Watched, page: Page, service: Service) -> None:
    place_starts(page, *THREE)
    field(page, "Optimizer").select_option("rmsprop")
    page.get_by_text("Parameters", exact=True).click()
    field(page, "momentum").fill("0.5")
    field(page, "Steps").fill("300")
    run(page)
    assert camera_of(page) == (60, -30)
    turn(page)
    page.get_by_label("log scale").uncheck()
    page.get_by_role("slider", name="Step").fill("120")
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator(".map .plot-axes .x").first).to_have_text("\N{MINUS SIGN}4")
    camera = camera_of(page)
    assert camera != (60, -30)
    again = watched.open(page.url.removeprefix(watched.origin + "/"))
    expect(again.locator(".results tbody tr")).to_have_count(3)
    assert again.locator(".starts-list input").evaluate_all("all => all.map(each => each.value)") == [
        "0, 0",
        "3.84, 0",
        "-3.84, 0",
    ]
    expect(field(again, "Optimizer")).to_have_value("rmsprop")
    expect(again.get_by_label("momentum", exact=True)).to_have_value("0.5")
    expect(again.get_by_role("slider", name="Step")).to_have_value("120")
    expect(again.get_by_label("log scale")).not_to_be_checked()
    assert camera_of(again) == camera
    shown = [each.locator(".map .plot-axes .x").all_text_contents() for each in (again, page)]
    assert shown[0] == shown[1]
    assert (shown[0][0], shown[0][-1]) == ("\N{MINUS SIGN}4", "4")
    assert job_of(again, service)["spec"]["optimizer"]["momentum"] == 0.5


def test_the_address_holds_the_draft_of_a_job(watched: Watched, page: Page) -> None:
    place_starts(page, (0.25, 0.75))
    field(page, "Steps").fill("77")
    field(page, "Steps").blur()
    again = watched.open(page.url.removeprefix(watched.origin + "/"))
    expect(field(again, "Steps")).to_have_value("77")
    expect(again.locator(".starts-list input")).to_have_value("-3, -3")


def test_starts_are_moved_by_mouse_and_by_keyboard_and_removed(page: Page) -> None:
    place_starts(page, (0.5, 0.5))
    start = page.locator(".starts-list input")
    page.mouse.move(*on_map(page, 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*on_map(page, 0.75, 0.25), steps=5)
    page.mouse.up()
    expect(start).to_have_value("3, 3")
    handle = page.get_by_role("button", name="Start 1 at")
    handle.press("ArrowLeft")
    expect(start).to_have_value("2.88, 3")
    start.fill("1, 2.5")
    start.blur()
    expect(handle).to_have_attribute("aria-label", "Start 1 at (1, 2.5). Arrow keys move it, Delete removes it.")
    handle.press("Delete")
    expect(start).to_have_count(0)


def test_a_step_is_marked_in_every_view(page: Page) -> None:
    place_starts(page, (0.5, 0.5))
    field(page, "Steps").fill("200")
    run(page)
    page.get_by_role("slider", name="Step").fill("50")
    expect(page.locator(".readout")).to_have_text("step 50 of 200")
    marked = page.locator(".map .mark").get_attribute("cx")
    assert marked is not None
    page.mouse.move(*on_map(page, 0.5, 0.5))
    expect(page.locator(".at")).to_contain_text("run 1 · step 0 · x = (0, 0) · f = 170")
    assert page.locator(".map .mark").get_attribute("cx") != marked
    rules = page.locator(".curve .rule").evaluate_all("all => all.map(each => each.getAttribute('x1'))")
    assert len(rules) == 2
    assert None not in rules
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("slider", name="Step")).not_to_have_value("50")
    page.get_by_role("button", name="Pause").click()


def test_every_optimizer_has_a_form_made_from_its_schema(page: Page, service: Service) -> None:
    for optimizer in service.client.get("/v1/optimizers").json()["items"]:
        option = field(page, "Optimizer").locator(f"option[value={optimizer['name']}]")
        if optimizer["matrices_only"]:  # the service would refuse it for a function
            expect(option).to_be_disabled()
            expect(option).to_contain_text("for networks only")
            continue
        field(page, "Optimizer").select_option(optimizer["name"])
        wanted = {f"#/optimizer/{name}" for name in optimizer["parameters"]["properties"]} - {"#/optimizer/lr"}
        found = page.locator("[data-pointer^='#/optimizer/']").evaluate_all(
            "all => all.map(each => each.dataset.pointer)"
        )
        assert set(found) == wanted, optimizer["name"]
    for scheduler in service.client.get("/v1/schedulers").json()["items"]:
        field(page, "Learning-rate schedule").select_option(scheduler["name"])
        found = page.locator("[data-pointer^='#/scheduler/']").count()
        assert found == len(scheduler["parameters"]["properties"]), scheduler["name"]


def test_an_error_is_shown_beside_its_field(page: Page, watched: Watched) -> None:
    watched.expect_status(422)
    run_button = page.get_by_role("button", name="Run", exact=True)
    page.locator(".map .minimum").first.wait_for(state="attached")
    run_button.click()
    expect(page.locator("[data-pointer='#/init'] > .error")).to_contain_text("Place at least one start")
    place_starts(page, (0.5, 0.5))
    field(page, "Learning rate").fill("-1")
    field(page, "Steps").fill("many")
    run_button.click()
    expect(page.locator("[data-pointer='#/lr'] .error")).to_have_text("Input should be greater than 0")
    expect(page.locator("[data-pointer='#/steps'] .error")).to_contain_text("whole number")
    expect(field(page, "Learning rate")).to_have_attribute("aria-invalid", "true")
    field(page, "Learning rate").fill("0.1")
    field(page, "Steps").fill("20")
    run(page)
    expect(page.locator(".job-form .error:visible")).to_have_count(0)


def test_another_function_from_the_gallery(page: Page, watched: Watched, service: Service) -> None:
    page.locator(".function-button").click()
    expect(page.locator(".gallery li")).to_have_count(len(service.client.get("/v1/functions").json()["items"]))
    page.get_by_role("searchbox").fill("rosen")
    page.locator(".gallery li:visible button", has_text="Rosenbrock").first.click()
    expect(page.locator(".function-button")).to_contain_text("Rosenbrock")
    field(page, "Coordinates").fill("4")
    field(page, "Coordinates").blur()
    page.get_by_label("Vertical coordinate").select_option("3")
    place_starts(page, (0.3, 0.3))
    field(page, "Steps").fill("100")
    run(page)
    job = job_of(page, service)
    assert job["spec"]["function"] == {"name": "rosenbrock", "dim": 4}
    assert job["runs"][0]["init"][1:3] == [1, 1]
    asked = [path for status, path in watched.statuses if path == "/v1/surface"]
    assert len(asked) >= 2


def test_a_function_of_one_coordinate_has_a_graph(watched: Watched, service: Service) -> None:
    ones = [each["name"] for each in service.client.get("/v1/functions").json()["items"] if each["dim"] == 1]
    name = ones[0] if ones else "sphere"
    page = watched.open(f"#/run?spec={json.dumps({'function': {'name': name, 'dim': 1}, 'steps': 50})}")
    expect(page.locator(".map .graph")).to_have_attribute("d", re.compile("M.*L"))
    place_starts(page, (0.3, 0.5))
    run(page)
    expect(page.locator(".surface")).to_be_hidden()
    expect(page.locator(".map path.line")).to_have_count(1)
    watched.picture(page, "one-coordinate")


def test_the_table_pages_through_many_runs(watched: Watched, service: Service) -> None:
    job = service.post(init={"random": 1150, "seed": 4}, steps=5, lr=0.01)
    service.ended(job)
    page = watched.open(f"#/run?job={job}")
    rows = page.locator(".results tbody tr")
    expect(rows).to_have_count(100)
    expect(page.locator(".stage > .notice")).to_contain_text("The first 64 of 1\u2009150 runs are drawn")
    pager = page.get_by_role("group", name="Pages of the table")
    expect(pager.get_by_role("button", name="Previous")).to_be_disabled()
    pager.get_by_role("button", name="Next").click()
    expect(rows.first.locator("th")).to_have_text("101")
    again = watched.open(page.url.removeprefix(watched.origin + "/").replace("page=1", "page=11"))
    rows = again.locator(".results tbody tr")
    expect(rows.first.locator("th")).to_have_text("1101")
    expect(rows).to_have_count(50)
    run_1150 = service.client.get(f"/v1/jobs/{job}/runs?limit=1000").json()["next_cursor"]
    last = service.client.get(f"/v1/jobs/{job}/runs?limit=1000&cursor={run_1150}").json()["items"][-1]
    expect(rows.last).to_contain_text(f"{last['f']:.4g}")
    expect(again.get_by_role("button", name="Next")).to_be_disabled()
    watched.picture(again, "many-runs-1440", full=True)


def test_an_error_in_a_formula_is_marked_under_its_column(watched: Watched, page: Page, service: Service) -> None:
    watched.expect_status(422)
    page.locator(".map .minimum").first.wait_for(state="attached")
    page.get_by_text("Type a formula").click()
    formula = page.get_by_role("textbox", name="Formula", exact=True)
    formula.fill("sin(x)*cos(y) + 0.1*(x**2 + yy**2)")
    shown = page.locator("pre.column")
    expect(shown).to_be_visible()
    text, mark = shown.inner_text().splitlines()
    assert text[mark.index("▲") :].startswith("yy**2")
    expect(page.locator("[data-pointer='#/function/expression'] .error")).to_contain_text("yy")
    formula.fill("sin(x)*cos(y) + 0.1*(x**2 + y**2)")
    expect(page.locator(".function-button")).to_contain_text("Your formula")
    expect(shown).to_be_hidden()
    expect(page.locator(".map .plot-axes .x").first).not_to_have_text("\N{MINUS SIGN}6")  # Himmelblau's
    x, y = on_map_of_formula = page.locator("#map-inside rect").evaluate(
        """rect => {
            const frame = rect.ownerSVGElement.getBoundingClientRect();
            const of = (name) => Number(rect.getAttribute(name));
            return [frame.left + of("x") + of("width") * 0.7, frame.top + of("y") + of("height") * 0.3];
        }"""
    )
    assert on_map_of_formula
    page.mouse.click(x, y)
    run(page)
    job = job_of(page, service)
    assert job["spec"]["function"]["expression"] == "sin(x)*cos(y) + 0.1*(x**2 + y**2)"
    assert job["runs"][0]["init"] == [2, 2]
    again = watched.open(page.url.removeprefix(watched.origin + "/"))
    expect(again.locator(".results tbody tr")).to_have_count(1)
    expect(again.get_by_role("textbox", name="Formula", exact=True)).to_have_value(
        "sin(x)*cos(y) + 0.1*(x**2 + y**2)"
    )
