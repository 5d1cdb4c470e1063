"""A tab in which somebody goes from screen to screen all day costs in the evening what it cost in the morning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from tests.connection.screen import measured, seen, serving
from tests.connection.walk import NOTES_AT_ONCE, walk
from tests.e2e.browser import launched
from tests.running import event, snapshot

pytestmark = pytest.mark.browser
ROUNDS = 6
# A leak grows with each walk; what time alone brings to a screen, as an age in other words, comes once.
MOST_WALKS = 4


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright, NOTES_AT_ONCE) as browser:
        yield browser


def test_walking_through_the_screens_leaves_nothing_behind(browser: Browser, tmp_path: Path) -> None:
    server = serving(tmp_path / "data").start()
    try:
        line = {"sku": "SKU-01", "quantity": 2, "unit_price": "6.95"}
        server.post(snapshot("SKU-01", 40), event("order.placed", order_id="1001", currency="EUR", lines=[line]))
        with seen(browser, server, server.url, "/") as screen:
            screen.level("live")
            walks = measured([walk(screen, 2)], lambda: walk(screen, ROUNDS), MOST_WALKS)
            screen.nothing_was_healed()
    finally:
        server.kill()
    assert walks[-1].fits(walks[-2]), walks
