"""The log: every event in one order, the rows folded from them, and what is needed to go on after a restart.

The port is two Protocols, because two kinds of thread use it. `Log` is what anybody may read, from any thread, at any
time; `Writer` adds what the one writing thread alone may call. Two rules hold for every adapter:

* `commit` is one transaction: events, rows, movements, timeline and idempotency keys are all there or none is, and
  when it returns they survive a loss of power. Between two commits a reader sees the one or the other.
* `(source, id)` is in the log once, for ever: compaction drops tombstones, never events.

A queue between the two kinds was left out: readers see the newest commit at once, because the disk (or the dictionary) is
where they look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec

from stockwire.core.changes import Changes
from stockwire.core.events import Record
from stockwire.core.projections.journeys import Journey
from stockwire.core.rows import (
    Condition,
    FeedName,
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
from stockwire.core.values import DAY, moment_text
from stockwire.core.views import View

RETENTION: Final = 7 * DAY
"""How long tombstones are kept unless the settings say otherwise."""
MINUTES_LOADED: Final = 62 * DAY
"""How far back from the shop's clock `load` brings the sums of single minutes."""
JOURNEYS_LOADED: Final = MINUTES_LOADED
"""How far back from the shop's clock an order must have moved for `load` to bring its journey."""
INTEGER_LIMIT: Final = 2**63
"""Every stored figure is below this and not below its negative."""

EVER: Final = 2**62
"""A version beyond that of any log."""

EventKey = tuple[str, str]
"""A source and the id it gave an event: the idempotency key."""

TableName = Literal[
    "inventory", "products", "locations", "orders", "metrics", "minutes", "hours", "sources", "movements", "timeline",
    "parked", "rules", "notifications", "people", "conditions", "occasions",
]  # fmt: skip
TABLES: Final[tuple[TableName, ...]] = (
    "inventory", "products", "locations", "orders", "metrics", "minutes", "hours", "sources", "movements", "timeline",
    "parked", "rules", "notifications", "people", "conditions", "occasions",
)  # fmt: skip


class Loaded(msgspec.Struct, kw_only=True):
    """What a start needs in memory. `orders` are those the orders feed shows: every open one and the newest closed.
    `journeys` are those of all orders that moved in the last 62 days of the shop's clock."""

    version: int
    clock: int
    horizon: int
    config: bytes | None
    inventory: dict[Key, InventoryRow]
    products: dict[str, ProductRow]
    locations: dict[str, str]
    orders: dict[Key, OrderRow]
    metrics: dict[Key, MetricRow]
    minutes: dict[int, MinuteSales]
    hours: dict[int, HourRow]
    sources: dict[Key, SourceRow]
    rules: dict[Key, RuleRow]
    notifications: dict[Key, NotificationRow]
    people: dict[Key, PersonRow]
    conditions: dict[Key, Condition]
    journeys: dict[Key, Journey]
    tombstones: dict[FeedName, dict[Key, int]]


class Heard(NamedTuple):
    """That a source was heard of from `first` to `last`, by when it was recorded; `newest` is the newest of its own times."""

    source: str
    first: int
    last: int
    newest: int


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is."""

    events: int
    inventory: int
    products: int
    orders: int
    orders_open: int
    movements: int
    parked: int


RowKey = tuple[str | int, ...]
"""What names a stored row: texts, or the moment or version it is of."""

Position = tuple[Any, ...]
"""Where a row stands in a view's order: its value of each ordered field (None: not known), then its key."""


def position(view: View, row: OrderRow) -> Position:
    """Where the row stands in the view's order: give it to `Log.orders` as `after` to read on from there."""
    return (*(field.get(row) for field, _ in view.order), row.order_id)


