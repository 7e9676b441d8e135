"""What the page shows, read off it, and the gestures that several tests make."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.workers.service import Service


def job_of(page: Page, service: Service) -> dict[str, Any]:
    """Return the job that the address names."""
    return service.job(page.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('job')"))


def camera_of(page: Page) -> tuple[int, int]:
    """Return the elevation and the azimuth from which the surface is seen, in degrees."""
    angles = re.compile(r"elevation (.?\d+)°, azimuth (.?\d+)°")
    surface = page.locator(".surface canvas")
    expect(surface).to_have_attribute("aria-label", angles)  # which it has once it is drawn
    found = angles.search(surface.get_attribute("aria-label") or "")
    assert found
    elevation, azimuth = (int(degrees.replace("\N{MINUS SIGN}", "-")) for degrees in found.groups())
    return elevation, azimuth


def turn(page: Page) -> None:
    """Drag the surface a little to the right and upwards."""
    box = page.locator(".surface").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 90, box["y"] + box["height"] / 2 - 20, steps=4)
    page.mouse.up()


def window_of(page: Page) -> list[float]:
    """Return what the map shows, as the marks of its axes say."""
    window: list[float] = page.locator(".map").evaluate(
        """map => {
            const box = map.getBoundingClientRect();
            const ground = map.querySelector(".ground").getBoundingClientRect();
            const ends = { x: [ground.left, ground.right], y: [ground.bottom, ground.top] };
            return Object.entries(ends).flatMap(([axis, pixels]) => {
                const marks = [...map.querySelectorAll(`.plot-axes .${axis}`)].map((mark) => (
                    { at: Number(mark.getAttribute(axis)), value: Number(mark.textContent.replace("\u2212", "-")) }
                ));
                const [first, last] = [marks[0], marks.at(-1)];
                const scale = (last.value - first.value) / (last.at - first.at);
                return pixels.map((pixel) => first.value + (pixel - box[axis] - first.at) * scale);
            });
        }"""
    )
    return window


def addressed_window(page: Page) -> list[float] | None:
    """Return the window that the address says; None is the whole domain."""
    window: list[float] | None = page.evaluate(
        "JSON.parse(new URLSearchParams(location.hash.split('?')[1]).get('window'))"
    )
    return window


def settled(page: Page, before: list[float] | None = None) -> list[float]:
    """Return the window that the address says, once it is another one than before and its ground is drawn."""
    page.wait_for_function(
        """before => {
            const window = JSON.parse(new URLSearchParams(location.hash.split("?")[1]).get("window"));
            return window && String(window) !== String(before) && !document.querySelector(".map[aria-busy=true]");
        }""",
        arg=before,
    )
    window = addressed_window(page)
    assert window is not None
    return window
