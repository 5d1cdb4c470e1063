"""A shift of work before one tab: products sold without a break, the link cut again and again, each number checked at the end.

Tries that come in a loop are held back (five in ten seconds), and links that end within a heartbeat count against their
transport; both by the tab's clock. So that hundreds of reconnects fit into a test, that clock is put forward before each
cut, as if the link had held for half a minute. And the tab holds its connection itself, as in a browser that cannot share
one: what is measured is in one place then. Nothing else is different from a bad day.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from types import TracebackType

from playwright.sync_api import Browser

from tests.connection.faults import faulty
from tests.connection.screen import seen, serving
from tests.running import event, free_port, snapshot

PRODUCTS = 24
STOCK = 1_000_000
AHEAD = """
  delete window.SharedWorker;
  delete window.BroadcastChannel;
  const real = Date.now;
  let ahead = 0;
  Date.now = () => real() + ahead;
  window.putForward = () => (ahead += 30_000);
  window.comeBack = () => dispatchEvent(new Event("online"));
"""


class Shift:
    """A server, a link that can be cut, and a tab that watches `PRODUCTS` products."""

    def __init__(self, browser: Browser, place: Path) -> None:
        port = free_port()
        self._sold: Counter[int] = Counter()
        self._turn = 0
        self._way = faulty(port)
        self._proxy = self._way.__enter__()
        self.server = serving(place / "data", self._proxy.url, port=port).start()
        self.server.post(*(snapshot(f"SKU-{number:02}", STOCK) for number in range(PRODUCTS)))
        self._seen = seen(browser, self.server, self._proxy.url, init=AHEAD)
        self.screen = self._seen.__enter__()
        self.screen.shows("SKU-01", f"{STOCK:,}")

    def __enter__(self) -> Shift:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._seen.__exit__(kind, error, trace)
        finally:
            self.server.kill()
            self._way.__exit__(None, None, None)

    def work(self, *, reconnects: int, changes: int, every: float = 0.0) -> None:
        """Cut the link `reconnects` times, each `every` seconds at most; wait until all of it is seen.

        Between two cuts `changes` rows change.
        """
        begun = time.monotonic()
        for turn in range(reconnects):
            time.sleep(max(0.0, begun + turn * every - time.monotonic()))
            self._sell(changes // 2)
            links = self._proxy.accepted
            self.screen.page.evaluate("putForward()")
            self._proxy.cut()
            brought = self._proxy.brought
            self._sell(changes - changes // 2)
            while self._proxy.accepted == links:
                self.screen.page.evaluate("comeBack()")
            self._proxy.until(lambda proxy, brought=brought: proxy.brought > brought)  # type: ignore[misc]
        for number in (0, PRODUCTS // 2, PRODUCTS - 1):
            self.screen.shows(f"SKU-{number:02}", f"{STOCK - self._sold[number]:,}")
        self.screen.level("live")

    def _sell(self, changes: int) -> None:
        numbers = [(self._turn + step) % PRODUCTS for step in range(changes)]
        self._turn += changes
        self._sold.update(numbers)
        self.server.post(
            *(event("stock.adjusted", sku=f"SKU-{number:02}", quantity=-1, reason="correction") for number in numbers)
        )
