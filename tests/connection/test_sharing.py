"""Ten tabs of a browser hold one connection; whoever holds it may be closed or crash, and nobody misses anything.

Without shared workers, as on some phones, one of the tabs leads. Which one, the browser's own list of locks tells.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Error, expect

from tests.connection.screen import PATIENCE, Screen, serving, tabs
from tests.running import Running, event, snapshot

pytestmark = pytest.mark.browser

BY_WORKER = pytest.param("", id="by a shared worker")
BY_LEADER = pytest.param("delete window.SharedWorker;", id="by a leader")
PAUSED = "/inventory?pace=paused"
INVENTORIES = ["/inventory", "/inventory?pace=1", "/inventory?pace=2", "/inventory?pace=5", "/inventory?pace=live"]
PATHS = [*INVENTORIES, "/orders", "/metrics", "/wall", PAUSED]
HOLDER = """async () => {
  const { held } = await navigator.locks.query();
  return held.filter(({ name }) => /^stockwire.(leader|worker)/.test(name)).map(({ name, clientId }) => name + clientId);
}"""
ITSELF = """() => navigator.locks.request("who", async () => {
  const { held } = await navigator.locks.query();
  return held.find(({ name }) => name === "who").clientId;
})"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = serving(tmp_path_factory.mktemp("sharing") / "data").start()
    try:
        yield server
    finally:
        server.kill()


def sell(server: Running, sku: str) -> None:
    server.post(event("stock.adjusted", sku=sku, quantity=-1, reason="correction"))


def connections_become(server: Running, count: int) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while (found := server.get("/api/v1/status")["connections"]) != count:
        assert time.monotonic() < deadline, f"{found} connections"
        time.sleep(0.05)


def holder(screen: Screen) -> str:
    """Who holds the connection, as one tab sees it: exactly one does."""
    (found,) = screen.page.evaluate(HOLDER)
    return str(found)


def leading(screens: list[Screen]) -> Screen | None:
    """The tab that holds the connection; None when a worker does."""
    lock = holder(screens[0])
    return next((screen for screen in screens if lock.endswith(screen.page.evaluate(ITSELF))), None)


def crash(browser: Browser, screen: Screen | None) -> None:
    """Take the process of a tab away, or the worker, without a word."""
    if screen:
        with suppress(Error):
            screen.page.goto("chrome://crash")
        return
    devtools = browser.new_browser_cdp_session()
    for target in devtools.send("Target.getTargets")["targetInfos"]:
        if target["type"] == "shared_worker":
            devtools.send("Target.closeTarget", {"targetId": target["targetId"]})


@pytest.mark.parametrize("init", [BY_WORKER, BY_LEADER])
def test_ten_tabs_hold_one_connection_that_outlives_whoever_holds_it(
    browser: Browser, server: Running, init: str
) -> None:
    sku = f"SKU-{len(init)}"
    server.post(snapshot(sku, 1000))
    with tabs(browser, server, server.url, init=init) as person:
        looking = {path: person.open(path) for path in PATHS}
        still = looking[PAUSED]
        moving = [screen for path, screen in looking.items() if path in INVENTORIES]
        everywhere = [person.first, *looking.values()]
        for screen in everywhere:
            screen.level("live", "paused")
        still.shows(sku, "1,000")
        connections_become(server, 1)

        sell(server, sku)
        for screen in moving:
            screen.shows(sku, "999")
        expect(still.page.locator(".indicator")).to_contain_text("1 change waiting", timeout=PATIENCE)
        still.shows(sku, "1,000")

        before, leader = holder(still), leading(everywhere)
        crash(browser, leader)
        left = [screen for screen in moving if screen is not leader]
        sell(server, sku)
        for screen in left:
            screen.shows(sku, "998")
        assert holder(still) != before
        connections_become(server, 1)

        leader = leading([screen for screen in everywhere if screen is not leader]) or left[0]
        leader.page.close()
        left = [screen for screen in left if screen is not leader]
        sell(server, sku)
        for screen in left:
            screen.shows(sku, "997")
            screen.nothing_was_healed()
        connections_become(server, 1)
        still.shows(sku, "1,000")
        still.page.get_by_role("button", name="Resume updates").click()
        still.shows(sku, "997")
        still.nothing_was_healed()
