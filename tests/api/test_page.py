"""The files of the page, and pictures of jobs."""

import gzip
import re
from pathlib import Path

import httpx
import pytest

from tests.api.test_bad_input import assert_problem
from tests.serving import NoWorkers, served
from thalweg.settings import Settings

HIMMELBLAU = {"function": "himmelblau", "optimizer": "adam", "lr": 0.01, "init": [[0, 0], [4, 0]], "steps": 200}


def ended_job(client: httpx.Client, **fields: object) -> str:
    answer = client.post("/v1/jobs", json={**HIMMELBLAU, **fields}, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    job_id: str = answer.json()["id"]
    return job_id


@pytest.mark.parametrize(("address", "n_files"), [("/", 21), ("/docs", 5)])
def test_the_document_names_nothing_that_is_not_served(idle: httpx.Client, address: str, n_files: int) -> None:
    document = idle.get(address)
    assert document.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in document.headers["content-security-policy"]
    names = re.findall(r'(?:href|src)="(assets/[^"]+)"', document.text)
    assert len(names) >= n_files
    for name in names:
        answer = idle.get(f"/{name}")
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["cache-control"]
        assert idle.get(f"/{name}", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_every_module_that_is_imported_is_there() -> None:
    root = Path(__file__).parents[2] / "app" / "thalweg" / "web" / "js"
    for module in root.rglob("*.js"):
        for imported in re.findall(r'from "(\.[^"]+)"', module.read_text()):
            assert (module.parent / imported).resolve().is_file(), (module, imported)


def test_a_file_is_sent_compressed_to_who_takes_it(idle: httpx.Client) -> None:
    address = "/assets/0123456789abcdef/js/main.js"
    source = (Path(__file__).parents[2] / "app" / "thalweg" / "web" / "js" / "main.js").read_bytes()
    with idle.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(sent) == source
    assert len(sent) < len(source) / 2
    plain = idle.get(address, headers={"Accept-Encoding": "identity"})
    assert plain.content == source
    assert plain.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize("path", ["/assets/x/nothing.js", "/assets/x/../../main.py", "/assets/x/%2e%2e/assets.py"])
def test_nothing_else_is_served(idle: httpx.Client, path: str) -> None:
    assert_problem(idle.get(path), 404)


def test_a_stale_address_is_served_and_not_kept(idle: httpx.Client) -> None:
    answer = idle.get("/assets/0123456789abcdef/js/main.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_is_open_where_the_api_wants_a_key(tmp_path: Path) -> None:
    with served(Settings(data_dir=tmp_path, api_keys="secret"), NoWorkers()) as client:
        assert client.get("/").status_code == 200
        assert client.get("/v1/jobs").status_code == 401


@pytest.mark.parametrize(
    ("form", "begins", "media_type"),
    [
        ("png", b"\x89PNG\r\n", "image/png"),
        ("svg", b"<?xml", "image/svg+xml"),
        ("html", b"<!doctype html>", "text/html; charset=utf-8"),
    ],
)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"function": "rosenbrock", "init": [[1, 2, 3, 4]]},
        {"function": {"name": "sphere", "dim": 1}, "init": [[3]]},
        {"function": {"expression": "x**2 + y**4", "variables": ["x", "y"]}},
        {"optimizer": "sgd", "lr": 10},
        {"function": {"expression": "hypot(x - 1, y)", "variables": ["x", "y"]}, "init": [[1, 0]]},
        {"function": {"expression": "sqrt(x) + y**2", "variables": ["x", "y"]}, "init": [[0, 1]]},
        {"label": "a $label$ with </script><script>alert(1)</script>"},
    ],
    ids=["plane", "slice", "graph", "formula", "diverged", "kink", "border", "label"],
)
def test_a_picture_of_a_job(
    running: httpx.Client, fields: dict[str, object], form: str, begins: bytes, media_type: str
) -> None:
    answer = running.get(f"/v1/jobs/{ended_job(running, **fields)}/plot.{form}?dpi=50")
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(begins)
    assert answer.headers["content-type"] == media_type
    if form == "html":
        assert b"<script>alert" not in answer.content
        assert b"src=" not in answer.content.split(b'<div id="plot">')[1]


def test_pictures_are_what_was_asked_for(running: httpx.Client) -> None:
    at = f"/v1/jobs/{ended_job(running)}/plot"
    pictures = [
        running.get(f"{at}.png?{query}").content
        for query in ("", "log=false", "elevation=20", "azimuth=60", "dpi=60")
    ]
    assert len(set(pictures)) == len(pictures)
    assert running.get(f"{at}.svg").content == running.get(f"{at}.svg").content
    assert_problem(running.get(f"{at}.gif"), 422)
    assert_problem(running.get(f"{at}.png?x_axis=2"), 422)
    assert_problem(running.get("/v1/jobs/nothing/plot.png"), 404)


def test_a_picture_before_anything_ran(idle: httpx.Client) -> None:
    job = idle.post("/v1/jobs", json=HIMMELBLAU).json()["id"]
    for form in ("png", "html"):
        assert idle.get(f"/v1/jobs/{job}/plot.{form}").status_code == 200


def test_the_samples_of_a_network(running: httpx.Client) -> None:
    mlp = {"layers": [2, 3, 1], "dataset": "xor", "loss": "half_sse"}
    job = ended_job(running, function={"mlp": mlp}, init={"random": 1, "seed": 0}, steps=5)
    samples = running.get(f"/v1/jobs/{job}/samples").json()
    assert samples["n_samples"] == 4
    assert [a != b for a, b in samples["x"]] == [bool(y) for (y,) in samples["y"]]
    assert len(running.get(f"/v1/jobs/{job}/samples?limit=2").json()["x"]) == 2
    assert_problem(running.get(f"/v1/jobs/{ended_job(running)}/samples"), 409)
