"""What is seen first, and that what is seen is said right: outcomes, costs, slices, formulas."""

import json
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.web.conftest import PICTURES
from tests.web.test_states import asked_of, draft, go, starts
from tests.web.watched import Watched, field, run
from tests.workers.service import Service

EACH = """all => all.map(each => [each.getBoundingClientRect().height, each.textContent])"""


def test_the_page_opens_with_the_lesson_from_the_record(watched: Watched, service: Service) -> None:
    page = watched.open("")
    rows = page.locator(".results tbody tr")
    expect(rows).to_have_count(3)
    job = asked_of(page)["job"]
    assert starts(page) == ["0, 0", "4, 0", "-4, 0"]
    expect(field(page, "Optimizer")).to_have_value("adam")
    expect(field(page, "Learning rate")).to_have_value("0.001")
    expect(field(page, "Steps")).to_have_value("20000")
    reached = {text.split(",")[0] for text in rows.locator("td:nth-child(6)").all_inner_texts()}
    assert len(reached) == 3  # a minimum each
    expect(page.locator(".stage > .notice")).to_contain_text("each path goes downhill to a minimum of its own")
    visitor = watched.open("")
    expect(visitor.locator(".results tbody tr")).to_have_count(3)
    assert asked_of(visitor)["job"] == job
    assert len(service.client.get("/v1/jobs?tag=lesson").json()["items"]) == 1
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(lambda url: job not in url)
    own = service.ended(asked_of(page)["job"])
    assert [each["init"] for each in own["runs"]] == [[0, 0], [4, 0], [-4, 0]]
    assert (own["spec"]["label"], own["spec"]["tags"]) == (None, [])
    expect(page.locator(".form-foot .error:visible")).to_have_count(0)
    go(page, "Jobs")
    expect(page.locator("tbody tr", has_text="Lesson").first).to_contain_text("done")


def test_the_lesson_comes_back_after_it_was_deleted(watched: Watched) -> None:
    page = watched.open("")
    expect(page.locator(".results tbody tr")).to_have_count(3)
    job = asked_of(page)["job"]
    page.get_by_role("button", name="Delete job").click()
    page.get_by_role("button", name="Delete job").click()
    expect(page.locator(".results")).to_be_hidden()
    assert "job" not in asked_of(page)
    assert starts(page) == ["0, 0", "4, 0", "-4, 0"]
    page.get_by_role("link", name="Thalweg").click()
    expect(page.locator(".results tbody tr")).to_have_count(3)
    assert asked_of(page)["job"] != job


def test_a_service_that_takes_no_such_job_opens_with_its_settings(watched: Watched) -> None:
    watched.expect_status(422)
    page = watched.open("#/jobs")
    refusal = {"status": 422, "detail": "20000 steps are over this service's limit of 1000"}
    page.route("**/v1/lesson", lambda route: route.fulfill(status=422, json=refusal))
    page.goto(f"{watched.origin}/#/")
    page.locator(".map .start").first.wait_for(state="attached")
    assert starts(page) == ["0, 0", "4, 0", "-4, 0"]


def test_a_job_with_diverged_runs_is_not_shown_in_green(watched: Watched, service: Service) -> None:
    page = watched.open(draft(optimizer={"name": "sgd"}, lr=1, init=[[3, 3], [2, 2]], steps=50, tags=["far"]))
    run(page)
    state = page.locator(".progress-text span").first
    expect(state).to_have_text("diverged")
    expect(state).to_have_class("bad")
    ended = service.job(asked_of(page)["job"])
    expect(page.locator(".results .outcome").first).to_have_text(
        f"diverged at step {ended['runs'][0]['diverged_at']}"
    )
    mixed = service.post(optimizer="sgd", lr=0.01, init=[[3, 2], [1e100, 0]], steps=50, tags=["far"])
    service.ended(mixed)
    fine = service.post(init=[3, 2], steps=5, tags=["far"])
    service.ended(fine)
    page.evaluate("location.hash = '#/jobs?tag=far'")
    states = page.locator("tbody .status")
    expect(states).to_have_text(["done", "done, 1 of 2 diverged", "diverged"])
    classes = [text.split()[-1] for text in states.evaluate_all("all => all.map(each => each.className)")]
    assert classes == ["good", "bad", "bad"]


