"""How often the screen moves is the person's choice, and costs accordingly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.connection.faults import FaultProxy
from tests.connection.screen import PATIENCE, Screen, seen
from tests.connection.stock import sell
from tests.running import Running

pytestmark = pytest.mark.browser

BATTERY = """
  const battery = Object.assign(new EventTarget(), { level: 1, charging: true });
  navigator.getBattery = () => Promise.resolve(battery);
  const become = (state) => {
    Object.assign(battery, state);
    battery.dispatchEvent(new Event("levelchange"));
  };
  window.drain = () => become({ level: 0.1, charging: false });
  window.charge = () => become({ level: 1, charging: true });
"""
COUNT_MARKS = """() => {
  window.marks = 0;
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (node.matches?.(".mark")) window.marks += 1;
  }).observe(document.querySelector("[role=grid]"), { childList: true, subtree: true });
}"""


def test_a_slower_pace_takes_fewer_bytes_for_the_same_end(
    browser: Browser, server: Running, proxy: FaultProxy, other: FaultProxy
) -> None:
    with seen(browser, server, proxy.url) as live, seen(browser, server, other.url, "/inventory?pace=30") as calm:
        for screen in (live, calm):
            screen.shows("SKU-4", "1,000")
            screen.level("live")
        with calm.details() as details:
            expect(details).to_contain_text("Updates every 30 s, as chosen", timeout=PATIENCE)
        before = proxy.brought, other.brought
        for sold in range(1, 11):
            sell(server, 4)
            live.shows("SKU-4", f"{1000 - sold:,}")
        assert 2 * (other.brought - before[1]) < proxy.brought - before[0]
        calm.page.get_by_label("Update frequency").select_option("Live")
        calm.shows("SKU-4", "990")
        calm.nothing_was_healed()


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
        screen.page.evaluate(COUNT_MARKS)
        screen.page.get_by_role("button", name="Resume updates").click()
        screen.shows("SKU-1", "998")
        screen.shows("SKU-0", "998")
        screen.level("live")
        assert screen.page.evaluate("window.marks") == 0
        sell(server, 0)
        screen.shows("SKU-0", "997")
        screen.page.wait_for_function("window.marks > 0")
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


def test_what_the_browser_tells_of_network_and_battery_slows_the_page_and_is_named(
    browser: Browser, server: Running
) -> None:
    with seen(browser, server, server.url, init=BATTERY) as screen:
        screen.level("live")
        screen.devtools.send("Network.enable")
        with screen.details() as details:
            for becomes, words in (
                (network("cellular2g", 1_500), "every 5 s, slower on a slow network"),
                (network("wifi", 1), "live, as chosen"),
                (lambda screen: screen.page.evaluate("drain()"), "every 10 s, slower on a low battery"),
            ):
                becomes(screen)
                expect(details).to_contain_text(f"Updates {words}", timeout=PATIENCE)
        expect(screen.page.get_by_label("Update frequency")).to_contain_text("Live (now 10 s)")

        screen.page.evaluate("charge()")
        screen.devtools.send("Emulation.setDataSaverOverride", {"dataSaverEnabled": True})
        screen.page.reload()
        with screen.details() as details:
            expect(details).to_contain_text("Updates every 5 s, slower on a metered network", timeout=PATIENCE)


def network(kind: str, latency: int) -> Callable[[Screen], None]:
    """Makes the browser take its network for one of this kind."""
    told = {
        "offline": False,
        "latency": latency,
        "downloadThroughput": -1,
        "uploadThroughput": -1,
        "connectionType": kind,
    }

    def become(screen: Screen) -> None:
        screen.devtools.send("Network.emulateNetworkConditions", told)

    return become


def test_the_pace_that_was_chosen_is_remembered_and_an_address_outranks_it(browser: Browser, server: Running) -> None:
    with seen(browser, server, server.url) as screen:
        screen.level("live")
        screen.page.get_by_label("Update frequency").select_option("Every 5 s")
        screen.open("/inventory")
        with screen.details() as details:
            expect(details).to_contain_text("Updates every 5 s, as chosen", timeout=PATIENCE)
        screen.open("/inventory?pace=1")
        with screen.details() as details:
            expect(details).to_contain_text("Updates every 1 s, as chosen", timeout=PATIENCE)
        screen.page.get_by_label("Update frequency").select_option("Every 30 s")
        expect(screen.page).to_have_url(f"{server.url}/inventory?pace=30")
