"""The page as an installed program: opens without a server with what it last knew and its age, forgets it when signed out."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import visit
from tests.running import Running, event, snapshot

pytestmark = pytest.mark.browser
PATIENCE = 30_000
KEPT = """
  (async () => {
    const views = await new Promise((done) => {
      const opened = indexedDB.open("stockwire");
      opened.onsuccess = () => {
        const keys = opened.result.transaction("views").objectStore("views").getAllKeys();
        keys.onsuccess = () => { opened.result.close(); done(keys.result); };
      };
    });
    return views;
  })()
"""
CACHED = """
  (async () => {
    const names = await caches.keys();
    const stores = await Promise.all(names.map((name) => caches.open(name)));
    const requests = await Promise.all(stores.map((store) => store.keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  })()
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("offline") / "data", "--currency", "EUR").start()
    line = {"sku": "MUG-01", "quantity": 2, "unit_price": "6.95"}
    server.post(snapshot("MUG-01", 12), event("order.placed", order_id="1001", currency="EUR", lines=[line]))
    yield server
    server.kill()


@pytest.fixture
def server(shop: Running) -> Running:
    """The server, which the test may also take down."""
    return shop if shop.runs else shop.start()


def kept(page: Page) -> None:
    """Waits until the page is kept, and the overview's content with it."""
    expect(page.locator("a.tile").first).to_contain_text("13.90", timeout=PATIENCE)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    deadline = time.monotonic() + PATIENCE / 1000
    while not any("metrics" in view for view in page.evaluate(KEPT)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_without_a_server_the_page_opens_with_what_it_last_knew_and_its_age(browser: Browser, server: Running) -> None:
    with visit(browser, server, offline=True) as page:
        kept(page)
        server.kill()
        page.reload()
        tile = page.locator("a.tile").first
        expect(tile).to_contain_text("€13.90", timeout=PATIENCE)
        expect(page.locator(".indicator")).to_contain_text(re.compile("Reconnecting|Offline"), timeout=PATIENCE)
        expect(tile).to_contain_text("as of")
        server.start()
        expect(page.locator(".indicator")).to_contain_text("Live", timeout=2 * PATIENCE)


def test_the_worker_keeps_the_build_and_nothing_that_is_private(browser: Browser, server: Running) -> None:
    with visit(browser, server, offline=True) as page:
        kept(page)
        page.goto(server.url + "/orders/1001")
        expect(page.get_by_role("heading", name="Order 1001")).to_be_visible(timeout=PATIENCE)
        cached = page.evaluate(CACHED)
        assert "/index.html" in cached and "/manifest.webmanifest" in cached
        assert [path for path in cached if path.startswith(("/api", "/orders", "/sign-in"))] == []


def test_who_signs_out_leaves_nothing_on_the_machine(browser: Browser, server: Running) -> None:
    with visit(browser, server, offline=True, link=True) as page:
        kept(page)
        page.keyboard.press("Control+k")
        page.get_by_role("combobox", name="Commands").fill("sign out")
        page.keyboard.press("Enter")
        page.wait_for_url(server.url + "/sign-in", timeout=PATIENCE)
        expect(page.get_by_role("heading", name="Sign in to Stockwire")).to_be_visible(timeout=PATIENCE)
        assert page.evaluate(KEPT) == []
        assert not page.evaluate("localStorage.getItem('stockwire.shop')")
        page.goto(server.url + "/")
        page.wait_for_url(server.url + "/sign-in", timeout=PATIENCE)
        page.goto(server.link())
        expect(page.locator("a.tile").first).to_contain_text("13.90", timeout=PATIENCE)


def test_the_page_can_be_installed(browser: Browser, server: Running) -> None:
    with visit(browser, server, offline=True) as page:
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        devtools = page.context.new_cdp_session(page)
        found = devtools.send("Page.getAppManifest")
        assert found["errors"] == []
        assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
            [], [{"errorId": "in-incognito", "errorArguments": []}],
        )  # fmt: skip
