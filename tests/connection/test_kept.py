"""What a person saw last is there again without a link, with its age; who is signed out sees nothing of it."""

from __future__ import annotations

import mimetypes
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

import stockwire
from tests.connection.screen import PATIENCE, Screen, seen
from tests.connection.stock import sell
from tests.running import Running

pytestmark = pytest.mark.browser

PAGE = Path(stockwire.__file__).parent / "dashboard"
KEPT = """() => new Promise((told) => {
  const opening = indexedDB.open("stockwire");
  opening.onsuccess = () => {
    const views = opening.result.transaction("views").objectStore("views").getAll();
    views.onsuccess = () => {
      opening.result.close();
      told(views.result.map(({ text }) => text).join());
    };
  };
})"""


def from_disk(route: Route) -> None:
    """The page's own files, as a browser has them that kept them; of the server nothing answers."""
    path = route.request.url.split("/", 3)[3].split("?")[0]
    if path.startswith("api/"):
        route.abort()
        return
    file = PAGE / path if (PAGE / path).is_file() else PAGE / "index.html"
    route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0])


def until_kept(screen: Screen, holds: Callable[[str], bool]) -> None:
    """Wait until what is kept is so."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not holds(kept := screen.page.evaluate(KEPT)):
        assert time.monotonic() < deadline, kept[:200]
        time.sleep(0.1)


def until_alone(server: Running) -> None:
    """Wait until no page is connected."""
    deadline = time.monotonic() + PATIENCE / 1000
    while server.get("/api/v1/status")["connections"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_page_that_is_loaded_without_a_link_shows_what_was_seen_last_and_how_old_it_is(
    browser: Browser, server: Running
) -> None:
    with seen(browser, server, server.url) as screen:
        screen.shows("SKU-1", "1,000")
        until_kept(screen, lambda text: "SKU-1" in text)
        server.kill()
        screen.page.route("**/*", from_disk)
        screen.page.reload()
        screen.shows("SKU-1", "1,000")
        screen.level("reconnecting")
        expect(screen.page.locator(".indicator")).to_contain_text(re.compile(r"kept \d+ (s|min) ago"), timeout=PATIENCE)

        server.start()
        sell(server, 1, 8)
        screen.retry()
        screen.shows("SKU-1", "992")
        screen.level("live")
        screen.nothing_was_healed()


def test_who_comes_back_signed_out_finds_nothing_kept(browser: Browser, server: Running) -> None:
    with seen(browser, server, server.url, link=True) as screen:
        screen.shows("SKU-1", "1,000")
        until_kept(screen, lambda text: "SKU-1" in text)
        assert screen.page.evaluate("fetch('/api/v1/session', { method: 'DELETE' }).then(({ ok }) => ok)")
        screen.page.goto("about:blank")
        until_alone(server)
        screen.open("/inventory")
        expect(screen.page).to_have_url(re.compile("/sign-in$"), timeout=PATIENCE)
        until_kept(screen, lambda text: text == "")
        server.kill()
        screen.page.route("**/*", from_disk)
        screen.open("/inventory")
        screen.level("reconnecting")
        expect(screen.row("SKU-1")).to_have_count(0)
