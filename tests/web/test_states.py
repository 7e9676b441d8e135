"""What the page shows belongs together: results and settings, pictures and jobs, links and what is there."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.conftest import PICTURES
from tests.web.watched import Watched, field, run
from tests.workers.service import Service

MARK = "settings have changed since"
DASH = "\N{EM DASH}"


def draft(**fields: Any) -> str:
    """Return the address of a run that is set up and not posted."""
    spec = {"function": {"name": "himmelblau", "dim": 2}, "init": [[0, 0]], "steps": 200, **fields}
    return f"#/run?spec={quote(json.dumps(spec))}"


def asked_of(page: Page) -> dict[str, Any]:
    """Return what the address says."""
    values: dict[str, Any] = page.evaluate(
        """() => Object.fromEntries([...new URLSearchParams(location.hash.split("?")[1])].map(([name, text]) => {
            try { return [name, JSON.parse(text)]; } catch { return [name, text]; }
        }))"""
    )
    return values


def go(page: Page, view: str) -> None:
    page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
    page.locator(f".{view.lower()}-view").wait_for()


def starts(page: Page) -> list[str]:
    values: list[str] = page.locator(".starts-list input").evaluate_all("all => all.map(each => each.value)")
    return values


def again(watched: Watched, page: Page) -> Page:
    """Open the address of a page in another tab."""
    return watched.open(page.url.removeprefix(watched.origin + "/"))


def holding(page: Page, pattern: str) -> list[Route]:
    """Let requests wait; return where they are put."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(pattern, hold)
    return held


@pytest.mark.parametrize(
    ("change", "value", "restored"),
    [("Steps", "300", "200"), ("Learning rate", "0.5", "0.01"), ("Start 1", "1, 2", "0, 0")],
)
def test_outdated_results_are_marked_and_the_address_restores_their_settings(
    watched: Watched, change: str, value: str, restored: str
) -> None:
    page = watched.open(draft(lr=0.01))
    run(page)
    mark = page.locator(".outdated-mark")
    expect(mark).to_be_hidden()
    job = asked_of(page)["job"]
    field(page, change).fill(value)
    field(page, change).blur()
    expect(mark).to_contain_text(f"These results are from Adam, lr 0.01, 200 steps {DASH} {MARK}.")
    expect(page.locator(".stage")).to_have_class(re.compile("outdated"))
    assert asked_of(page) == {"job": job}
    other = again(watched, page)
    expect(other.locator(".results tbody tr")).to_have_count(1)
    expect(field(other, change)).to_have_value(restored)
    expect(other.locator(".outdated-mark")).to_be_hidden()
    watched.picture(page, f"outdated-{change.split(maxsplit=1)[0].lower()}")
    field(page, change).fill(restored)
    field(page, change).blur()
    expect(mark).to_be_hidden()  # it is as it was
    field(page, change).fill(value)
    field(page, change).blur()
    mark.get_by_role("button", name="Run again").click()
    expect(mark).to_be_hidden()
    expect(page.locator(".progress-text")).to_contain_text("done")
    assert asked_of(page)["job"] != job


def test_a_refused_job_leaves_the_results_of_the_one_before(watched: Watched) -> None:
    watched.expect_status(422)
    page = watched.open(draft())
    run(page)
    job = asked_of(page)["job"]
    field(page, "Steps").fill("-3")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("[data-pointer='#/steps'] .error")).to_be_visible()
    expect(page.locator(".results tbody tr")).to_have_count(1)
    expect(page.locator(".outdated-mark")).to_contain_text(MARK)
    assert asked_of(page) == {"job": job}
    page.get_by_role("button", name="Undo changes").click()
    expect(field(page, "Steps")).to_have_value("200")
    expect(page.locator(".outdated-mark")).to_be_hidden()


