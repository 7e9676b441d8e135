"""Jobs, races, and the states in which a page is when something is missing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.serving import NoWorkers, served
from tests.web.conftest import PICTURES
from tests.web.watched import Watched, field
from tests.workers.service import Service
from thalweg.settings import Settings

NETWORK = {
    "function": {"mlp": {"layers": [2, 4, 3, 1], "dataset": "moons", "loss": "bce", "batch_size": 20}},
    "init": {"random": 1, "seed": 1},
    "steps": 100,
    "lr": 0.05,
    "tags": ["network"],
}

TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_a_race_says_who_got_where(watched: Watched, service: Service) -> None:
    page = watched.open("#/race")
    page.locator(".map .minimum").first.wait_for(state="attached")
    page.get_by_role("button", name="Add rates").click()
    page.get_by_role("button", name="Race", exact=True).click()
    rows = page.locator(".results tbody tr")
    expect(rows).to_have_count(7)
    expect(rows.locator("td:last-child", has_text="reached step limit")).to_have_count(7)
    jobs = page.evaluate("JSON.parse(new URLSearchParams(location.hash.split('?')[1]).get('jobs'))")
    sgd = service.ended(jobs[0])["runs"][0]
    row = rows.filter(has_text="sgd, 0.01").first
    expect(row).to_contain_text(f"no. {sgd['minimum']['index'] + 1}")
    path = service.client.get(f"/v1/jobs/{jobs[0]}/trajectory").json()
    arrived = 1 + max(
        step
        for step, x in zip(path["step"], path["x"], strict=True)
        if sum((a - b) ** 2 for a, b in zip(x, sgd["minimum"]["x"], strict=True)) ** 0.5 > 0.012
    )
    expect(row.locator("td").nth(2)).to_have_text(str(arrived))
    expect(row.locator("td").nth(1)).to_have_text(str(arrived + 1))  # each step takes one evaluation
    lbfgs = service.ended(jobs[4])["runs"][0]
    cells = rows.filter(has_text="lbfgs").locator("td").all_inner_texts()
    most = lbfgs["n_evaluations"] - (lbfgs["n_steps"] - int(cells[2]))
    assert cells[1].removeprefix("≤ ") == str(most)
    assert most > int(cells[2]) + 1  # a step of it takes several
    costs = rows.locator("td:nth-child(3)").all_inner_texts()
    ranks = [int(re.sub(r"\D", "", cost)) for cost in costs if cost != "–"]
    assert ranks == sorted(ranks)
    watched.picture(page, "race-1440", full=True)
    again = watched.open(page.url.removeprefix(watched.origin + "/"))
    expect(again.locator(".results tbody tr")).to_have_count(7)
    expect(again.locator(".contenders li")).to_have_count(7)


def test_a_contender_that_diverges_says_so(watched: Watched) -> None:
    contenders = '[{"optimizer":{"name":"sgd"},"lr":1},{"optimizer":{"name":"adam"},"lr":0.1}]'
    page = watched.open(f"#/race?contenders={contenders}")
    page.locator(".map .minimum").first.wait_for(state="attached")
    page.get_by_role("button", name="Race", exact=True).click()
    expect(page.locator(".results tbody tr").last).to_contain_text("diverged at step")


def test_jobs_are_listed_with_their_actions(watched: Watched, service: Service, tmp_path: Path) -> None:
    done = service.post(label="short", tags=["listed"], steps=20)
    service.ended(done)
    going = service.post(label="long", tags=["listed"], optimizer="lbfgs", steps=10_000_000, record_every=1000)
    page = watched.open("#/jobs?tag=listed")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    long, short = rows.filter(has_text="long"), rows.filter(has_text="short")
    expect(long.locator(".status")).to_have_text("running")
    long.get_by_role("button", name="Cancel").click()
    expect(long.locator(".status")).to_have_text("cancelled")
    assert service.job(going)["status"] == "cancelled"
    with page.expect_download() as download:
        short.get_by_role("button", name="CSV").click()
    csv = tmp_path / "short.csv"
    download.value.save_as(csv)
    assert csv.read_text() == service.client.get(f"/v1/jobs/{done}/trajectory", headers={"Accept": "text/csv"}).text
    short.get_by_role("button", name="Extend").click()
    field(page, "Further steps").fill("30")
    page.get_by_role("dialog").get_by_role("button", name="Extend").click()
    expect(short).to_contain_text("step 50 of 50")
    assert service.ended(done)["progress"] == {"step": 50, "steps": 50}
    long.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Really?").or_(long.get_by_text("Really?")).first.click()
    expect(rows).to_have_count(1)
    assert service.client.get(f"/v1/jobs/{going}").status_code == 404
    watched.picture(page, "jobs-1440")
    short.get_by_role("link").click()
    expect(page.locator(".results tbody tr")).to_have_count(1)


def test_the_api_reference_makes_no_foreign_requests(watched: Watched, service: Service) -> None:
    page = watched.open_anything("/docs")
    paths = service.client.get("/openapi.json").json()["paths"]
    operations = page.locator(".opblock")
    expect(operations).to_have_count(sum(len(path) for path in paths.values()))
    operations.filter(has_text="/healthz").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response .response-col_status")).to_have_text("200")
    watched.picture(page, "docs-1440")


def test_no_jobs_yet(watched: Watched) -> None:
    page = watched.open("#/jobs?tag=nobody-has-this")
    expect(page.get_by_role("heading", name="No job matches")).to_be_visible()


def test_a_deleted_job(watched: Watched) -> None:
    watched.expect_status(404)
    page = watched.open("#/run?job=0199aaaa-0000-7000-8000-000000000000")
    expect(page.locator(".dead-end")).to_contain_text("This job is not here")


def test_a_broken_stream_resumes_from_its_last_event(watched: Watched, service: Service) -> None:
    job = service.post(steps=20_000)
    service.ended(job)
    fresh = {**service.job(job), "status": "running"}
    page = watched.open("#/jobs")
    asked: list[str | None] = []

    def events(route: Route) -> None:
        asked.append(route.request.headers.get("last-event-id"))
        if len(asked) == 1:
            body = 'event: progress\ndata: {"step": 500, "steps": 20000, "status": "running"}\nid: 500\n\n'
            route.fulfill(status=200, content_type="text/event-stream", body=body)
        else:
            route.continue_()

    page.route("**/events", events)
    page.route(f"**/v1/jobs/{job}", lambda route: route.fulfill(json=fresh))
    page.goto(f"{watched.origin}/#/run?job={job}")
    expect(page.locator(".results tbody tr")).to_have_count(1)
    assert asked == [None, "500"]


def test_the_page_recovers_when_the_service_is_back(watched: Watched, page: Page) -> None:
    watched.expect_status(0)
    page.locator(".map .minimum").first.wait_for(state="attached")
    page.route("**/v1/**", lambda route: route.abort())
    page.route("**/healthz", lambda route: route.abort())
    page.get_by_role("button", name="Zoom in").click()
    expect(page.locator("#banner")).to_contain_text("does not answer")
    page.unroute_all()
    expect(page.locator("#banner")).to_be_hidden()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    with served(Settings(data_dir=tmp_path, api_keys="open-sesame"), NoWorkers()) as client:
        yield str(client.base_url)


def test_a_service_with_keys_asks_for_one(guarded: str, browser: Browser, tmp_path: Path) -> None:
    watched = Watched(browser, guarded, tmp_path)
    watched.expect_status(401)
    page = watched.open_anything("/")
    dialog = page.get_by_role("dialog", name="Access key")
    field(page, "Key").fill("wrong")
    dialog.get_by_role("button").click()
    expect(dialog).to_contain_text("not accepted. Ask whoever runs this service.")
    field(page, "Key").fill("open-sesame")
    dialog.get_by_role("button").click()
    page.locator(".map .minimum").first.wait_for(state="attached")
    watched.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_accessible_and_fits(browser: Browser, service: Service, axe: str, scheme: str) -> None:
    job = service.post(init=[[0, 0], [4, 0], [-4, 0]], steps=2000, lr=0.01)
    network = service.post(**NETWORK)
    service.ended(job)
    service.ended(network)
    watched = Watched(browser, str(service.client.base_url), PICTURES, color_scheme=scheme)
    page = watched.open("#/jobs")
    page.evaluate(axe)
    for view, hash_, is_drawn in (
        ("run", f"#/run?job={job}", ".curves:not([hidden]) .curve .plot-axes .y >> nth=0"),
        ("race", "#/race", ".map .minimum >> nth=0"),
        ("network", f"#/network?job={network}", ".training .surface canvas >> nth=0"),
        ("jobs", "#/jobs", "tbody tr >> nth=0"),
    ):
        page.evaluate("hash => { location.hash = hash; }", hash_)
        page.locator(is_drawn).wait_for(state="attached")
        page.wait_for_load_state("networkidle")
        for width in (1440, 380):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(TWO_FRAMES)  # plots follow the size of the window in the next
            found = page.evaluate("axe.run().then(result => result.violations)")
            said = [(each["id"], [node["html"][:150] for node in each["nodes"]]) for each in found]
            assert not said, (view, width, said)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (view, width)
            watched.picture(page, f"{view}-{width}-{scheme}", full=True)
    watched.close()


def test_a_picture_opens_without_the_service(browser: Browser, service: Service, tmp_path: Path) -> None:
    job = service.post(label="kept", init=[[0, 0], [4, 0]], steps=500, lr=0.01)
    service.ended(job)
    page = Watched(browser, str(service.client.base_url), PICTURES).open(f"#/run?job={job}")
    with page.expect_download() as download:
        page.get_by_role("button", name="as HTML").click()
    download.value.save_as(tmp_path / "kept.html")
    alone = Watched(browser, tmp_path.as_uri(), PICTURES)
    page = alone.open_anything("/kept.html")
    page.locator("canvas").first.wait_for()
    expect(page.locator(".gtitle")).to_have_text("kept")
    alone.picture(page, "kept")
    alone.close()