class Log(Protocol):
    """What is in the log, for readers in any thread."""

    @property
    def epoch(self) -> str:
        """Sixteen hexadecimal digits that name this history; the same for as long as it lives."""

    @property
    def version(self) -> int:
        """The newest version; 0 when nothing ever happened."""

    @property
    def horizon(self) -> int:
        """The oldest version a cursor may have and still be answered exactly."""

    def load(self) -> Loaded:
        """Everything a start needs, as of one version."""

    def known(self, keys: Iterable[EventKey]) -> dict[EventKey, int]:
        """The versions of those of the events that are in the log already."""

    def records(self, after: int = 0, limit: int = 5_000) -> list[Record]:
        """The next events after a version, in order."""

    def recorded_at(self) -> int:
        """When the newest event was recorded (a moment; 0 when there is none)."""

    def order(self, order_id: str) -> OrderRow | None:
        """One order, open or closed."""

    def minute(self, minute: int) -> MinuteSales | None:
        """The sums of one minute."""

    def deltas_after(self, sku: str, location: str, moment: int, version: int = EVER) -> Mapping[str, int]:
        """By how much each quantity of a row moved after a moment, by the events' own times, as recorded up to `version`.
        Only what moved."""

    def orders(self, view: View, limit: int, after: Position | None = None) -> list[OrderRow]:
        """The view's next orders, closed ones included, in its order. The view's own limit plays no part."""

    def order_count(self, view: View) -> int:
        """How many orders the view has, closed ones included."""

    def timeline(self, order_id: str) -> list[TimelineEntry]:
        """What happened to an order, oldest first as it was recorded."""

    def movements(self, sku: str, location: str, limit: int, before: tuple[int, int] | None = None) -> list[Movement]:
        """A row's movements, newest first; `before` is the (version, step) of the last one seen."""

    def moved_since(self, moment: int, limit: int) -> list[Movement]:
        """The newest movements, of all rows, that occurred after a moment, in the order of the log."""

    def stepped_since(self, moment: int, limit: int) -> list[TimelineEntry]:
        """The newest steps of all orders that occurred after a moment, in the order of the log."""

    def sales(self, boundaries: Sequence[int]) -> list[MinuteSales]:
        """Exact sums of sales between each boundary (a moment, included) and the next (excluded).

        Each carries the boundary it begins with as its `minute`.
        """

    def occasions(self, after: int, limit: int) -> list[Told]:
        """What is to be told after a version, in order: of whole versions, so that there may be some more than `limit`."""

    def journeys(self, since: int, limit: int) -> dict[Key, Journey] | None:
        """The journeys of the orders that moved at or after a moment; None when there are more than `limit`."""

    def minutes(self, since: int) -> list[MinuteSales]:
        """The sums of each minute from that one on, in order; minutes in which nothing happened are left out."""

    def heard_since(self, moment: int, step: int, most: int) -> list[Heard] | None:
        """When sources were heard of after a moment, by when it was recorded, in order: what of one source falls into the
        same `step` is told as one. None when there are more than `most` events since."""

    def verified_since(self, moment: int) -> list[Record]:
        """The verifications recorded after a moment, in order."""

    def counts(self) -> Counts:
        """How much there is of everything."""

    def rows(self, table: TableName) -> Iterator[tuple[RowKey, Any]]:
        """Every stored row of a table with its key, in order of the key.

        Reads in steps: memory stays bounded. A commit meanwhile may or may not be seen.
        """

    def check(self) -> list[str]:
        """What the storage itself finds wrong with its files; nothing when all is well."""

    def close(self) -> None:
        """Let go of everything. Nothing may be called afterwards."""


class Writer(Log, Protocol):
    """The log for the one thread that writes."""

    def commit(self, records: Sequence[Record], changes: Changes) -> None:
        """Keep the events and all that they changed, durably, in one transaction.

        The records' versions follow the newest one without a gap. Without records only the changes are kept (a refold).
        Raises StorageFailed when the disk refused (nothing is kept, reading goes on, a later commit may succeed) and
        Invalid when a figure is too large to be stored.
        """

    def compact(self, now: int, retention: int = RETENTION) -> int:
        """Drop tombstones of what went more than `retention` ago; gives the horizon, which rises past those dropped."""


def tombstones(changes: Changes) -> Iterator[tuple[FeedName, Key, int]]:
    """What the feeds lost by the changes, and at which version."""
    tables: tuple[tuple[FeedName, Mapping[Key, Any]], ...] = (
        ("inventory", changes.inventory),
        ("orders", changes.orders),
        ("metrics", changes.metrics),
        ("sources", changes.sources),
        ("rules", changes.rules),
        ("notifications", changes.notifications),
        ("people", changes.people),
    )
    for feed, changed in tables:
        for key, row in changed.items():
            if row is None:
                yield feed, key, changes.version
    for start, hour in changes.hours.items():
        if hour is None:
            yield "hours", (moment_text(start),), changes.version
    for key, version in changes.evicted.items():
        yield "orders", key, version


def fits(values: Iterable[object]) -> bool:
    """Whether every whole number among the values can be stored."""
    return all(-INTEGER_LIMIT <= value < INTEGER_LIMIT for value in values if isinstance(value, int))


TOO_LARGE_A_FIGURE: Final = (
    "a figure would grow beyond 2^63 and could not be kept exactly; correct the quantity or price"
)