def test_an_outdated_race_is_marked_and_its_address_restores_it(watched: Watched) -> None:
    contenders = [{"optimizer": {"name": "sgd"}, "lr": 0.01}, {"optimizer": {"name": "adam"}, "lr": 0.05}]
    page = watched.open(f"#/race?contenders={json.dumps(contenders)}&steps=100&start=[1,1]")
    page.locator(".map .start").first.wait_for(state="attached")
    page.get_by_role("button", name="Race", exact=True).click()
    rows = page.locator(".results tbody tr")
    expect(rows.locator(".outcome", has_text="reached step limit")).to_have_count(2)
    jobs = asked_of(page)["jobs"]
    assert asked_of(page) == {"jobs": jobs}
    field(page, "Start").fill("2, 2")
    field(page, "Start").blur()
    expect(page.locator(".outdated-mark")).to_contain_text(
        f"These results are from a race of 2 contenders from (1, 1), 100 steps {DASH} {MARK}."
    )
    assert asked_of(page) == {"jobs": jobs}
    other = again(watched, page)
    expect(other.locator(".results tbody tr")).to_have_count(2)
    expect(field(other, "Start")).to_have_value("1, 1")
    expect(field(other, "Steps")).to_have_value("100")
    expect(other.locator(".contenders > li > details > summary")).to_have_text(["sgd, 0.01", "adam, 0.05"])
    expect(other.locator(".outdated-mark")).to_be_hidden()


def test_a_link_of_jobs_with_other_settings_beside_shows_the_jobs(watched: Watched, service: Service) -> None:
    job = service.post(steps=30, lr=0.02)
    service.ended(job)
    spec = quote(json.dumps({"steps": 99, "lr": 7}))
    page = watched.open(f"#/run?job={job}&spec={spec}")
    expect(page.locator(".results tbody tr")).to_have_count(1)
    expect(field(page, "Steps")).to_have_value("30")
    expect(field(page, "Learning rate")).to_have_value("0.02")
    page = watched.open(f"#/race?jobs={json.dumps([job])}&steps=99&start=[3,3]")
    expect(page.locator(".results tbody tr")).to_have_count(1)
    expect(field(page, "Steps")).to_have_value("30")
    expect(field(page, "Start")).to_have_value("0, 0")


def test_views_keep_what_was_set_up_in_them(watched: Watched) -> None:
    page = watched.open(draft(init=[[1, 2], [-3, 1]]))
    run(page)
    job = asked_of(page)["job"]
    field(page, "Steps").fill("777")
    field(page, "Steps").blur()
    for view in ("Race", "Network", "Jobs"):
        go(page, view)
    go(page, "Run")
    expect(page.locator(".results tbody tr")).to_have_count(2)
    assert starts(page) == ["1, 2", "-3, 1"]
    expect(field(page, "Steps")).to_have_value("777")
    expect(page.locator(".outdated-mark")).to_contain_text(MARK)
    assert asked_of(page) == {"job": job}
    go(page, "Race")
    page.locator(".map .start").first.wait_for(state="attached")
    field(page, "Start").fill("2.5, 1")
    field(page, "Start").blur()
    page.get_by_role("button", name="Remove contender 5").click()
    page.go_back()
    expect(page.locator(".results tbody tr")).to_have_count(2)
    expect(field(page, "Steps")).to_have_value("777")
    page.go_forward()
    expect(field(page, "Start")).to_have_value("2.5, 1")
    expect(page.locator(".contenders li")).to_have_count(4)


def test_going_back_shows_the_job_of_before(watched: Watched) -> None:
    page = watched.open(draft(steps=100))
    run(page)
    first = asked_of(page)["job"]
    field(page, "Steps").fill("150")
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(lambda url: "job=" in url and first not in url)
    second = asked_of(page)["job"]
    expect(page.locator(".progress-text")).to_contain_text("step 150 of 150")
    for url, steps in (("back", 100), ("forward", 150), ("back", 100), ("forward", 150)):
        getattr(page, f"go_{url}")()
        expect(field(page, "Steps")).to_have_value(str(steps))
        expect(page.locator(".progress-text")).to_contain_text(f"step {steps} of {steps} · done")
        assert asked_of(page) == {"job": second if steps == 150 else first}
    page.locator(".function-button").click()
    page.get_by_role("searchbox").fill("booth")
    page.locator(".gallery li:visible button").first.click()
    expect(page.locator(".function-button")).to_contain_text("Booth")
    expect(page.locator(".results")).to_be_hidden()
    page.go_back()
    expect(page.locator(".function-button")).to_contain_text("Himmelblau")
    expect(page.locator(".results tbody tr")).to_have_count(1)


