"""A browser window in which nothing goes wrong unnoticed."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response

PATIENCE_MS = 90_000  # on a machine that does much else besides
EMPTY = '#/run?spec={"init":[]}'
"""A run that is yet to be set up; without it the page opens with the lesson."""


class Watched:
    """A window of its own, with nothing remembered, whose console and requests are looked at when it is closed.

    Args:
        browser: Where it is opened.
        origin: The service; a request to anywhere else is a failure.
        pictures: Where screenshots go.
    """

    def __init__(
        self, browser: Browser, origin: str, pictures: Path, width: int = 1440, height: int = 900, **options: Any
    ) -> None:
        self.origin = origin
        self._pictures = pictures
        self._context = browser.new_context(viewport={"width": width, "height": height}, **options)
        self._context.set_default_timeout(PATIENCE_MS)
        self._complaints: list[str] = []
        self._elsewhere: list[str] = []
        self._expected: set[int] = set()
        self.statuses: list[tuple[int, str]] = []

    def expect_status(self, *statuses: int) -> None:
        """Take answers of these statuses for a part of the test; 0 is no answer."""
        self._expected.update(statuses)

    def open(self, hash_: str) -> Page:
        """Open the page in a new tab, and wait until it can be used."""
        page = self.open_anything(f"/{hash_}")
        page.locator("#content > div").wait_for()
        return page

    def open_anything(self, address: str) -> Page:
        """Open any address of the service in a new tab."""
        page = self._context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complaints.append(f"{error}\n{error.stack}"))
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.goto(self.origin + address)
        return page

    def picture(self, page: Page, name: str, *, full: bool = False) -> None:
        """Keep a screenshot."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=self._pictures / f"{name}.png", full_page=full)

    def close(self) -> None:
        """Close the window, and fail if the browser had anything to complain about."""
        self._context.close()
        assert not self._complaints, self._complaints
        assert not self._elsewhere, self._elsewhere

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        failed = re.match(r"Failed to load resource: .*?(\d{3}|net::)", message.text)
        if failed and (0 if failed[1] == "net::" else int(failed[1])) in self._expected:
            return
        self._complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and not request.url.startswith(self.origin):
            self._elsewhere.append(request.url)

    def _answered(self, response: Response) -> None:
        self.statuses.append((response.status, urlsplit(response.url).path))


def place_starts(page: Page, *places: tuple[float, float]) -> None:
    """Click on the map, at shares of its width and height from the left and the top."""
    for across, down in places:
        x, y = on_map(page, across, down)
        page.mouse.click(x, y)


def on_map(page: Page, across: float, down: float) -> tuple[float, float]:
    """Return where on the screen a place on the map is: its shares of the axes' width and height."""
    page.locator(".map .minimum, .map .start").first.wait_for(state="attached")
    box = page.locator("#map-inside rect").evaluate(
        """rect => {
            const frame = rect.ownerSVGElement.getBoundingClientRect();
            const of = (name) => Number(rect.getAttribute(name));
            return [frame.left + of("x"), frame.top + of("y"), of("width"), of("height")];
        }"""
    )
    return box[0] + across * box[2], box[1] + down * box[3]


def run(page: Page) -> None:
    """Press the button, and wait until the job has ended and is drawn."""
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".results tbody tr").first.wait_for()


def field(page: Page, label: str) -> Locator:
    """Return the control with this label."""
    return page.get_by_label(label, exact=True)
