"""Tabs that nobody looks at: hidden ones slow down, frozen ones let go, and on the way back both have what they missed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.connection.screen import serving
from tests.connection.unwatched import Unwatched, window
from tests.running import Running, event, snapshot

pytestmark = pytest.mark.browser

DETAILS = "document.querySelector('.indicator .details')"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = serving(tmp_path_factory.mktemp("unseen") / "data").start()
    try:
        yield server
    finally:
        server.kill()


def sell(server: Running, sku: str) -> None:
    server.post(event("stock.adjusted", sku=sku, quantity=-1, reason="correction"))


def sign_in(tab: Unwatched, server: Running) -> None:
    tab.open(server.link())
    tab.until("location.pathname === '/' && document.querySelector('.indicator') !== null")


def shows(tab: Unwatched, sku: str, value: str) -> None:
    rows = "[...document.querySelectorAll('[role=row]')].map((row) => row.innerText.split(/\\s+/))"
    tab.until(f"{rows}.some((words) => words.includes('{sku}') && words.includes('{value}'))")


def live_and_whole(tab: Unwatched) -> None:
    """Live, with no gap and no repeat ever."""
    tab.until("document.querySelector('.indicator').dataset.level === 'live'")
    tab.evaluate(f"{DETAILS} ?? document.querySelector('.indicator button').click()")
    tab.until(f"/Resets\\s+none/.test({DETAILS}.innerText) && /Faults healed\\s+0/.test({DETAILS}.innerText)")


def test_a_hidden_tab_slows_down_a_frozen_one_lets_go_and_both_come_back_with_what_they_missed(
    browser: Browser, server: Running
) -> None:
    server.post(snapshot("SKU-1", 50))
    with window(browser) as opened:
        tab = opened()
        sign_in(tab, server)
        tab.open(f"{server.url}/inventory")
        shows(tab, "SKU-1", "50")
        live_and_whole(tab)

        tab.hide()
        tab.until(f"{DETAILS}.innerText.includes('every 30 s, slower while this tab is hidden')")
        sell(server, "SKU-1")
        tab.show()
        shows(tab, "SKU-1", "49")
        tab.until(f"{DETAILS}.innerText.includes('live, as chosen')")

        tab.hide()
        tab.freeze()
        sell(server, "SKU-1")
        tab.show()
        shows(tab, "SKU-1", "48")
        live_and_whole(tab)