def test_jobs_are_followed_while_another_view_is_shown(watched: Watched, service: Service) -> None:
    page = watched.open(draft(steps=900_000_000, optimizer={"name": "sgd"}, lr=1e-9, record_every=1000))
    page.locator(".map .start").first.wait_for(state="attached")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".progress-text")).to_contain_text("running")
    job = asked_of(page)["job"]
    go(page, "Race")
    go(page, "Run")
    expect(page.locator(".progress-text")).to_contain_text("running")
    expect(page.locator(".map path.line")).to_have_count(1)
    before = page.locator(".progress progress").get_attribute("value")
    expect(page.locator(".progress progress")).not_to_have_attribute("value", before or "")  # it is followed again
    go(page, "Jobs")
    service.client.post(f"/v1/jobs/{job}/cancel")
    go(page, "Run")
    expect(page.locator(".results tbody tr")).to_contain_text("cancelled")
    assert asked_of(page) == {"job": job}


def test_a_job_that_is_accepted_after_its_view_was_left_is_there_on_return(watched: Watched) -> None:
    page = watched.open(draft())
    page.locator(".map .start").first.wait_for(state="attached")
    held = holding(page, "**/v1/jobs")
    with page.expect_request("**/v1/jobs"):
        page.get_by_role("button", name="Run", exact=True).click()
    go(page, "Network")
    page.locator(".diagram .node").first.wait_for()
    with page.expect_response("**/v1/jobs"):
        held[0].continue_()
    assert "job" not in asked_of(page)
    go(page, "Run")
    expect(page.locator(".results tbody tr")).to_have_count(1)
    assert "job" in asked_of(page)


def test_a_network_never_shows_the_landscape_of_another(watched: Watched) -> None:
    page = watched.open("#/network")
    page.locator(".diagram .node").first.wait_for()
    landscape = "**/landscape?*"
    surface, note = page.locator(".surface canvas"), page.locator(".panel-note", has_text="Computing")
    field(page, "Steps").fill("100")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(surface).to_be_visible()
    moons = asked_of(page)["job"]
    held = holding(page, landscape)
    field(page, "Data set").select_option("spiral")
    expect(page.locator(".training")).to_be_hidden()
    with page.expect_request(landscape):
        page.get_by_role("button", name="Train", exact=True).click()
    expect(note).to_have_text("Computing the loss landscape …")
    expect(surface).to_be_hidden()
    expect(page.locator(".boundary canvas")).to_be_visible()
    watched.picture(page, "network-computing", full=True)
    with page.expect_request(landscape):
        page.reload()
    expect(note).to_have_text("Computing the loss landscape …")
    expect(surface).to_be_hidden()
    held[-1].continue_()
    expect(surface).to_be_visible()
    expect(note).to_be_hidden()
    assert asked_of(page)["job"] != moons
    page.evaluate("job => { location.hash = `#/network?job=${job}`; }", moons)
    expect(field(page, "Data set")).to_have_value("moons")
    expect(note).to_be_visible()
    expect(surface).to_be_hidden()  # the spiral's is not shown for the moons either


def test_a_landscape_that_cannot_be_computed_says_why(watched: Watched) -> None:
    watched.expect_status(422)
    page = watched.open("#/network")
    page.locator(".diagram .node").first.wait_for()
    problem = {"status": 422, "detail": "one evaluation makes too many numbers"}
    page.route("**/landscape?*", lambda route: route.fulfill(status=422, json=problem))
    field(page, "Steps").fill("20")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".panel-note", has_text="could not be computed")).to_contain_text(
        "One evaluation makes too many numbers"
    )


def test_an_outdated_training_is_marked(watched: Watched) -> None:
    page = watched.open("#/network")
    page.locator(".diagram .node").first.wait_for()
    field(page, "Steps").fill("50")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".surface canvas")).to_be_visible()
    job = asked_of(page)["job"]
    field(page, "Learning rate").fill("0.2")
    field(page, "Learning rate").blur()
    expect(page.locator(".outdated-mark")).to_contain_text(
        f"These results are from Adam, lr 0.05, 50 steps {DASH} {MARK}."
    )
    assert asked_of(page) == {"job": job}
    go(page, "Jobs")
    go(page, "Network")
    expect(field(page, "Learning rate")).to_have_value("0.2")
    expect(page.locator(".surface canvas")).to_be_visible()
    other = again(watched, page)
    expect(field(other, "Learning rate")).to_have_value("0.05")


