"""A service, and a real browser in front of it. What the browser complains about fails the test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.web.watched import EMPTY, PATIENCE_MS, Watched
from tests.workers.service import Service

ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
expect.set_options(timeout=PATIENCE_MS)

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "web"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def missing(what: str) -> None:
    """Skip what needs something that is not here; where CI is set, fail instead."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI is set: .ci/run and make check install what the tests need")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("web"), workers=1) as service:
        yield service


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def watched(browser: Browser, service: Service) -> Iterator[Watched]:
    """A new window of 1440 × 900 that is watched; nothing is opened in it yet."""
    watched = Watched(browser, str(service.client.base_url), PICTURES)
    yield watched
    watched.close()


@pytest.fixture
def page(watched: Watched) -> Page:
    """The page, with Himmelblau's function and no start yet."""
    return watched.open(EMPTY)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which finds what is not accessible."""
    if not AXE.exists():
        missing("axe-core")
    return AXE.read_text()