def test_random_starts_of_a_link_are_posted_in_any_dimension(watched: Watched, service: Service) -> None:
    page = watched.open(
        draft(function={"name": "rastrigin", "dim": 5}, init={"random": 4, "seed": 3}, steps=20, lr=0.01)
    )
    run(page)
    expect(page.locator(".results tbody tr")).to_have_count(4)
    job = service.job(asked_of(page)["job"])
    assert (job["n_runs"], len(job["runs"][0]["init"])) == (4, 5)
    expect(page.locator(".stage > .hint")).to_contain_text("x₂ = 0, x₃ = 0, x₄ = 0 held")
    field(page, "Coordinates").fill("3")
    field(page, "Coordinates").blur()
    expect(page.locator(".starts-list + .hint")).to_contain_text("4 at random, seed 3")
    run(page)
    job = service.job(asked_of(page)["job"])
    assert (job["n_runs"], len(job["runs"][0]["init"])) == (4, 3)


def test_starts_at_random_are_added_in_the_dimension_of_the_link(watched: Watched, service: Service) -> None:
    page = watched.open(draft(function={"name": "rosenbrock", "dim": 4}, init=[], steps=20, lr=0.001))
    page.get_by_role("button", name="5 at random").click()
    expect(page.locator(".starts-list li")).to_have_count(5)
    run(page)
    job = service.job(asked_of(page)["job"])
    assert [len(each["init"]) for each in job["runs"]] == [4] * 5
    shown = [[float(value) for value in text.split(",")] for text in starts(page)]
    assert [each["init"] for each in job["runs"]] == shown


def test_a_slice_says_where_it_lies(watched: Watched) -> None:
    page = watched.open(draft(function={"name": "rosenbrock", "dim": 4}, init=[[0, 0, 0, 0]]))
    note = page.locator(".stage > .hint")
    expect(note).to_contain_text("A slice through a known minimum, with x₂ = 1, x₃ = 1 held.")
    page.get_by_label("Vertical coordinate").select_option("3")
    expect(note).to_contain_text("with x₁ = 1, x₂ = 1 held.")
    page.goto(f"{watched.origin}/{draft()}")
    expect(page.locator(".function-button")).to_contain_text("Himmelblau")
    expect(note).to_be_hidden()


def test_rates_are_added_only_where_there_is_one(watched: Watched) -> None:
    page = watched.open("#/race")
    page.locator(".map .start").first.wait_for(state="attached")
    names = page.locator(".contenders > li > details > summary")
    add = page.get_by_role("button", name="Add rates")
    add.click()
    expect(names).to_have_count(7)
    assert names.all_inner_texts()[5:] == ["adam, 0.005", "adam, 0.5"]
    add.click()
    assert names.all_inner_texts()[7:] == ["adam, 0.0005", "adam, 5"]  # none of them twice
    contenders = [
        {"optimizer": {"name": "lbfgs", "line_search_fn": "strong_wolfe"}},
        {"optimizer": {"name": "rprop"}},
    ]
    page.goto(f"{watched.origin}/#/race?contenders={json.dumps(contenders)}")
    expect(names).to_have_count(2)
    expect(add).to_be_disabled()
    plain = [{"optimizer": {"name": "lbfgs"}, "lr": 0.1}]  # without a line search the rate is how far it goes
    page.goto(f"{watched.origin}/#/race?contenders={json.dumps(plain)}")
    add.click()
    expect(names).to_have_text(["lbfgs, 0.1", "lbfgs, 0.01", "lbfgs, 1"])


@pytest.mark.parametrize("width", [1440, 380])
def test_formulas_are_whole_and_their_brackets_are_alike(browser: Browser, service: Service, width: int) -> None:
    watched = Watched(browser, str(service.client.base_url), PICTURES, width=width)
    page = watched.open(draft())
    formula = page.locator(".formula")
    expect(formula).to_be_visible()
    assert formula.evaluate("each => each.scrollWidth <= each.clientWidth")
    sizes = formula.locator("mo").evaluate_all(EACH)
    opening, closing = ([height for height, text in sizes if text == bracket] for bracket in "()")
    assert opening == pytest.approx(closing, rel=0.02)
    assert len(opening) == 3
    page.goto(f"{watched.origin}/{draft(function={'name': 'cross_in_tray', 'dim': 2})}")
    expect(page.locator(".function-button")).to_contain_text("Cross-in-tray")
    fences = formula.locator("mo[form]").evaluate_all("all => all.map(each => [each.getAttribute('form')])")
    assert len([form for (form,) in fences if form == "prefix"]) == len([f for (f,) in fences if f == "postfix"])
    watched.close()


def test_a_formula_of_a_link_keeps_its_plus_signs(watched: Watched) -> None:
    spec = json.dumps({"function": {"expression": "x**2+y**2", "variables": ["x", "y"]}, "init": [[1, 1]]})
    page = watched.open(f"#/run?spec={quote(spec, safe='+')}")
    expect(page.get_by_role("textbox", name="Formula", exact=True)).to_have_value("x**2+y**2")
    expect(page.locator(".map .start")).to_have_count(1)
    expect(page.locator(".function-button")).to_contain_text(re.compile("Your formula"))
