"""Between the page and the server a link is cut, reset, silent, slow and sliced; the server dies. Nothing is missed or repeated.

`Resets none` and `Faults healed 0` say that every continuation came from the cursor that the page held, and that each
frame fitted where the one before ended.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.connection.faults import FaultProxy
from tests.connection.screen import ALONE, Screen, seen, tabs
from tests.connection.stock import sell
from tests.running import Running

pytestmark = pytest.mark.browser


def live(screen: Screen, value: int = 1000) -> None:
    screen.shows("SKU-7", f"{value:,}")
    screen.level("live")


@pytest.mark.parametrize("ending", ["cut", "reset"])
def test_what_was_sold_while_the_link_was_gone_is_there_after_it(
    browser: Browser, server: Running, proxy: FaultProxy, ending: str
) -> None:
    with seen(browser, server, proxy.url) as screen:
        live(screen)
        proxy.refuse()
        screen.level("reconnecting")
        screen.shows("SKU-7", "1,000")
        sell(server, 7)
        proxy.heal()
        if ending == "cut":
            screen.retry()
        live(screen, 999)
        getattr(proxy, ending)()
        sell(server, 7)
        live(screen, 998)
        screen.nothing_was_healed()


def test_a_link_that_falls_silent_without_an_end_is_noticed_and_replaced(
    browser: Browser, server: Running, proxy: FaultProxy
) -> None:
    """On the page's own clock, which is put forward; so the page holds the link itself, and no worker does."""
    with tabs(browser, server, proxy.url, init=ALONE) as person:
        clock = person.context.clock
        clock.install()
        (screen,) = person.open("/inventory")
        live(screen)
        proxy.silence()
        sell(server, 7)
        clock.run_for(25_000)
        screen.level("delayed")
        proxy.heal()
        clock.run_for(10_000)
        live(screen, 999)
        screen.nothing_was_healed()


def test_a_stream_in_tiny_slices_is_read_as_a_whole_one(browser: Browser, server: Running, proxy: FaultProxy) -> None:
    with seen(browser, server, proxy.url) as screen:
        live(screen)
        proxy.slice(3)
        proxy.cut()
        for sold in range(1, 6):
            sell(server, 7)
            live(screen, 1000 - sold)
        proxy.slice(200, pause=0.01)
        sell(server, 7)
        live(screen, 994)
        screen.nothing_was_healed()


def test_a_killed_and_a_restarted_server_are_both_survived(
    browser: Browser, server: Running, proxy: FaultProxy
) -> None:
    with seen(browser, server, proxy.url) as screen:
        live(screen)
        for round_, end in enumerate((server.kill, server.stop), 1):
            sell(server, 7)
            end()
            server.start()
            sell(server, 7)
            screen.retry()
            live(screen, 1000 - 2 * round_)
        screen.nothing_was_healed()
