"""Turning the surface: by the mouse, by keys, and how smoothly."""

import math
import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.web.reading import camera_of
from tests.web.watched import Watched, field, place_starts, run
from tests.workers.service import Service

SECONDS = 2.5
LEAST_RATE = 2  # frames a second on a machine that is busy otherwise; an idle one is to print 25 and more
FRAMES = """(ms) => new Promise((resolve) => {
    const { prototype } = WebGL2RenderingContext;
    const draw = prototype.drawElements;
    let isDrawn = false;
    prototype.drawElements = function (...call) {
        isDrawn = true;
        draw.apply(this, call);
    };
    const began = performance.now();
    let [frames, longest, last] = [0, 0, began];
    const tick = (now) => {
        if (isDrawn) {
            frames += 1;
            longest = Math.max(longest, now - last);
            [last, isDrawn] = [now, false];
        }
        if (now - began < ms) {
            requestAnimationFrame(tick);
            return;
        }
        prototype.drawElements = draw;
        resolve([frames, Math.max(longest, now - last)]);
    };
    requestAnimationFrame(tick);
})"""


def drag(page: Page) -> tuple[int, float]:
    """Turn the surface for some seconds; return how often it was drawn, and the longest time in between."""
    box = page.locator(".surface").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = camera_of(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(f"() => {{ window.counted = ({FRAMES})({1000 * SECONDS}); }}")
    deadline = time.monotonic() + SECONDS
    angle = 0.0
    while time.monotonic() < deadline:
        angle += 0.3
        page.mouse.move(x + 200 * math.sin(angle), y + 60 * math.sin(2 * angle), steps=8)
    frames, longest = page.evaluate("window.counted")
    page.mouse.up()
    assert camera_of(page) != before
    return frames, longest


def test_the_surface_is_turned_by_keys_and_read_by_pointing_at_a_path(page: Page) -> None:
    place_starts(page, (0.5, 0.5))
    field(page, "Steps").fill("200")
    run(page)
    surface = page.locator(".surface canvas")
    assert camera_of(page) == (60, -30)
    surface.press("ArrowUp")
    surface.press("ArrowLeft")
    page.wait_for_url(lambda url: "camera=" in url)
    assert camera_of(page) == (55, -25)
    page.get_by_role("button", name="First view").click()
    expect(surface).to_have_attribute("aria-label", re.compile("elevation 60°, azimuth .30°"))
    box = surface.bounding_box()
    assert box is not None
    for down in range(30, 70):  # the start is in the middle, at some height
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * down / 100)
        if "run 1" in page.locator(".at").inner_text():
            break
    expect(page.locator(".at")).to_contain_text(re.compile(r"run 1 · step \d+ · x = "))


def test_sixty_paths_of_twenty_thousand_steps_turn(
    watched: Watched, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    job = service.post(init={"random": 60, "seed": 4}, steps=20_000, lr=0.01)
    service.ended(job)
    page = watched.open(f"#/run?job={job}")
    expect(page.locator(".map path.line")).to_have_count(60)
    assert camera_of(page) == (60, -30)
    page.wait_for_load_state("networkidle")
    rates: list[float] = []
    while len(rates) < 5 and max(rates, default=0) < LEAST_RATE:  # whatever else the machine does meanwhile
        frames, longest = drag(page)
        rates.append(frames / SECONDS)
        with capsys.disabled():
            print(f"\nturning 60 paths, drawn in software: {rates[-1]:.1f} frames/s, the longest {longest:.0f} ms")
    assert max(rates) >= LEAST_RATE
    watched.picture(page, "sixty-paths")
