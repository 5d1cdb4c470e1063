"""All tabs of a browser hold one connection; whoever holds it may be closed or crash, and nobody misses anything.

Without shared workers, as on some phones, one of the tabs leads. Which one, the browser's own list of locks tells.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import Browser, Error, expect

from tests.connection.screen import PATIENCE, Screen, tabs
from tests.connection.stock import sell
from tests.running import Running

pytestmark = pytest.mark.browser

NO_WORKER = "delete window.SharedWorker;"
PAUSED = "/inventory?pace=paused"
INVENTORIES = ["/inventory", "/inventory?pace=1", "/inventory?pace=2", "/inventory?pace=5", "/inventory?pace=live"]
PATHS = [*INVENTORIES, PAUSED, PAUSED, "/", "/orders", "/wall"]
# What a tab does about its leader, as it happens: it asks for an answer, seizes the lock, or gives up after a long silence.
MOMENTS = """
  window.moments = [];
  const noting = (prototype, method, moment) => {
    const does = prototype?.[method];
    if (does)
      prototype[method] = function (...what) {
        const noted = moment(...what);
        if (noted) window.moments.push(noted);
        return does.apply(this, what);
      };
  };
  noting(window.LockManager?.prototype, "request", (name, { steal }) => steal && "seized");
  noting(window.BroadcastChannel?.prototype, "postMessage", ({ what, message }) =>
    what === "asked" ? what : message?.type === "leave" && "gave up");
"""
HOLDER = """async () => {
  const { held } = await navigator.locks.query();
  return held.filter(({ name }) => /^stockwire.(leader|worker)/.test(name)).map(({ name, clientId }) => name + clientId);
}"""
ITSELF = """() => navigator.locks.request("who", async () => {
  const { held } = await navigator.locks.query();
  return held.find(({ name }) => name === "who").clientId;
})"""


def connections_become(server: Running, count: int) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while (found := server.get("/api/v1/status")["connections"]) != count:
        assert time.monotonic() < deadline, f"{found} connections"
        time.sleep(0.05)


def holder(screen: Screen) -> str:
    """Who holds the connection, as one tab sees it: exactly one does, but for the moment in which it is handed over."""
    deadline = time.monotonic() + PATIENCE / 1000
    while len(found := screen.page.evaluate(HOLDER)) != 1:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return str(found[0])


def leading(screens: list[Screen]) -> Screen | None:
    """The tab that holds the connection; None when a worker does."""
    lock = holder(screens[0])
    return next((screen for screen in screens if lock.endswith(screen.page.evaluate(ITSELF))), None)


def crash(screen: Screen) -> None:
    """Take the process of a tab away without a word."""
    with suppress(Error):
        screen.page.goto("chrome://crash")


def crash_worker(browser: Browser) -> None:
    """Take the worker away."""
    devtools = browser.new_browser_cdp_session()
    for target in devtools.send("Target.getTargets")["targetInfos"]:
        if target["type"] == "shared_worker":
            devtools.send("Target.closeTarget", {"targetId": target["targetId"]})
    devtools.detach()


def without(gone: Screen | None, *groups: list[Screen]) -> list[list[Screen]]:
    """The groups of tabs as they are when one is gone."""
    return [[screen for screen in group if screen is not gone] for group in groups]


@contextmanager
def hanging(screen: Screen) -> Iterator[None]:
    """Nothing runs in the tab, which was told nothing of it."""
    screen.devtools.send("Debugger.enable")
    screen.page.evaluate("setTimeout(() => { debugger; })")
    yield
    screen.devtools.send("Debugger.resume")
    screen.devtools.send("Debugger.disable")


@contextmanager
def frozen(screen: Screen) -> Iterator[None]:
    """The browser stopped the tab, as it does with those that nobody looked at for long."""
    screen.devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    yield
    screen.devtools.send("Page.setWebLifecycleState", {"state": "active"})


@contextmanager
def crashed(screen: Screen) -> Iterator[None]:
    """The tab is gone."""
    crash(screen)
    yield


@pytest.mark.parametrize(
    ("init", "paths"),
    [
        pytest.param("", PATHS, id="ten by a shared worker"),
        pytest.param(NO_WORKER, PATHS[2:7], id="five by a leader"),
    ],
)
def test_tabs_hold_one_connection_that_outlives_whoever_holds_it(
    browser: Browser, server: Running, init: str, paths: list[str]
) -> None:
    with tabs(browser, server, server.url, init=init) as person:
        everywhere = person.open(*paths)
        still = [screen for screen, path in zip(everywhere, paths, strict=True) if path == PAUSED]
        moving = [screen for screen, path in zip(everywhere, paths, strict=True) if path in INVENTORIES]
        for screen in everywhere:
            screen.level("live", "paused")
        for screen in still:
            screen.shows("SKU-1", "1,000")
        connections_become(server, 1)

        sell(server, 1)
        for screen in moving:
            screen.shows("SKU-1", "999")
        for screen in still:
            expect(screen.page.locator(".indicator")).to_contain_text("1 change waiting", timeout=PATIENCE)
            screen.shows("SKU-1", "1,000")

        before, leader = holder(everywhere[0]), leading(everywhere)
        if leader:
            crash(leader)
        else:
            crash_worker(browser)
        sell(server, 1)
        everywhere, still, moving = without(leader, everywhere, still, moving)
        for screen in moving:
            screen.shows("SKU-1", "998")
        assert holder(everywhere[0]) != before
        connections_become(server, 1)

        leader = leading(everywhere) or moving[0]
        leader.page.close()
        sell(server, 1)
        everywhere, still, moving = without(leader, everywhere, still, moving)
        for screen in moving:
            screen.shows("SKU-1", "997")
            screen.nothing_was_healed()
        connections_become(server, 1)
        still[0].shows("SKU-1", "1,000")
        still[0].page.get_by_role("button", name="Resume updates").click()
        still[0].shows("SKU-1", "997")
        still[0].nothing_was_healed()


def test_a_leader_that_hangs_freezes_or_crashes_is_replaced_before_its_silence_is_noticed(
    browser: Browser, server: Running
) -> None:
    with tabs(browser, server, server.url, init=NO_WORKER + MOMENTS) as person:
        everywhere = person.open("/inventory", "/inventory", "/inventory")
        for screen in everywhere:
            screen.level("live")
        for sold, happens in enumerate((hanging, frozen, crashed), 1):
            leader = leading(everywhere)
            assert leader is not None
            left = [screen for screen in everywhere if screen is not leader]
            for screen in left:
                screen.page.evaluate("window.moments.length = 0")
            with happens(leader):
                sell(server, 1)
                for screen in left:
                    screen.shows("SKU-1", f"{1000 - sold}")
                moments = [" ".join(screen.page.evaluate("window.moments")) for screen in left]
                assert "gave up" not in " ".join(moments)
                assert happens is not hanging or any("asked seized" in each for each in moments), moments
            if happens is crashed:
                everywhere = left
            for screen in everywhere:
                screen.shows("SKU-1", f"{1000 - sold}")
                screen.level("live")
            connections_become(server, 1)
        for screen in everywhere:
            screen.nothing_was_healed()
