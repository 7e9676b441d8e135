"""A service, and a real browser in front of it. What the browser complains about fails the test."""

import os
import shutil
import subprocess
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

PICTURES = Path(__file__).parents[2] / "build" / "web"


def missing(what: str) -> None:
    """Skip what needs something that is not here; where CI is set, fail instead."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not here, and CI is set: .ci/run installs it")
    pytest.skip(f"{what} is not here")


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
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, which finds what is not accessible."""
    if shutil.which("npm") is None:
        missing("npm")
    folder = tmp_path_factory.mktemp("axe")
    install = ["npm", "install", "--silent", "--no-save", "--prefix", str(folder), "axe-core@4"]
    if subprocess.run(install, capture_output=True, timeout=120, check=False).returncode:
        missing("axe-core")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()
