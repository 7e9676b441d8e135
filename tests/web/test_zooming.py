"""Zooming the map: by the wheel, by keys, by two fingers."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import PICTURES
from tests.web.reading import addressed_window, camera_of, settled, window_of
from tests.web.watched import EMPTY, Watched, on_map
from tests.workers.service import Service


def touched(page: Page, *places: list[tuple[float, float]]) -> None:
    """Touch the screen with some fingers, go from place to place with them, and let go."""
    touch = page.context.new_cdp_session(page)
    for index, fingers in enumerate(places):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
        touch.send(
            "Input.dispatchTouchEvent", {"type": "touchMove" if index else "touchStart", "touchPoints": points}
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_the_wheel_with_ctrl_zooms_about_the_pointer_and_the_address_keeps_it(watched: Watched, page: Page) -> None:
    whole = [-6, 6, -6, 6]
    page.mouse.move(*on_map(page, 0.75, 0.25))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    near = settled(page)
    assert near == pytest.approx([-1.5, 4.5, -1.5, 4.5], abs=0.05)  # half as wide, and (3, 3) is where it was
    assert window_of(page) == pytest.approx(near)
    again = watched.open(page.url.removeprefix(watched.origin + "/"))
    on_map(again, 0.5, 0.5)
    assert window_of(again) == pytest.approx(near)
    page.mouse.wheel(0, 400)
    assert settled(page, near) == pytest.approx(whole, abs=0.2)  # the axes have moved a little for their labels


@pytest.mark.parametrize("picture", [".map", ".surface"])
def test_the_wheel_alone_scrolls_the_page_over_both_pictures(page: Page, picture: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 420})
    on_map(page, 0.5, 0.5)
    camera = camera_of(page)
    box = page.locator(picture).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    page.mouse.wheel(0, 50)
    page.wait_for_function("() => scrollY === 50")
    expect(page.locator(f"{picture} .gesture-hint")).to_contain_text("Hold Ctrl")
    page.mouse.wheel(0, -50)
    page.wait_for_function("() => scrollY === 0")
    assert addressed_window(page) is None
    expect(page.locator(".map")).not_to_have_attribute("aria-busy", "true")
    assert camera_of(page) == camera


def test_keys_zoom_the_map_that_has_the_focus(page: Page) -> None:
    on_map(page, 0.5, 0.5)
    page.locator(".map").focus()
    page.keyboard.press("+")
    near = settled(page)
    assert near == pytest.approx([-4, 4, -4, 4])
    page.keyboard.press("-")
    assert settled(page, near) == pytest.approx([-6, 6, -6, 6])
    page.keyboard.press("0")
    page.wait_for_function("!location.hash.includes('window')")


def test_two_fingers_zoom_the_map(browser: Browser, service: Service) -> None:
    watched = Watched(browser, str(service.client.base_url), PICTURES, width=380, has_touch=True)
    page = watched.open(EMPTY)
    (left, middle), (right, _) = on_map(page, 0.4, 0.5), on_map(page, 0.6, 0.5)
    spreads = (0, 10, 20, (right - left) / 2)
    touched(page, *([(left - spread, middle), (right + spread, middle)] for spread in spreads))
    # half of 12, as the fingers went twice as far apart, and a little for where they began to; on a busy machine
    # the map follows the fingers in more than one piece
    page.wait_for_function(
        """() => {
            const window = JSON.parse(new URLSearchParams(location.hash.split("?")[1]).get("window"));
            return window && window[1] - window[0] < 7;
        }"""
    )
    left_end, right_end, *_ = settled(page)
    assert left_end + right_end == pytest.approx(0, abs=0.3)
    expect(page.locator(".starts-list li")).to_have_count(0)
    watched.close()


def test_a_swipe_up_scrolls_over_the_surface_and_one_aside_turns_it(browser: Browser, service: Service) -> None:
    watched = Watched(browser, str(service.client.base_url), PICTURES, width=380, has_touch=True)
    page = watched.open(EMPTY)
    on_map(page, 0.5, 0.5)
    assert camera_of(page) == (60, -30)
    box = page.locator(".surface canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touched(page, *([(x + 10 * step, y)] for step in range(8)))
    page.wait_for_url(lambda url: "camera=" in url)
    elevation, azimuth = camera_of(page)
    assert elevation == 60
    assert azimuth < -35
    touched(page, *([(x - 40, y - 5 * step), (x + 40, y - 5 * step)] for step in range(8)))
    page.wait_for_function("() => !document.querySelector('.surface canvas').ariaLabel.includes('elevation 60')")
    camera = camera_of(page)
    assert camera[0] < 60
    assert page.evaluate("scrollY") == 0
    touched(page, *([(x, y - 10 * step)] for step in range(13)))  # last, as a page goes on after a swipe
    page.wait_for_function("() => scrollY > 50")
    assert camera_of(page) == camera
    watched.close()
