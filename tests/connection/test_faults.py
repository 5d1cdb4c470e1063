"""Between the page and the server a link is cut, reset, silent, slow and sliced; the server dies. Nothing is missed or repeated.

`Resets none` and `Faults healed 0` say that every continuation came from the cursor that the page held, and that each
frame fitted where the one before ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.connection.faults import FaultProxy, faulty
from tests.connection.screen import Screen, seen, serving
from tests.running import Running, event, free_port, snapshot

pytestmark = pytest.mark.browser


@pytest.fixture
def way(tmp_path: Path) -> Iterator[tuple[Running, FaultProxy]]:
    """A server with ten products and a fault proxy before it."""
    port = free_port()
    with faulty(port) as proxy:
        server = serving(tmp_path / "data", proxy.url, port=port).start()
        try:
            server.post(*(snapshot(f"SKU-{number}", 1000) for number in range(10)))
            yield server, proxy
        finally:
            server.kill()


def sell(server: Running, number: int, quantity: int = 1) -> None:
    server.post(event("stock.adjusted", sku=f"SKU-{number}", quantity=-quantity, reason="correction"))


def live(screen: Screen, value: int = 1000) -> None:
    screen.shows("SKU-7", f"{value:,}")
    screen.level("live")


@pytest.mark.parametrize("ending", ["cut", "reset"])
def test_what_was_sold_while_the_link_was_gone_is_there_after_it(
    browser: Browser, way: tuple[Running, FaultProxy], ending: str
) -> None:
    server, proxy = way
    with seen(browser, server, proxy.url) as screen:
        live(screen)
        proxy.refuse()
        screen.level("reconnecting")
        screen.shows("SKU-7", "1,000")
        sell(server, 7)
        proxy.heal()
        live(screen, 999)
        getattr(proxy, ending)()
        sell(server, 7)
        live(screen, 998)
        screen.nothing_was_healed()


def test_a_link_that_falls_silent_without_an_end_is_noticed_and_replaced(
    browser: Browser, way: tuple[Running, FaultProxy]
) -> None:
    server, proxy = way
    with seen(browser, server, proxy.url) as screen:
        live(screen)
        proxy.silence()
        sell(server, 7)
        screen.level("delayed", "reconnecting")
        proxy.heal()
        live(screen, 999)
        screen.nothing_was_healed()


def test_a_stream_in_tiny_slices_is_read_as_a_whole_one(browser: Browser, way: tuple[Running, FaultProxy]) -> None:
    server, proxy = way
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


def test_a_killed_and_a_restarted_server_are_both_survived(browser: Browser, way: tuple[Running, FaultProxy]) -> None:
    server, proxy = way
    with seen(browser, server, proxy.url) as screen:
        live(screen)
        for round_, end in enumerate((server.kill, server.stop), 1):
            sell(server, 7)
            end()
            server.start()
            sell(server, 7)
            live(screen, 1000 - 2 * round_)
        screen.nothing_was_healed()
