"""Behind a real nginx that is in the way, the page comes live on whatever passes, and stays right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from socket import create_server

import pytest
from playwright.sync_api import Browser, expect

from tests.connection.nginx import FRIENDLY, HOSTILE, SHORT_SOCKETS, SHORT_STREAMS, STREAMS_ONLY, Nginx, deaf, nginx
from tests.connection.screen import ALONE, PATIENCE, seen, serving, tabs
from tests.connection.stock import restock, sell
from tests.running import Running, free_port

pytestmark = pytest.mark.browser


MANNERS = {
    "friendly": FRIENDLY,
    "streams": STREAMS_ONLY,
    "hostile": HOSTILE,
    "short-streams": SHORT_STREAMS,
    "short-sockets": SHORT_SOCKETS,
    "changing": STREAMS_ONLY,
}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, dict[str, Nginx]]]:
    """A server, and an nginx of each manners before it."""
    place = tmp_path_factory.mktemp("nginx")
    port = free_port()
    with ExitStack() as running, create_server(("127.0.0.1", 0)) as hole:
        manners = MANNERS | {"deaf": deaf(hole.getsockname()[1])}
        proxies = {name: running.enter_context(nginx(place / name, port, how)) for name, how in manners.items()}
        server = serving(place / "data", *(proxy.url for proxy in proxies.values()), port=port).start()
        running.callback(server.kill)
        yield server, proxies


@pytest.mark.parametrize(
    ("manners", "transport"),
    [
        pytest.param("friendly", "WebSocket", id="a proxy set up as the guide says"),
        pytest.param("streams", "Server-Sent Events", id="no Upgrade"),
        pytest.param("deaf", "Server-Sent Events", id="sockets that nobody answers"),
        pytest.param("short-streams", "Long-poll", id="no Upgrade, and what is quiet is ended before a heartbeat"),
        pytest.param("hostile", "Long-poll", id="no Upgrade, short patience and answers held back"),
    ],
)
def test_the_page_is_live_by_what_the_proxy_lets_through(
    browser: Browser, proxied: tuple[Running, dict[str, Nginx]], manners: str, transport: str
) -> None:
    server, proxies = proxied
    restock(server)
    with seen(browser, server, proxies[manners].url) as screen:
        screen.shows("SKU-1", "1,000")
        screen.level("live")
        screen.travels_by(transport)
        for sold in range(1, 4):
            sell(server, 1)
            screen.shows("SKU-1", str(1000 - sold))
        screen.nothing_was_healed()
        screen.shows("SKU-2", "1,000")


def test_sockets_that_are_ended_while_they_are_quiet_are_taken_up_again_without_a_gap(
    browser: Browser, proxied: tuple[Running, dict[str, Nginx]]
) -> None:
    server, proxies = proxied
    restock(server)
    with seen(browser, server, proxies["short-sockets"].url) as screen:
        screen.shows("SKU-1", "1,000")
        with screen.details() as details:
            expect(details).to_contain_text(re.compile(r"Reconnects [2-9]"), timeout=PATIENCE)
        for sold in range(1, 4):
            sell(server, 1)
            screen.shows("SKU-1", str(1000 - sold))
        screen.nothing_was_healed()


def test_a_better_way_that_passes_later_is_found_beside_the_stream_and_taken_without_a_gap(
    browser: Browser, proxied: tuple[Running, dict[str, Nginx]]
) -> None:
    """On the page's own clock, which is put forward; so the page holds the link itself, and no worker does."""
    server, proxies = proxied
    proxy = proxies["changing"]
    restock(server)
    with tabs(browser, server, proxy.url, init=ALONE) as person:
        clock = person.context.clock
        clock.install()
        (screen,) = person.open("/inventory")
        screen.level("live")
        screen.travels_by("Server-Sent Events")
        proxy.become(FRIENDLY)
        clock.fast_forward(600_000)
        screen.travels_by("WebSocket")
        for sold in range(1, 4):
            sell(server, 1)
            screen.shows("SKU-1", str(1000 - sold))
        screen.level("live")
        screen.nothing_was_healed()
