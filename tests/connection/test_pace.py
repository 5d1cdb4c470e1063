"""How often the screen moves is the person's choice, and costs accordingly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.connection.faults import faulty
from tests.connection.screen import PATIENCE, seen, serving
from tests.running import Running, event, free_port, running, snapshot

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("pace") / "data", "--currency", "EUR") as server:
        server.post(*(snapshot(f"SKU-{number}", 1000) for number in range(5)))
        yield server


def sell(server: Running, number: int) -> None:
    server.post(event("stock.adjusted", sku=f"SKU-{number}", quantity=-1, reason="correction"))


def test_a_slower_pace_takes_fewer_bytes_for_the_same_end(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with faulty(port) as fast, faulty(port) as slow:
        server = serving(tmp_path / "data", fast.url, slow.url, port=port).start()
        try:
            server.post(*(snapshot(f"SKU-{number}", 1000) for number in range(5)))
            with seen(browser, server, fast.url) as live, seen(browser, server, slow.url, "/inventory?pace=5") as calm:
                for screen in (live, calm):
                    screen.shows("SKU-4", "1,000")
                    screen.level("live")
                with calm.details() as details:
                    expect(details).to_contain_text("Updates every 5 s, as chosen", timeout=PATIENCE)
                before = fast.brought, slow.brought
                for sold in range(1, 21):
                    sell(server, 4)
                    live.shows("SKU-4", f"{1000 - sold:,}")
                calm.shows("SKU-4", "980")
                assert 2 * (slow.brought - before[1]) < fast.brought - before[0]
                calm.nothing_was_healed()
        finally:
            server.kill()


def test_a_paused_page_stands_still_counts_what_waits_and_goes_on_right(browser: Browser, server: Running) -> None:
    with seen(browser, server, server.url) as screen:
        screen.shows("SKU-1", "1,000")
        screen.level("live")
        screen.page.get_by_role("button", name="Pause updates").click()
        screen.level("paused")
        for number in range(3):
            sell(server, number)
            sell(server, number)
        expect(screen.page.locator(".indicator")).to_contain_text("3 changes waiting", timeout=PATIENCE)
        screen.shows("SKU-1", "1,000")
        screen.page.get_by_role("button", name="Resume updates").click()
        screen.shows("SKU-1", "998")
        screen.shows("SKU-0", "998")
        screen.level("live")
        screen.nothing_was_healed()


def test_a_wall_displays_pace_is_in_its_address(browser: Browser, server: Running) -> None:
    with seen(browser, server, server.url, "/inventory?pace=paused") as screen:
        screen.shows("SKU-3", "1,000")
        screen.level("paused")
        screen.open("/inventory?pace=30")
        with screen.details() as details:
            expect(details).to_contain_text("Updates every 30 s, as chosen", timeout=PATIENCE)
        screen.open("/inventory?pace=live")
        with screen.details() as details:
            expect(details).to_contain_text("Updates live, as chosen", timeout=PATIENCE)
