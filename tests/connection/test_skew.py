"""The server is of another version than the page: one apart makes no difference, beyond that the page asks to be reloaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, WebSocketRoute, expect

from tests.connection.screen import ALONE, PATIENCE, Screen, tabs
from tests.connection.stock import sell
from tests.running import Running

pytestmark = pytest.mark.browser

# Of a page that was not loaded anew.
MARK = "window.mark = 'the same page'"


class Skew:
    """What the server says of itself, changed on the way to the page."""

    def __init__(self) -> None:
        self.member, self.value = "protocol", "1"

    def says(self, member: str, value: str) -> None:
        """From the next hello on."""
        self.member, self.value = member, value

    def between(self, page: WebSocketRoute) -> None:
        """Pass everything on, the hello as told."""
        server = page.connect_to_server()
        server.on_message(lambda frame: page.send(self._changed(str(frame))))

    def _changed(self, frame: str) -> str:
        if not frame.startswith('{"type":"hello"'):
            return frame
        return re.sub(rf'"{self.member}":("[^"]*"|\d+)', f'"{self.member}":{self.value}', frame, count=1)


@contextmanager
def looking(browser: Browser, server: Running, skew: Skew) -> Iterator[Callable[[str], Screen]]:
    """What opens a path of the page behind that skew; the tab connects by itself, since a worker's socket passes by it."""
    with tabs(browser, server, server.url, init=ALONE) as person:
        person.context.route_web_socket("**/api/v1/ws", skew.between)

        def opened(path: str) -> Screen:
            (screen,) = person.open(path)
            return screen

        yield opened


def notice(screen: Screen, words: str) -> Locator:
    """The bar that asks for a reload, which lies over nothing else."""
    bar = screen.page.get_by_role("status").filter(has_text=words)
    expect(bar).to_be_visible(timeout=PATIENCE)
    box, content = bar.bounding_box(), screen.page.locator("main").bounding_box()
    assert box is not None and content is not None
    assert box["y"] + box["height"] <= content["y"]
    return bar


def test_one_version_apart_makes_no_difference_and_beyond_it_the_page_asks_for_a_reload(
    browser: Browser, server: Running
) -> None:
    skew = Skew()
    skew.says("protocol", "2")
    with looking(browser, server, skew) as opened:
        screen = opened("/inventory")
        screen.shows("SKU-1", "1,000")
        sell(server, 1)
        screen.shows("SKU-1", "999")
        expect(screen.page.get_by_role("button", name="Reload")).to_have_count(0)

        for path, words, button in (
            ("/inventory", "This page and Stockwire are of versions too far apart.", "Reload"),
            ("/orders?language=de", "Diese Seite und Stockwire sind von zu verschiedenen Versionen.", "Neu laden"),
        ):
            skew.says("protocol", "3")
            screen.open(path)
            screen.level("error")
            screen.page.evaluate(MARK)
            bar = notice(screen, words)
            assert screen.page.evaluate("window.mark")
            skew.says("protocol", "1")
            bar.get_by_role("button", name=button).click()
            screen.level("live")
            assert not screen.page.evaluate("window.mark")


def test_a_new_build_is_offered_to_a_person_and_taken_by_a_wall(browser: Browser, server: Running) -> None:
    skew = Skew()
    with looking(browser, server, skew) as opened:
        screen, wall = opened("/"), opened("/wall?panels=stock")
        for each in (screen, wall):
            each.level("live")
            each.page.evaluate(MARK)
        skew.says("build", '"newer"')
        with wall.page.expect_event("load", timeout=PATIENCE):
            for each in (screen, wall):
                each.page.evaluate("dispatchEvent(new Event('offline'))")
                each.page.evaluate("dispatchEvent(new Event('online'))")
        wall.level("live")
        bar = notice(screen, "A new version of Stockwire is here.")
        assert screen.page.evaluate("window.mark")
        with screen.page.expect_event("load", timeout=PATIENCE):
            bar.get_by_role("button", name="Reload").click()
        screen.level("live")
        expect(bar).to_have_count(0)
