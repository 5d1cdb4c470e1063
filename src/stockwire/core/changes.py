"""What folding a batch comes to, for the log adapter to store and for everybody else to hear of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stockwire.core.rows import (
    Condition,
    HourRow,
    InventoryRow,
    Key,
    MetricRow,
    MinuteSales,
    Movement,
    NotificationRow,
    OrderRow,
    PersonRow,
    ProductRow,
    RuleRow,
    SourceRow,
    TimelineEntry,
    Told,
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
    evicted: dict[Key, int] = {}
    """Orders that left the `orders` feed without being deleted, with the version at which they did: the feed shows
    the open ones and the 1,000 most recently closed. The log keeps these as tombstones of the feed for as long as
    its horizon."""
    rules: Mapping[Key, RuleRow | None] = {}
    notifications: Mapping[Key, NotificationRow | None] = {}
    people: Mapping[Key, PersonRow | None] = {}
    conditions: Mapping[Key, Condition | None] = {}
    occasions: Sequence[Told] = ()
    """What people are to be told of, each with its notification as it was then."""
