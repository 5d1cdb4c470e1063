"""From a log to a state that can fold on: the same at a start, in an import and when verifying."""

from __future__ import annotations

import msgspec

from stockwire.core.events import ShopConfigured
from stockwire.core.fold import FoldState
from stockwire.core.rows import Key, OrderRow
from stockwire.log.base import Loaded, Log


def fold_state(log: Log, loaded: Loaded | None = None) -> FoldState:
    """The state as of `loaded` (what the log loads now, when left out), fetching what it does not hold from the log."""
    kept = log.load() if loaded is None else loaded

    def load_order(key: Key) -> OrderRow | None:
        return log.order(key[0])

    return FoldState(
        log,
        version=kept.version,
        clock=kept.clock,
        config=None if kept.config is None else msgspec.json.decode(kept.config, type=ShopConfigured),
        inventory=kept.inventory.values(),
        products=kept.products.values(),
        locations=kept.locations,
        orders=kept.orders.values(),
        metrics=kept.metrics.values(),
        minutes=kept.minutes.values(),
        hours=kept.hours.values(),
        sources=kept.sources.values(),
        load_order=load_order,
        load_minute=log.minute,
    )
