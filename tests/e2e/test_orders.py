"""Orders on a board and in a person's own views, and an order that is watched from another screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import visit
from tests.running import Running, event

pytestmark = pytest.mark.browser
PATIENCE = 30_000
LINE = {"sku": "MUG-01", "quantity": 2, "unit_price": "6.95"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("orders") / "data", "--currency", "EUR").start()
    server.post(
        event("stock.received", sku="MUG-01", quantity=40),
        *(event("order.placed", order_id=str(number), currency="EUR", lines=[LINE]) for number in (1001, 1002, 1003)),
        event("order.status_changed", order_id="1002", status="packed"),
        event("order.held", order_id="1003", reason="address"),
    )
    yield server
    server.kill()


def lane(page: Page, name: str, order: str) -> None:
    """The board has the order in that lane."""
    card = page.get_by_role("region", name=name, exact=True).get_by_role("link").filter(has_text=order)
    expect(card).to_be_visible(timeout=PATIENCE)


def test_a_board_has_a_lane_for_each_status_and_one_for_what_is_on_hold(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.goto(server.url + "/orders")
        page.get_by_role("button", name="Board").click()
        lane(page, "Placed", "1001")
        lane(page, "Packed", "1002")
        lane(page, "On hold", "1003")
        server.post(event("order.status_changed", order_id="1001", status="picking"))
        lane(page, "Picking", "1001")
        page.get_by_role("region", name="On hold", exact=True).get_by_role("button").first.click()
        expect(page.get_by_role("row").filter(has_text="1003")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("row").filter(has_text="1002")).to_have_count(0)


def test_a_view_is_kept_under_a_name_and_found_after_a_reload(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.goto(server.url + "/orders?layout=board")
        page.get_by_role("button", name="Views").click()
        page.get_by_label("Name of this view").fill("My board")
        page.get_by_role("button", name="Save").click()
        page.goto(server.url + "/orders")
        page.get_by_role("button", name="Views").click()
        page.get_by_role("link", name="My board").click()
        lane(page, "Packed", "1002")
        assert "layout=board" in page.url


def test_a_watched_order_tells_of_its_change_on_whatever_screen_is_open(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.goto(server.url + "/orders/1002")
        page.get_by_role("button", name="Watch this order").click()
        page.get_by_role("link", name="Inventory").first.click()
        expect(page.get_by_role("row").filter(has_text="MUG-01")).to_be_visible(timeout=PATIENCE)
        news = page.get_by_role("region", name="News")
        expect(news).to_have_count(0)
        server.post(event("order.status_changed", order_id="1002", status="shipped"))
        expect(news).to_contain_text("Shipped", timeout=PATIENCE)
        expect(news.get_by_role("link", name="Open")).to_have_attribute("href", "/orders/1002")
        news.get_by_role("button", name="Put away: Order 1002").click()
        expect(news).to_have_count(0)
