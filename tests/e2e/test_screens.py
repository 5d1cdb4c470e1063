"""The screens in a real browser: fit for every reader by axe's rules, led by keys, saved as CSV, shown on a wall."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.e2e.browser import visit
from tests.e2e.cut import cut_words
from tests.running import Running, event, snapshot

pytestmark = pytest.mark.browser
PATIENCE = 90_000
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = ["/", "/metrics", "/inventory", "/orders", "/orders?layout=board", "/orders/1001", "/sign-in", *(
    f"/wall?panels={panel}" for panel in ("overview", "orders", "stock")
), *(f"/notifications{tab}" for tab in ("", "/rules", "/preferences", "/channels"))]  # fmt: skip
ON_A_PHONE = [screen for screen in SCREENS if not screen.startswith(("/wall", "/sign-in"))]
SMALL_TARGETS = """
  [...document.querySelectorAll("button, select, input:not(.unseen), nav a, a.tile, label.chosen")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .map((one) => (one.type === "checkbox" ? one.closest("label") : null) ?? one)
    .map((one) => [one.textContent.trim().slice(0, 30) || one.ariaLabel || one.tagName, one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width > 0 && (height < 43.5 || width < 24))
    .map(([name, { width, height }]) => `${name}: ${Math.round(width)} x ${Math.round(height)}`)
"""
SMALL_TEXT = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const small = new Set();
  while (texts.nextNode()) {
    const { parentElement: element, data } = texts.currentNode;
    const seen = data.trim() !== "" && element.checkVisibility() && element.getBoundingClientRect().width > 1;
    if (seen && parseFloat(getComputedStyle(element).fontSize) < 11.99) small.add(data.trim());
  }
  return [...small];
}"""


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


@pytest.mark.parametrize(
    ("dark", "locale"), [(False, "en-GB"), (True, "de-DE")], ids=["light, English", "dark, German"]
)
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
            found += [f"{screen}: too small: {text}" for text in page.evaluate(SMALL_TEXT)]
            for width in (1440, 1280):
                page.set_viewport_size({"width": width, "height": 900})
                found += [f"{screen} at {width}: {words}" for words in cut_words(page)]
    assert found == []


@pytest.mark.parametrize(
    ("dark", "locale"), [(False, "en-GB"), (True, "de-DE")], ids=["light, English", "dark, German"]
)
def test_what_opens_over_a_screen_is_without_a_fault_that_axe_finds(
    browser: Browser, server: Running, dark: bool, locale: str
) -> None:
    found: list[str] = []
    with visit(browser, server, dark=dark, locale=locale) as page:

        def look(what: str) -> None:
            page.evaluate(AXE.read_text("utf-8"))
            for one in page.evaluate("axe.run()")["violations"]:
                found.append(f"{what}: {one['id']} {[node['target'] for node in one['nodes']]}")

        page.goto(server.url + "/inventory?sku=JUG-02&in=main")
        expect(page.locator("dialog .movements li").first).to_be_visible(timeout=PATIENCE)
        look("stock details")
        page.goto(server.url + "/inventory?group=sku&open=JUG-02")
        settled(page)
        page.locator(".views > button").click()
        page.locator(".views form input").fill(f"All of it, {locale}")
        page.locator(".views form button").click()
        page.locator(".views > button").click()
        expect(page.locator(".views li").first).to_be_visible(timeout=PATIENCE)
        look("kept views over groups")
        order = f"watched {locale}"
        line = {"sku": "JUG-02", "quantity": 1, "unit_price": "0"}
        server.post(event("order.placed", order_id=order, currency="EUR", lines=[line]))
        page.goto(f"{server.url}/orders/{order}")
        page.locator("button.watch").click()
        expect(page.locator("button.watch")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
        page.locator("nav a[href='/orders']").first.click()
        settled(page)
        server.post(event("order.status_changed", order_id=order, status="packed"))
        expect(page.get_by_role("region").filter(has_text=order).last).to_be_visible(timeout=PATIENCE)
        page.locator(".bell").click()
        look("news and notifications over orders")
        page.keyboard.press("Escape")
        for keys in ("Control+k", "?"):
            page.keyboard.press(keys)
            expect(page.get_by_role("dialog")).to_be_visible(timeout=PATIENCE)
            look(keys)
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
    assert found == []


@pytest.mark.parametrize(
    ("part", "press"),
    [("Palette", "Commands"), ("PastBar", "Look back in time"), ("QuickPanel", "Notifications")],
)
def test_a_part_that_cannot_be_fetched_is_told_of_and_a_reload_offered(
    browser: Browser, server: Running, part: str, press: str
) -> None:
    with visit(browser, server) as page:
        page.route(re.compile(rf"/assets/{part}-[^/]*\.js"), lambda route: route.abort())
        expect(page.locator(".indicator")).to_contain_text("Live", timeout=PATIENCE)
        button = page.get_by_role("button", name=press)
        button.first.click()
        told = page.get_by_role("alert").filter(has_text="Reload the page")
        expect(told).to_be_visible(timeout=PATIENCE)
        page.unroute_all()
        with page.expect_event("load", timeout=PATIENCE):
            told.get_by_role("button", name="Reload the page").click()
        expect(page.get_by_role("alert")).to_have_count(0)


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


def test_the_palette_finds_screens_stock_and_settings(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        settled(page)
        page.keyboard.press("Control+k")
        field = page.get_by_role("combobox", name="Commands")
        expect(field).to_be_focused(timeout=PATIENCE)
        field.fill("dark theme")
        page.keyboard.press("Enter")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.keyboard.press("Control+k")
        field.fill("JUG")
        option = page.get_by_role("option").filter(has_text="JUG-02").first
        expect(option).to_be_visible(timeout=PATIENCE)
        page.evaluate(AXE.read_text("utf-8"))
        assert page.evaluate("axe.run(document.querySelector('dialog'))")["violations"] == []
        option.click()
        expect(page.get_by_role("dialog")).to_contain_text("JUG-02", timeout=PATIENCE)


def test_who_signs_out_comes_back_by_a_link_in_the_same_page(browser: Browser, server: Running) -> None:
    with visit(browser, server, link=True) as page:
        settled(page)
        page.route("**/api/v1/session", lambda route: route.abort())
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("alert")).to_contain_text("you are still signed in", timeout=PATIENCE)
        page.unroute("**/api/v1/session")
        page.get_by_role("alert").get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name="Sign in to Stockwire")).to_be_visible(timeout=PATIENCE)
        page.goto(server.url + "/orders")
        page.wait_for_url(server.url + "/sign-in", timeout=PATIENCE)
        page.goto(server.link())
        expect(page.locator("a.tile").first).to_contain_text("13.90", timeout=PATIENCE)
        expect(page.locator(".indicator")).to_contain_text("Live", timeout=PATIENCE)


def test_on_a_phone_everything_is_as_large_as_a_thumb_and_can_be_read(browser: Browser, server: Running) -> None:
    found: list[str] = []
    with visit(browser, server, width=390, height=844) as page:
        for screen in ON_A_PHONE:
            page.goto(server.url + screen)
            settled(page)
            found += [f"{screen}: {one}" for look in (SMALL_TARGETS, SMALL_TEXT) for one in page.evaluate(look)]
            found += [f"{screen}: {words}" for words in cut_words(page)]
    assert found == []


def test_days_of_ones_own_stand_in_the_address_and_on_the_numbers(browser: Browser, server: Running) -> None:
    def day(ago: int) -> str:
        return (datetime.now(UTC) - timedelta(ago)).date().isoformat()

    line = {"sku": "JUG-02", "quantity": 3, "unit_price": "5", "stock": False}
    server.post(event("order.placed", time=f"{day(70)}T12:00:00Z", order_id="old", currency="EUR", lines=[line]))
    with visit(browser, server) as page:
        page.goto(f"{server.url}/?period=custom&from={day(72)}&to={day(70)}")
        tile = page.locator("a.tile").first
        expect(tile).to_contain_text("€15.00", timeout=PATIENCE)
        expect(tile).to_contain_text("the 3 days before")
        expect(page.locator(".summary")).to_contain_text("€15.00 net sales from 1 order", timeout=PATIENCE)
        for said in ("€15.00 net sales from 1 order", "1 order"):
            expect(page.get_by_role("img", name=said).first).to_be_visible()
        page.get_by_role("button", name="Show as table").click()
        table = page.get_by_role("region", name="Sales and orders per day as a table")
        expect(table.get_by_role("row").filter(has_text="€15.00")).to_have_count(1)
        page.evaluate(AXE.read_text("utf-8"))
        assert page.evaluate("axe.run()")["violations"] == []
        page.get_by_label("To", exact=True).fill(day(71))
        expect(tile).to_contain_text("€0.00", timeout=PATIENCE)
        page.get_by_role("link", name="All metrics").click()
        page.wait_for_url(f"{server.url}/metrics?period=custom&from={day(72)}&to={day(71)}")
        page.get_by_label("To", exact=True).fill(day(69))
        net = page.get_by_role("row").filter(has_text="Net sales").get_by_role("cell").last
        expect(net).to_contain_text("€15.00", timeout=PATIENCE)
        pace = page.get_by_role("row").filter(has_text="Orders per minute").get_by_role("cell").last
        expect(pace).to_contain_text("Of the last five minutes only")
        page.get_by_role("button", name="Choose days").click()
        expect(page).to_have_url(f"{server.url}/metrics")


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


def test_stock_is_grouped_by_product_and_location(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.goto(server.url + "/inventory?q=0&group=sku")
        page.get_by_role("searchbox").fill("MUG")
        page.get_by_label("Group").select_option("By location")
        page.wait_for_url(server.url + "/inventory?q=MUG&group=location")
        table = page.get_by_role("treegrid")
        group = table.get_by_role("row").filter(has_text="1 product")
        expect(group).to_have_attribute("aria-expanded", "false", timeout=PATIENCE)
        group.get_by_role("gridcell").first.click()
        page.wait_for_url(server.url + "/inventory?q=MUG&group=location&open=main")
        expect(group).to_have_attribute("aria-expanded", "true")
        expect(table.get_by_role("row").filter(has_text="MUG-01")).to_have_attribute("aria-level", "2")
        page.evaluate(AXE.read_text("utf-8"))
        assert page.evaluate("axe.run()")["violations"] == []
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        heads, row, _ = Path(saved.value.path()).read_bytes().decode("utf-8-sig").split("\r\n")
        assert heads.startswith("location,name,stock_status,on_hand") and row.startswith("main,main,oversold,1,")
        page.reload()
        expect(table.get_by_role("row").filter(has_text="MUG-01")).to_be_visible(timeout=PATIENCE)
        page.keyboard.press("Tab")
        group.get_by_role("gridcell").first.focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(server.url + "/inventory?q=MUG&group=location")


def test_a_wall_loads_a_new_build_by_itself(browser: Browser, server: Running) -> None:
    build: list[str] = ["one"]
    lines: list[WebSocketRoute] = []

    def hold(line: WebSocketRoute) -> None:
        """Let the server tell of the build that this test says."""
        lines.append(line)
        server_side = line.connect_to_server()
        server_side.on_message(lambda told: line.send(re.sub(r'"build":"[^"]*"', f'"build":"{build[0]}"', str(told))))

    with visit(browser, server, width=1920, height=1080) as page:
        page.add_init_script("delete window.SharedWorker; delete window.BroadcastChannel")
        page.route_web_socket(re.compile("/api/v1/ws"), hold)
        page.goto(server.url + "/wall?panels=overview")
        expect(page.locator("main")).to_contain_text("€13.90", timeout=PATIENCE)
        build[0] = "two"
        with page.expect_event("load", timeout=PATIENCE):
            lines[-1].close()
        expect(page.locator("main")).to_contain_text("€13.90", timeout=PATIENCE)


def test_a_wall_with_privacy_shows_no_money(browser: Browser, server: Running) -> None:
    with visit(browser, server, width=1920, height=1080) as page:
        page.goto(server.url + "/wall?panels=overview&privacy=1")
        expect(page.get_by_text("Orders placed")).to_be_visible(timeout=PATIENCE)
        settled(page)
        expect(page.locator("main")).not_to_contain_text("€")
        page.goto(server.url + "/wall?panels=overview")
        expect(page.locator("main")).to_contain_text("€13.90", timeout=PATIENCE)
