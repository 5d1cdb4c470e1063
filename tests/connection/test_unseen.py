"""Tabs that nobody looks at: hidden ones slow down, frozen ones let go, and on the way back both have what they missed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.connection.stock import sell
from tests.connection.unwatched import Unwatched, window
from tests.running import Running

pytestmark = pytest.mark.browser

DETAILS = "document.querySelector('.indicator .details')"


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
    with window(browser) as opened:
        tab = opened()
        sign_in(tab, server)
        tab.open(f"{server.url}/inventory")
        shows(tab, "SKU-1", "1,000")
        live_and_whole(tab)

        tab.hide()
        tab.until(f"{DETAILS}.innerText.includes('every 30 s, slower while this tab is hidden')")
        sell(server, 1)
        tab.show()
        shows(tab, "SKU-1", "999")
        tab.until(f"{DETAILS}.innerText.includes('live, as chosen')")

        tab.hide()
        tab.freeze()
        sell(server, 1)
        tab.show()
        shows(tab, "SKU-1", "998")
        live_and_whole(tab)
