"""The screens in a real browser: fit for every reader by axe's rules, led by keys, saved as CSV, shown on a wall."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium, visit
from tests.running import Running, event, snapshot

pytestmark = pytest.mark.browser
PATIENCE = 90_000
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = ["/", "/metrics", "/inventory", "/orders", "/orders/1001", "/sign-in", *(
    f"/wall?panels={panel}" for panel in ("overview", "orders", "stock")
)]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("screens") / "data", "--currency", "EUR").start()
    line = {"sku": "MUG-01", "quantity": 2, "unit_price": "6.95"}
    server.post(
        snapshot("MUG-01", 1),
        snapshot("JUG-02", 40),
        event("product.updated", sku="MUG-01", name="=SUM(A1), mug"),
        event("order.placed", order_id="1001", currency="EUR", lines=[line]),
    )
    yield server
    server.kill()


def settled(page: Page) -> None:
    """Waits until the screen shows what it has."""
    expect(page.locator(".skeleton")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_screen_is_without_a_fault_that_axe_finds(
    browser: Browser, server: Running, dark: bool, locale: str
) -> None:
    found: list[str] = []
    with visit(browser, server, dark=dark, locale=locale) as page:
        for screen in SCREENS:
            page.goto(server.url + screen)
            settled(page)
            page.evaluate(AXE.read_text("utf-8"))
            faults = page.evaluate("axe.run()")["violations"]
            found += [f"{screen}: {one['id']} {[node['target'] for node in one['nodes']]}" for one in faults]
    assert found == []


def test_keys_lead_to_screens_search_and_help(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        settled(page)
        page.keyboard.press("g")
        page.keyboard.press("i")
        expect(page.get_by_role("heading", name="Inventory")).to_be_visible()
        search = page.get_by_role("searchbox")
        expect(search).to_be_visible()
        page.keyboard.press("/")
        expect(search).to_be_focused()
        page.keyboard.type("?jug")
        expect(search).to_have_value("?jug")
        page.get_by_role("button", name="Oversold").focus()
        page.keyboard.press("?")
        help = page.get_by_role("dialog", name="Keys")
        expect(help).to_be_visible()
        page.keyboard.press("Escape")
        expect(help).to_have_count(0)


def test_stock_is_saved_as_filtered_and_safe_to_open(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.goto(server.url + "/inventory?q=MUG")
        expect(page.get_by_role("row").filter(has_text="MUG-01")).to_be_visible(timeout=PATIENCE)
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        heads, row, end = Path(saved.value.path()).read_bytes().decode("utf-8-sig").split("\r\n")
        assert heads.startswith("sku,location,name,stock_status,on_hand")
        assert row.startswith("MUG-01,") and '"\'=SUM(A1), mug"' in row and ",-1," in row
        assert end == ""


def test_a_wall_with_privacy_shows_no_money(browser: Browser, server: Running) -> None:
    with visit(browser, server, width=1920, height=1080) as page:
        page.goto(server.url + "/wall?panels=overview&privacy=1")
        expect(page.get_by_text("Orders placed")).to_be_visible(timeout=PATIENCE)
        settled(page)
        expect(page.locator("main")).not_to_contain_text("€")
        page.goto(server.url + "/wall?panels=overview")
        expect(page.locator("main")).to_contain_text("€13.90", timeout=PATIENCE)
