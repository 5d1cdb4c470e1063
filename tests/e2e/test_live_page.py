"""The page in a real browser: a number moves when an event comes, and a lost server is shown, and healed, without a gap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import visit
from tests.running import Running, event, snapshot

pytestmark = pytest.mark.browser
PATIENCE = 90_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("live") / "data", "--currency", "EUR").start()
    yield server
    server.kill()


def test_an_event_moves_the_number_on_the_screen(browser: Browser, server: Running) -> None:
    server.post(snapshot("MUG-01", 12), event("product.updated", sku="MUG-01", name="Mug, blue"))
    with visit(browser, server) as page:
        page.goto(server.url + "/inventory")
        row = page.get_by_role("row").filter(has_text="MUG-01")
        expect(row).to_contain_text("12", timeout=PATIENCE)
        server.post(event("stock.adjusted", sku="MUG-01", quantity=-5, reason="correction"))
        expect(row).to_contain_text("7", timeout=PATIENCE)


def test_an_order_moves_the_headline_numbers(browser: Browser, server: Running) -> None:
    server.post(snapshot("MUG-01", 12))
    with visit(browser, server) as page:
        line = {"sku": "MUG-01", "quantity": 2, "unit_price": "6.95"}
        server.post(event("order.placed", order_id="1001", currency="EUR", lines=[line]))
        tile = page.get_by_role("link").filter(has_text="Net sales").first
        expect(tile).to_contain_text("13.90", timeout=PATIENCE)
        server.post(event("order.placed", order_id="1002", currency="EUR", lines=[line]))
        expect(tile).to_contain_text("27.80", timeout=PATIENCE)


def test_a_lost_server_is_shown_and_healed_with_nothing_missed(browser: Browser, server: Running) -> None:
    server.post(*(snapshot(f"SKU-{number}", 100) for number in range(20)))
    with visit(browser, server) as page:
        page.goto(server.url + "/inventory?q=SKU-7")
        chip = page.locator(".indicator button").first
        row = page.get_by_role("row").filter(has_text="SKU-7")
        expect(row).to_contain_text("100", timeout=PATIENCE)
        expect(chip).to_contain_text("Live", timeout=PATIENCE)
        title = page.title()
        server.kill()
        expect(chip).to_contain_text("Reconnecting", timeout=PATIENCE)
        expect(row).to_contain_text("100")
        assert page.title() != title
        server.start()
        server.post(*(event("stock.adjusted", sku=f"SKU-{number}", quantity=-number or -1) for number in range(20)))
        expect(chip).to_contain_text("Live", timeout=2 * PATIENCE)
        expect(row).to_contain_text("93", timeout=PATIENCE)
        expect(page).to_have_title(title)
        chip.click()
        details = page.get_by_role("region", name="Connection details")
        expect(details).to_contain_text("Resets none")
        expect(details).to_contain_text("Faults healed 0")
