"""Looking back: the page as it was at a moment, from the log; stepping and playing; and back to what is now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import visit
from tests.running import Running, event

pytestmark = pytest.mark.browser
PATIENCE = 30_000
PAGE, OLDER = 200, 210
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def told(minutes: int, type_: str, **data: Any) -> dict[str, Any]:
    """An event so many minutes after noon."""
    at = (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return event(type_, time=at, **data)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("past") / "data", "--currency", "EUR", "--clock", "events").start()
    line = {"sku": "MUG-01", "quantity": 2, "unit_price": "6.95"}
    server.post(
        *(told(-600 + at, "stock.adjusted", sku="OLD-03", quantity=1, reason="correction") for at in range(OLDER)),
        told(0, "stock.received", sku="MUG-01", quantity=40),
        told(60, "order.placed", order_id="1001", currency="EUR", lines=[line]),
        told(90, "order.status_changed", order_id="1001", status="packed"),
        told(120, "order.status_changed", order_id="1001", status="shipped"),
        told(170, "stock.received", sku="OLD-03", quantity=500),
        told(180, "stock.received", sku="JUG-02", quantity=7),
    )
    yield server
    server.kill()


def shown(page: Page, what: str) -> None:
    expect(page.get_by_role("region", name="Looking back")).to_contain_text(what, timeout=PATIENCE)


def on_hand(page: Page, sku: str, units: str) -> None:
    row = page.get_by_role("row").filter(has_text=sku)
    expect(row.get_by_role("gridcell").filter(has_text=units).first).to_be_visible(timeout=PATIENCE)


def test_a_page_goes_back_steps_plays_and_returns(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.goto(server.url + "/inventory")
        on_hand(page, "MUG-01", "38")
        page.get_by_role("button", name="Look back in time").click()
        shown(page, "14:00")
        expect(page.locator(".indicator")).to_contain_text("Past", timeout=PATIENCE)
        expect(page.get_by_role("row").filter(has_text="JUG-02")).to_have_count(0, timeout=PATIENCE)
        page.get_by_label("Moment").fill("2026-03-02T12:30")
        shown(page, "12:30")
        on_hand(page, "MUG-01", "40")
        page.evaluate(AXE.read_text("utf-8"))
        assert page.evaluate("axe.run()")["violations"] == []
        page.get_by_role("button", name="Step forward").click()
        shown(page, "13:30")
        page.get_by_role("link", name="Orders").click()
        order = page.get_by_role("link", name="1001").first
        order.click()
        expect(page.get_by_role("heading", name="1001", exact=True)).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("2 of 2 packed")).to_be_visible(timeout=PATIENCE)
        assert "at=2026-03-02T13" in page.url
        page.get_by_role("button", name="Step forward").click()
        expect(page.get_by_text("2 of 2 shipped")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name="Step back").click()
        page.get_by_role("button", name="Play").click()
        expect(page.get_by_text("2 of 2 shipped")).to_be_visible(timeout=PATIENCE)
        # It played up to now.
        expect(page.get_by_role("region", name="Looking back")).to_have_count(0, timeout=PATIENCE)
        assert "at=" not in page.url


def test_an_address_leads_to_a_moment(browser: Browser, server: Running) -> None:
    with visit(browser, server, width=390, height=844) as page:
        page.goto(server.url + "/inventory?at=2026-03-02T12:30:00Z")
        shown(page, "12:30")
        expect(page.get_by_text("MUG-01", exact=True)).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("JUG-02")).to_have_count(0)
        page.get_by_role("button", name="Back to now").click()
        expect(page.get_by_text("JUG-02", exact=True)).to_be_visible(timeout=PATIENCE)


def test_older_movements_are_read_while_looking_back(browser: Browser, server: Running) -> None:
    """There are more than one answer brings, and none is later than the moment."""
    with visit(browser, server) as page:
        page.goto(server.url + "/inventory?sku=OLD-03&in=main&at=2026-03-02T12:30:00Z")
        movements = page.locator("dialog .movements li")
        expect(movements).to_have_count(PAGE, timeout=PATIENCE)
        expect(movements.first).to_contain_text("on hand 210")
        page.get_by_role("button", name="Earlier movements").click()
        expect(movements).to_have_count(OLDER, timeout=PATIENCE)
        expect(movements.last).to_contain_text("02:00")
        expect(page.get_by_role("button", name="Earlier movements")).to_have_count(0)
        page.goto(server.url + "/inventory?sku=OLD-03&in=main")
        expect(movements.first).to_contain_text("on hand 710", timeout=PATIENCE)
