"""The page in the reader's language: German from the browser on, changed in the page, remembered, asked for by an address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import visit
from tests.e2e.cut import cut_words
from tests.running import Running, event, snapshot

pytestmark = pytest.mark.browser
PATIENCE = 90_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("languages") / "data", "--currency", "EUR").start()
    line = {"sku": "MUG-01", "quantity": 200, "unit_price": "6.95"}
    server.post(snapshot("MUG-01", 150), event("order.placed", order_id="1001", currency="EUR", lines=[line]))
    yield server
    server.kill()


def test_a_german_browser_is_spoken_to_in_german(browser: Browser, server: Running) -> None:
    with visit(browser, server, locale="de-AT") as page:
        tile = page.get_by_role("link").filter(has_text="Nettoumsatz").first
        expect(tile).to_contain_text("1.390,00", timeout=PATIENCE)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        page.get_by_role("link", name="Bestand", exact=True).click()
        expect(page.get_by_role("heading", name="Bestand")).to_be_visible()
        row = page.get_by_role("row").filter(has_text="MUG-01")
        expect(row).to_contain_text("Überverkauft um 50", timeout=PATIENCE)
        row.click()
        sheet = page.get_by_role("dialog")
        expect(sheet).to_contain_text("Bestellungen zugesagt", timeout=PATIENCE)
        expect(sheet).to_contain_text("+200 zugesagt")
        sheet.get_by_role("button", name="Schließen").click()
        page.goto(server.url + "/orders/1001")
        expect(page.get_by_role("heading", name="Bestellung 1001")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("region", name="Positionen", exact=True)).to_contain_text(
            "200 zugesagt", timeout=PATIENCE
        )
        page.goto(server.url + "/orders/none")
        expect(page.get_by_role("alert")).to_contain_text("Stockwire kennt das nicht.", timeout=PATIENCE)


def test_a_language_is_chosen_in_the_page_and_remembered(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.get_by_role("combobox", name="Language").first.select_option("de")
        expect(page.get_by_role("heading", name="Übersicht")).to_be_visible(timeout=PATIENCE)
        expect(page.locator(".indicator")).to_contain_text("Live")
        page.reload()
        expect(page.get_by_role("heading", name="Übersicht")).to_be_visible(timeout=PATIENCE)


def test_an_address_asks_for_a_language(browser: Browser, server: Running) -> None:
    with visit(browser, server) as page:
        page.goto(server.url + "/wall?panels=orders&language=de")
        expect(page.get_by_role("heading", name="Bestellungen mit der kürzesten Restzeit")).to_be_visible(
            timeout=PATIENCE
        )


def test_on_a_phone_no_german_words_are_cut_or_wider_than_the_screen(browser: Browser, server: Running) -> None:
    notices = [f"/notifications{tab}" for tab in ("", "/rules", "/preferences", "/channels")]
    found: list[str] = []
    with visit(browser, server, width=390, height=844, locale="de-DE") as page:
        for path in ("/", "/inventory", "/orders", "/orders?layout=board", "/orders/1001", "/metrics", *notices):
            page.goto(server.url + path)
            expect(page.locator(".indicator")).to_have_attribute("data-level", "live", timeout=PATIENCE)
            expect(page.locator(".skeleton")).to_have_count(0, timeout=PATIENCE)
            found += [f"{path}: {words}" for words in cut_words(page)]
    assert found == []
