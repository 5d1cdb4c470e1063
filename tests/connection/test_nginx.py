"""Behind a real nginx that is in the way, the page comes live on whatever passes, and stays right."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.connection.nginx import FRIENDLY, HOSTILE, STREAMS_ONLY, nginx
from tests.connection.screen import seen, serving
from tests.running import event, free_port, snapshot

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("manners", "transport"),
    [
        pytest.param(FRIENDLY, "WebSocket", id="a proxy set up as the guide says"),
        pytest.param(STREAMS_ONLY, "Server-Sent Events", id="no Upgrade and 5 s patience"),
        pytest.param(HOSTILE, "Long-poll", id="no Upgrade, 5 s patience and answers held back"),
    ],
)
def test_the_page_is_live_by_what_the_proxy_lets_through(
    browser: Browser, tmp_path: Path, manners: str, transport: str
) -> None:
    port = free_port()
    server = serving(tmp_path / "data", f"http://127.0.0.1:{port}").start()
    try:
        server.post(snapshot("MUG-01", 12), snapshot("MUG-02", 40))
        with nginx(tmp_path / "nginx", server.port, manners, port=port) as url, seen(browser, server, url) as screen:
            screen.shows("MUG-01", "12")
            screen.level("live")
            screen.travels_by(transport)
            for sold in range(1, 4):
                server.post(event("stock.adjusted", sku="MUG-01", quantity=-1, reason="correction"))
                screen.shows("MUG-01", str(12 - sold))
            screen.nothing_was_healed()
            screen.shows("MUG-02", "40")
    finally:
        server.kill()