GONE = "0199aaaa-0000-7000-8000-000000000000"


NO_FUNCTION = ("There is no function called “himmelblow”", "Choose a function")
NO_OPTIMIZER = "There is no optimizer called “adome” here. Choose another."
NO_SCHEDULE = "There is no schedule called “cosine” here. Choose another."
NO_DATA = "There is no data set called “rings” here. Choose another."
NO_JOB = "This job is not here"
DAMAGED = "Part of this link could not be read"


@pytest.mark.parametrize(
    ("address", "said", "way"),
    [
        ('#/run?spec={"function":"himmelblow"}', *NO_FUNCTION),
        ("#/race?function=himmelblow", *NO_FUNCTION),
        ('#/run?spec={"function":{"name":"booth","dim":5}}', "takes points of dimension 2", "Choose a function"),
        (f"#/run?job={GONE}", NO_JOB, "Set up a new run"),
        (f'#/race?jobs=["{GONE}"]', NO_JOB, "Set up a new race"),
        (f"#/network?job={GONE}", NO_JOB, "Set up a new network"),
        ('#/run?spec={"optimizer":"adome"}', NO_OPTIMIZER, "Run"),
        ('#/run?spec={"scheduler":"cosine"}', NO_SCHEDULE, "Run"),
        ('#/race?contenders=[{"optimizer":{"name":"adome"}}]', NO_OPTIMIZER, "Race"),
        ('#/network?settings={"network":{"dataset":{"name":"rings"}}}', NO_DATA, "Train"),
        ('#/run?spec={"function":', DAMAGED, "Run"),
        ('#/run?spec={"init":"here","optimizer":7}', DAMAGED, "Run"),
        ("#/race?start=there", DAMAGED, "Race"),
        ("#/network?settings=5", DAMAGED, "Train"),
        ("#/elsewhere", "There is no such page", "See an example"),
    ],
)
def test_a_link_to_something_missing_says_so_and_offers_a_way_on(
    watched: Watched, address: str, said: str, way: str
) -> None:
    watched.expect_status(404, 422)
    page = watched.open(address)
    expect(page.locator("#content")).to_contain_text(said)
    content = page.locator("#content")
    on = content.get_by_role("button", name=way, exact=True)
    expect(on.or_(content.get_by_role("link", name=way, exact=True))).to_be_visible()
    expect(page.locator("#content")).not_to_contain_text("GET /v1")


def test_a_function_is_chosen_in_place_of_one_that_is_not_there(watched: Watched) -> None:
    watched.expect_status(404)
    page = watched.open('#/run?spec={"function":"himmelblow","steps":321}')
    page.locator(".dead-end").get_by_role("button", name="Choose a function").click()
    page.get_by_role("searchbox").fill("booth")
    page.locator(".gallery li:visible button").first.click()
    expect(page.locator(".map .minimum")).to_have_count(1)
    expect(page.locator(".dead-end")).to_be_hidden()
    expect(field(page, "Steps")).to_have_value("321")


def test_a_formula_with_a_mistake_can_be_mended_where_the_link_leads(watched: Watched) -> None:
    watched.expect_status(422)
    spec = quote(json.dumps({"function": {"expression": "x**2 + zz", "variables": ["x", "y"]}}))
    page = watched.open(f"#/run?spec={spec}")
    expect(page.locator("[data-pointer='#/function/expression'] .error")).to_contain_text("zz")
    page.get_by_role("textbox", name="Formula", exact=True).fill("x**2 + y**2")
    expect(page.locator(".dead-end")).to_be_hidden()
    expect(page.locator(".map .ground")).to_be_attached()


def test_a_job_that_is_deleted_while_it_is_watched(browser: Browser, service: Service) -> None:
    job = service.post(steps=900_000_000, optimizer="sgd", lr=1e-9, record_every=1000)
    watched = Watched(browser, str(service.client.base_url), PICTURES)
    watched.expect_status(404)
    page = watched.open(f"#/run?job={job}")
    expect(page.locator(".progress-text")).to_contain_text("running")
    service.client.delete(f"/v1/jobs/{job}")
    expect(page.locator(".dead-end")).to_contain_text("This job is not here")
    page.get_by_role("button", name="Keep its settings").click()
    expect(field(page, "Steps")).to_have_value("900000000")
    watched.close()
