"""From a log to a state that can fold on: the same at a start, in an import, when verifying and when looking back.

A log may hold events that are not folded yet: a migration that changes what is folded drops the rows. They are folded in
before anything else is written (`ready`), in steps, so a start that was cut short goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from stockwire.core.changes import Changes
from stockwire.core.events import ShopConfigured
from stockwire.core.feed import Feed
from stockwire.core.fold import Fold
from stockwire.core.fold_state import FoldState
from stockwire.core.projections.inventory import History
from stockwire.core.rows import FeedName, Key, OrderRow
from stockwire.core.values import moment
from stockwire.log.base import Loaded, Log, Writer

K = TypeVar("K", bound=Hashable)

STEP: Final = 5_000

Progress = Callable[[int, int], None]
"""Hears how many events are folded, of how many."""


def ready(log: Writer, progress: Progress | None = None) -> Loaded:
    """What a start needs, once every event of the log is folded."""
    if log.records(log.version, 1):
        refold(log, log, progress)
    return log.load()


def refold(log: Log, into: Writer, progress: Progress | None = None) -> int:
    """Fold every event of `log` that is newer than what `into` has into it; gives the version reached.

    The events themselves are not copied.
    """
    state, newest = fold_state(into), log.counts().events
    while records := log.records(state.version, STEP):
        changes = Fold(state).apply(records)
        into.commit((), changes)
        state.commit(changes)
        if progress is not None:
            progress(state.version, newest)
    return state.version


def fold_state(log: Log, loaded: Loaded | None = None, history: History | None = None) -> FoldState:
    """The state as of `loaded` (what the log loads now, when left out), fetching what it does not hold from the log, and
    what was recorded of stock from `history` where that is another."""
    kept = log.load() if loaded is None else loaded

    def load_order(key: Key) -> OrderRow | None:
        return log.order(key[0])

    return FoldState(
        log if history is None else history,
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
        rules=kept.rules.values(),
        notifications=kept.notifications.values(),
        people=kept.people.values(),
        conditions=kept.conditions.values(),
        journeys=kept.journeys,
        load_order=load_order,
        load_minute=log.minute,
    )


def feeds(loaded: Loaded) -> dict[FeedName, Feed]:
    """The feeds as the log has them."""
    tables: dict[FeedName, Any] = {
        "inventory": loaded.inventory, "orders": loaded.orders, "metrics": loaded.metrics, "hours": loaded.hours,
        "sources": loaded.sources, "rules": loaded.rules, "notifications": loaded.notifications, "people": loaded.people,
    }  # fmt: skip
    return {
        name: Feed(name, rows.values(), loaded.tombstones.get(name), loaded.horizon) for name, rows in tables.items()
    }


def changes_since(loaded: Loaded, version: int) -> Changes:
    """What changed after a version, as far as rows tell: for feeds that missed a commit. Without movements and timeline."""
    return Changes(
        version=loaded.version,
        clock=loaded.clock,
        inventory=_since(loaded, "inventory", loaded.inventory, version),
        products=_newer(loaded.products, version),
        locations=dict(loaded.locations),
        orders=_since(loaded, "orders", loaded.orders, version),
        metrics=_since(loaded, "metrics", loaded.metrics, version),
        minutes={},
        hours=_newer(loaded.hours, version) | _gone_hours(loaded, version),
        sources=_since(loaded, "sources", loaded.sources, version),
        movements=[],
        timeline=[],
        parked=[],
        config=None,
        rules=_since(loaded, "rules", loaded.rules, version),
        notifications=_since(loaded, "notifications", loaded.notifications, version),
        people=_since(loaded, "people", loaded.people, version),
    )


def _newer(rows: Mapping[K, Any], version: int) -> dict[K, Any]:
    return {key: row for key, row in rows.items() if row.version > version}


def _since(loaded: Loaded, feed: FeedName, rows: Mapping[Key, Any], version: int) -> dict[Key, Any]:
    gone = {key: None for key, at in loaded.tombstones.get(feed, {}).items() if at > version}
    return _newer(rows, version) | gone


def _gone_hours(loaded: Loaded, version: int) -> dict[int, Any]:
    return {moment(key[0]): None for key, at in loaded.tombstones.get("hours", {}).items() if at > version}
