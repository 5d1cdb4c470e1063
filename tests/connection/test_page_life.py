"""What happens to a tab: the network goes and comes, the machine sleeps, the person leaves and comes back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.connection.faults import FaultProxy, faulty
from tests.connection.screen import seen, serving
from tests.e2e.browser import QUIET
from tests.running import Running, event, free_port, snapshot

pytestmark = pytest.mark.browser

CLOCK = """
  const real = Date.now;
  window.slept = 0;
  Date.now = () => real() + window.slept;
"""
REMEMBER = """
  window.mark = "the same page";
  window.returns = [];
  addEventListener("pageshow", ({ persisted }) => window.returns.push(persisted));
"""


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, FaultProxy]]:
    port = free_port()
    with faulty(port) as proxy:
        server = serving(tmp_path_factory.mktemp("life") / "data", proxy.url, port=port).start()
        try:
            yield server, proxy
        finally:
            server.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """As a person's: pages that were left are kept for the way back."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=QUIET, ignore_default_args=["--disable-back-forward-cache"]
        )
        yield browser
        browser.close()


def test_without_a_network_the_page_says_so_at_once_and_is_live_as_soon_as_there_is_one(
    browser: Browser, way: tuple[Running, FaultProxy]
) -> None:
    server, proxy = way
    server.post(snapshot("SKU-1", 50))
    with seen(browser, server, proxy.url) as screen:
        screen.shows("SKU-1", "50")
        screen.page.context.set_offline(True)
        screen.level("offline")
        screen.shows("SKU-1", "50")
        proxy.until(lambda proxy: proxy.open_links == 0)
        server.post(event("stock.adjusted", sku="SKU-1", quantity=-8, reason="correction"))
        screen.page.context.set_offline(False)
        screen.level("live")
        screen.shows("SKU-1", "42")
        screen.nothing_was_healed()


@pytest.mark.parametrize(
    "init",
    [
        pytest.param("", id="by a shared worker"),
        pytest.param("delete window.SharedWorker;", id="as the leader"),
        pytest.param("delete window.SharedWorker; delete window.BroadcastChannel;", id="by itself"),
    ],
)
def test_a_page_that_one_comes_back_to_is_the_same_page_and_has_what_it_missed(
    browser: Browser, way: tuple[Running, FaultProxy], init: str
) -> None:
    """A browser keeps only pages that let go of every socket, channel and lock."""
    server, proxy = way
    server.post(snapshot("SKU-2", 50))
    with seen(browser, server, proxy.url, init=init) as screen:
        screen.shows("SKU-2", "50")
        screen.page.evaluate(REMEMBER)
        screen.open("/docs")
        server.post(event("stock.adjusted", sku="SKU-2", quantity=-8, reason="correction"))
        screen.page.go_back(wait_until="commit")
        screen.shows("SKU-2", "42")
        screen.level("live")
        assert screen.page.evaluate("[window.mark, ...window.returns]") == ["the same page", True]
        screen.nothing_was_healed()


def test_a_machine_that_slept_asks_first_whether_its_link_still_lives(
    browser: Browser, way: tuple[Running, FaultProxy]
) -> None:
    server, proxy = way
    server.post(snapshot("SKU-3", 50))
    with seen(browser, server, proxy.url, init=CLOCK) as screen:
        screen.shows("SKU-3", "50")
        screen.page.evaluate("window.slept += 3_600_000")
        screen.level("live")
        before = screen.number("Reconnects")
        server.post(event("stock.adjusted", sku="SKU-3", quantity=-8, reason="correction"))
        screen.shows("SKU-3", "42")
        assert screen.number("Reconnects") == before

        proxy.silence()
        screen.page.evaluate("window.slept += 3_600_000")
        screen.level("delayed", "stale", "reconnecting")
        server.post(event("stock.adjusted", sku="SKU-3", quantity=-8, reason="correction"))
        proxy.heal()
        screen.shows("SKU-3", "34")
        screen.level("live")
        screen.nothing_was_healed()
