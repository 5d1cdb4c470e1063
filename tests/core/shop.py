"""A tiny shop for tests of feeds, views and sessions: inventory rows made by hand, published as batches."""

from __future__ import annotations

from typing import Any

from stockwire.core.changes import Changes
from stockwire.core.feed import Feed
from stockwire.core.rows import FEEDS, InventoryRow, Key, Row
from stockwire.core.values import QUANTITY_SCALE
from stockwire.engine.freshness import Freshness
from stockwire.engine.hub import Hub

EPOCH = "0123456789abcdef"


def stock(version: int, sku: str, on_hand: int, location: str = "main", **more: Any) -> InventoryRow:
    """An inventory row with so many whole units on hand."""
    return InventoryRow(version=version, sku=sku, location=location, on_hand=on_hand * QUANTITY_SCALE, **more)


def changes(version: int, **tables: Any) -> Changes:
    """A batch that changed the given tables."""
    empty: dict[str, Any] = {
        "inventory": {}, "products": {}, "locations": {}, "orders": {}, "metrics": {}, "minutes": {}, "hours": {},
        "sources": {}, "movements": [], "timeline": [], "parked": [], "config": None, "clock": 0,
    }  # fmt: skip
    return Changes(version=version, **(empty | tables))


class Shop:
    """A hub over empty feeds with a clock that tests move, and the next version to write."""

    def __init__(self, *, horizon: int = 0) -> None:
        self.seconds = 1_000.0
        self.version = 0
        self.rows: dict[Key, Row] = {}
        self.hub = self.restart(horizon=horizon)

    def restart(self, *, horizon: int = 0, epoch: str = EPOCH) -> Hub:
        """A hub as it is after the process began anew: same rows, no memory of views."""
        feeds = {name: Feed(name, horizon=horizon) for name in FEEDS}
        feeds["inventory"] = Feed("inventory", self.rows.values(), horizon=horizon)
        self.hub = Hub(
            feeds,
            epoch=epoch,
            version=self.version,
            horizon=horizon,
            now=lambda: int(self.seconds * 1_000_000),
            monotonic=lambda: self.seconds,
            freshness=Freshness(),
            describe=dict,
        )
        return self.hub

    def write(self, **levels: int | None) -> int:
        """Commit one batch: whole units on hand by SKU, None deletes. Gives its version."""
        batch: dict[Key, Any] = {}
        for sku, on_hand in levels.items():
            self.version += 1
            row = None if on_hand is None else stock(self.version, sku, on_hand)
            batch[(sku, "main")] = row
            if row is None:
                self.rows.pop((sku, "main"), None)
            else:
                self.rows[(sku, "main")] = row
        self.hub.publish(changes(self.version, inventory=batch))
        return self.version
