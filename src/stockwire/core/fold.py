"""Folding the log: the one place where the projections meet.

    state = FoldState(...)            # rows in memory, loaded by the log adapter at start
    changes = Fold(state).apply(records)   # pure: nothing in `state` moves yet
    ...store records and `changes` in one transaction...
    state.commit(changes)             # only after the transaction is durable

`Fold.apply` works on drafts over the state, so a batch that could not be stored leaves no trace. Each event folds within
a savepoint: one that a projection cannot digest is parked with its error and changes nothing else. Projections know nothing of each other: orders
give stock effects, inventory takes them; metrics see only rows before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from stockwire.core.events import Record
from stockwire.core.rows import (
    HourRow,
    InventoryRow,
    Key,
    MetricRow,
    MinuteSales,
    Movement,
    OrderRow,
    ProductRow,
    SourceRow,
    TimelineEntry,
)


class Parked(msgspec.Struct, frozen=True):
    """An event that was logged but that a projection could not digest, and why."""

    version: int
    error: str


class Changes(msgspec.Struct, kw_only=True):
    """All that a batch changed: new rows by key (None: deleted), and what was appended. What the log adapter stores."""

    version: int
    clock: int
    inventory: Mapping[Key, InventoryRow | None]
    products: Mapping[str, ProductRow | None]
    locations: Mapping[str, str | None]
    orders: Mapping[Key, OrderRow | None]
    metrics: Mapping[Key, MetricRow | None]
    minutes: Mapping[int, MinuteSales | None]
    hours: Mapping[int, HourRow | None]
    sources: Mapping[Key, SourceRow | None]
    movements: list[Movement]
    timeline: list[TimelineEntry]
    parked: list[Parked]
    config: bytes | None
    """The newest shop.configured event's body when this batch had one."""
