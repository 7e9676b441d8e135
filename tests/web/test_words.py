"""What the page says, where it is easily said wrong."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.serving import NoWorkers, served
from tests.web.test_states import draft
from tests.web.watched import Watched, field, run
from tests.workers.service import Service
from thalweg.settings import Settings

MINUS = "\N{MINUS SIGN}"


def test_too_many_points_say_what_to_set(watched: Watched) -> None:
    watched.expect_status(422)
    page = watched.open(
        draft(steps=500_000_000, init=[[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [0, 1], [0, 2]])
    )
    page.locator(".map .start").first.wait_for(state="attached")
    page.get_by_role("button", name="Run", exact=True).click()
    complaint = page.locator("[data-pointer='#/record_every'] .error")
    # 20 million points over 8 runs are 2.5 million each, one of them the first: 500 million / 2 499 999 is 200.0001
    expect(complaint).to_have_text("Too many points to record. Set Record every to 201 or more.")
    field(page, "Record every").fill("201")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()


@pytest.mark.parametrize(
    ("function", "typed", "said"),
    [
        ({"name": "himmelblau", "dim": 2}, "1.5", f'Two numbers, e.g. "1.5, {MINUS}2"'),
        ({"name": "himmelblau", "dim": 2}, "here, there", f'Two numbers, e.g. "1.5, {MINUS}2"'),
        ({"name": "himmelblau", "dim": 2}, "1, 2, 3", f'Two numbers, e.g. "1.5, {MINUS}2"'),
        ({"name": "forrester", "dim": 1}, "0.1, 0.2", 'One number, e.g. "1.5"'),
        ({"name": "rosenbrock", "dim": 3}, "1, 2", f'Three numbers, e.g. "1.5, {MINUS}2, 0"'),
        ({"name": "sphere", "dim": 40}, "1", f'40 numbers, e.g. "1.5, {MINUS}2, 0, 3, …"'),
    ],
)
def test_a_start_that_is_no_point_says_what_is_one(
    watched: Watched, function: dict[str, object], typed: str, said: str
) -> None:
    page = watched.open(draft(function=function, init=[[0] * int(str(function["dim"]))]))
    start = field(page, "Start 1")
    start.fill(typed)
    start.blur()
    error = page.locator("[data-pointer='#/init/0'] .error")
    expect(error).to_have_text(said)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(error).to_have_text(said)
    assert "/v1/jobs" not in [path for _, path in watched.statuses]
    start.fill(", ".join([f"{MINUS}1.5"] * int(str(function["dim"]))))  # a minus as the page writes it
    start.blur()
    expect(error).to_be_hidden()


def test_outcomes_in_words(watched: Watched, service: Service) -> None:
    page = watched.open(draft(steps=20))
    run(page)
    expect(page.locator(".results .outcome")).to_have_text("reached step limit")
    late = service.post(steps=500_000_000, record_every=100_000, lr=1e-10, timeout_s=1)
    service.ended(late)
    page = watched.open(f"#/run?job={late}")
    expect(page.locator(".results .outcome")).to_have_text("timed out")


def test_a_whole_number_is_asked_for_in_words(watched: Watched) -> None:
    watched.expect_status(422)
    page = watched.open(draft())
    page.locator(".map .start").first.wait_for(state="attached")
    field(page, "Steps").fill("many")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("[data-pointer='#/steps'] .error")).to_have_text("This should be a whole number.")
    expect(field(page, "Learning-rate schedule")).to_be_visible()
    marks = page.locator(".job-form .hint").filter(has_text=re.compile("`"))
    expect(marks).to_have_count(0)


def test_a_key_is_asked_for_in_words(browser: Browser, tmp_path: Path) -> None:
    with served(Settings(data_dir=tmp_path, api_keys="open-sesame"), NoWorkers()) as client:
        watched = Watched(browser, str(client.base_url), tmp_path)
        watched.expect_status(401)
        page = watched.open_anything("/")
        said = "An access key is required. Ask whoever runs this service."
        expect(page.get_by_role("dialog").get_by_text(said, exact=True)).to_be_visible()
        assert [path for _, path in watched.statuses if path == "/v1/lesson"] == []
        field(page, "Key").fill("open-sesame")
        page.get_by_role("dialog").get_by_role("button").click()
        expect(page.locator(".starts-list li")).to_have_count(3)
        watched.close()


def test_units_per_layer(watched: Watched) -> None:
    page = watched.open("#/network")
    hidden = field(page, "Hidden layers")
    expect(hidden).to_be_visible()
    hint = page.locator(f"#{hidden.get_attribute('id')}-hint")
    expect(hint).to_have_text("Units per layer, e.g. 4, 3")
