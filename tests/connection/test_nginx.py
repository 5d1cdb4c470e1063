"""Behind a real nginx that is in the way, the page comes live on whatever passes, and stays right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.connection.nginx import FRIENDLY, HOSTILE, STREAMS_ONLY, nginx
from tests.connection.screen import seen, serving
from tests.connection.stock import restock, sell
from tests.running import Running, free_port

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, dict[str, str]]]:
    """A server, and the address of an nginx of each manners before it."""
    place = tmp_path_factory.mktemp("nginx")
    port = free_port()
    with ExitStack() as proxies:
        urls = {
            manners: proxies.enter_context(nginx(place / str(number), port, manners))
            for number, manners in enumerate((FRIENDLY, STREAMS_ONLY, HOSTILE))
        }
        server = serving(place / "data", *urls.values(), port=port).start()
        proxies.callback(server.kill)
        yield server, urls


@pytest.mark.parametrize(
    ("manners", "transport"),
    [
        pytest.param(FRIENDLY, "WebSocket", id="a proxy set up as the guide says"),
        pytest.param(STREAMS_ONLY, "Server-Sent Events", id="no Upgrade and 5 s patience"),
        pytest.param(HOSTILE, "Long-poll", id="no Upgrade, 5 s patience and answers held back"),
    ],
)
def test_the_page_is_live_by_what_the_proxy_lets_through(
    browser: Browser, proxied: tuple[Running, dict[str, str]], manners: str, transport: str
) -> None:
    server, urls = proxied
    restock(server)
    with seen(browser, server, urls[manners]) as screen:
        screen.shows("SKU-1", "1,000")
        screen.level("live")
        screen.travels_by(transport)
        for sold in range(1, 4):
            sell(server, 1)
            screen.shows("SKU-1", str(1000 - sold))
        screen.nothing_was_healed()
        screen.shows("SKU-2", "1,000")
