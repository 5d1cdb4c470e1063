"""What happens to a tab: the network goes and comes, the machine sleeps, the person leaves and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright

from tests.connection.faults import FaultProxy
from tests.connection.screen import ALONE, seen, tabs
from tests.connection.stock import sell
from tests.e2e.browser import launched
from tests.running import Running

pytestmark = pytest.mark.browser

REMEMBER = """
  window.mark = "the same page";
  window.returns = [];
  addEventListener("pageshow", ({ persisted }) => window.returns.push(persisted));
"""


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """As a person's: pages that were left are kept for the way back."""
    with launched(playwright, without=["--disable-back-forward-cache"]) as browser:
        yield browser


def test_without_a_network_the_page_says_so_at_once_and_is_live_as_soon_as_there_is_one(
    browser: Browser, server: Running, proxy: FaultProxy
) -> None:
    with seen(browser, server, proxy.url) as screen:
        screen.shows("SKU-1", "1,000")
        screen.page.context.set_offline(True)
        screen.level("offline")
        screen.shows("SKU-1", "1,000")
        proxy.until(lambda proxy: proxy.open_links == 0)
        sell(server, 1, 8)
        screen.page.context.set_offline(False)
        screen.level("live")
        screen.shows("SKU-1", "992")
        screen.nothing_was_healed()


@pytest.mark.parametrize(
    "init",
    [
        pytest.param("", id="by a shared worker"),
        pytest.param("delete window.SharedWorker;", id="as the leader"),
        pytest.param(ALONE, id="by itself"),
    ],
)
def test_a_page_that_one_comes_back_to_is_the_same_page_and_has_what_it_missed(
    browser: Browser, server: Running, proxy: FaultProxy, init: str
) -> None:
    """A browser keeps only pages that let go of every socket, channel and lock."""
    with seen(browser, server, proxy.url, init=init) as screen:
        screen.shows("SKU-2", "1,000")
        screen.page.evaluate(REMEMBER)
        screen.open("/docs")
        sell(server, 2, 8)
        screen.page.go_back(wait_until="commit")
        screen.shows("SKU-2", "992")
        screen.level("live")
        assert screen.page.evaluate("[window.mark, ...window.returns]") == ["the same page", True]
        screen.nothing_was_healed()


def test_a_machine_that_slept_asks_first_whether_its_link_still_lives(
    browser: Browser, server: Running, proxy: FaultProxy
) -> None:
    """On the page's own clock, which is put forward; so the page holds the link itself, and no worker does."""
    with tabs(browser, server, proxy.url, init=ALONE) as person:
        clock = person.context.clock
        clock.install()
        (screen,) = person.open("/inventory")
        screen.shows("SKU-3", "1,000")
        clock.fast_forward(3_600_000)
        screen.level("live")
        before = screen.number("Reconnects")
        sell(server, 3, 8)
        screen.shows("SKU-3", "992")
        assert screen.number("Reconnects") == before

        proxy.silence()
        clock.fast_forward(3_600_000)
        screen.level("delayed", "stale", "reconnecting")
        sell(server, 3, 8)
        proxy.heal()
        clock.run_for(10_000)
        screen.shows("SKU-3", "984")
        screen.level("live")
        screen.nothing_was_healed()
