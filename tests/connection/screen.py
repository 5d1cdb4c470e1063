"""The page as a person has it, reached by any address: what the indicator says, what a row shows, what the tab costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Page, expect

from tests.e2e.browser import sign_in
from tests.running import Running, free_port

PATIENCE = 90_000
READINGS = 10
MEGABYTE = 1_000_000
# For a tab that holds its connection itself, as in a browser that cannot share one.
ALONE = "delete window.SharedWorker; delete window.BroadcastChannel;"


def serving(place: Path, *addresses: str, port: int | None = None) -> Running:
    """A server, not yet started, whose page may be opened from its own address and from `addresses`."""
    port = port or free_port()
    place.mkdir(parents=True)
    origins = ", ".join(f'"{address}"' for address in (f"http://127.0.0.1:{port}", *addresses))
    (place / "stockwire.toml").write_text(f"origins = [{origins}]\n")
    return Running(place, "--currency", "EUR", port=port)


class Cost(NamedTuple):
    """What a tab holds, after everything that nobody refers to is gone."""

    heap: int
    nodes: int
    listeners: int

    def fits(self, before: Cost) -> bool:
        """Whether nothing was left behind since then: no node, no listener, and of the heap a megabyte at most."""
        return self.nodes <= before.nodes and self.listeners <= before.listeners and self.heap - before.heap <= MEGABYTE


class Screen:
    """A signed-in tab."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self._devtools: CDPSession | None = None

    @property
    def devtools(self) -> CDPSession:
        """The browser's own door for developers."""
        self._devtools = self._devtools or self.page.context.new_cdp_session(self.page)
        return self._devtools

    def open(self, path: str) -> None:
        """Go to a path of the page."""
        self.page.goto(self.url + path, wait_until="commit")

    def row(self, text: str) -> Locator:
        """The table's row that has this text in a cell of its own."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_text(text, exact=True))

    def shows(self, text: str, value: str) -> None:
        """Wait until the row of `text` has a cell that says `value`."""
        cell = self.row(text).get_by_role("gridcell").filter(has_text=re.compile(rf"^\D*{re.escape(value)}\D*$"))
        expect(cell.first).to_be_visible(timeout=PATIENCE)

    def level(self, *levels: str) -> None:
        """Wait until the indicator is on one of these rungs."""
        rung = re.compile("^(?:" + "|".join(levels) + ")$")
        expect(self.page.locator(".indicator")).to_have_attribute("data-level", rung, timeout=PATIENCE)

    @contextmanager
    def details(self) -> Iterator[Locator]:
        """The connection's details, open for as long as the block runs."""
        chip = self.page.locator(".indicator button").first
        chip.click()
        yield self.page.get_by_role("region", name="Connection details")
        chip.click()

    def retry(self) -> None:
        """Press Retry now, which is there as long as there is no link."""
        with self.details() as details:
            details.get_by_role("button", name="Retry now").evaluate_all("all => all.forEach((one) => one.click())")

    def travels_by(self, transport: str) -> None:
        """Wait until the details name the transport (a pattern)."""
        with self.details() as details:
            expect(details).to_contain_text(re.compile(f"Transport {transport}"), timeout=PATIENCE)

    def nothing_was_healed(self) -> None:
        """No gap, no repeat: the server never had to start over, and no frame ever failed to fit."""
        with self.details() as details:
            expect(details).to_contain_text("Resets none")
            expect(details).to_contain_text("Faults healed 0")

    def number(self, name: str) -> int:
        """A number of the details."""
        with self.details() as details:
            said = details.locator("dl div").filter(has_text=name).locator("dd").inner_text()
        return int(re.sub(r"\D", "", said))

    def cost(self) -> Cost:
        """What the tab holds for good: the least of several readings, for a frame being painted holds a node or two more."""
        self.devtools.send("HeapProfiler.enable")
        return Cost(*(min(counts) for counts in zip(*(self._reading() for _ in range(READINGS)), strict=True)))

    def _reading(self) -> Cost:
        self.page.evaluate("new Promise((painted) => requestAnimationFrame(() => requestIdleCallback(painted)))")
        for _ in range(3):
            self.devtools.send("HeapProfiler.collectGarbage")
        heap = self.devtools.send("Runtime.getHeapUsage")["usedSize"]
        counts: dict[str, Any] = self.devtools.send("Memory.getDOMCounters")
        return Cost(int(heap), counts["nodes"], counts["jsEventListeners"])


def measured(costs: list[Cost], measure: Callable[[], Cost], most: int) -> list[Cost]:
    """Measure until nothing is kept beyond the time before, or there are `most` costs: a leak grows each time, what comes
    with the first showing of something comes once.
    """
    while len(costs) < 2 or (not costs[-1].fits(costs[-2]) and len(costs) < most):
        costs.append(measure())
    return costs


@contextmanager
def seen(
    browser: Browser, server: Running, url: str, path: str = "/inventory", *, init: str = "", link: bool = False
) -> Iterator[Screen]:
    """A signed-in tab that looks at `path` of `url`. `init` runs before the page's own scripts.

    With `link` the person signs in by a link of their own; otherwise they are one who did so before."""
    with tabs(browser, server, url, init=init, link=link) as person:
        (screen,) = person.open(path)
        yield screen


class Tabs:
    """All tabs of one browser, in which a person is signed in."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url

    def open(self, *paths: str) -> list[Screen]:
        """A tab more for each path; they load at the same time."""
        screens = [Screen(self.context.new_page(), self.url) for _ in paths]
        for screen, path in zip(screens, paths, strict=True):
            screen.open(path)
        return screens


@contextmanager
def tabs(browser: Browser, server: Running, url: str, *, init: str = "", link: bool = False) -> Iterator[Tabs]:
    """The tabs of a person who is signed in at `url`; `init` and `link` are those of `seen`."""
    context: BrowserContext = browser.new_context(viewport={"width": 1440, "height": 900}, service_workers="block")
    faults: list[str] = []
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    if init:
        context.add_init_script(init)
    try:
        if link:
            page = context.new_page()
            page.goto(server.link().replace(server.url, url))
            page.wait_for_url(url + "/")
            page.close()
        else:
            sign_in(context, server, url)
        yield Tabs(context, url)
    finally:
        context.close()
    assert faults == [], faults
