"""The log in dictionaries: for tests and simulations. It forgets everything when it is closed.

It keeps the rows it is given, refuses the figures that SQLite's columns could not hold, and orders lists by comparing
positions, so it is a second opinion on what the port means and not a copy of the first.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cmp_to_key
from itertools import groupby, pairwise
from typing import Any, cast

from stockwire.core.changes import Changes
from stockwire.core.errors import Invalid
from stockwire.core.events import INTERNAL_SOURCE, LogVerified, Record
from stockwire.core.projections.journeys import Journey, journey_of, newest_reached
from stockwire.core.rows import FeedName, HourRow, Key, MinuteSales, Movement, OrderRow, TimelineEntry, Told
from stockwire.core.views import View
from stockwire.log import codec
from stockwire.log.base import (
    EVER,
    JOURNEYS_LOADED,
    MINUTES_LOADED,
    RETENTION,
    TOO_LARGE_A_FIGURE,
    Counts,
    EventKey,
    Heard,
    Loaded,
    Position,
    RowKey,
    TableName,
    fits,
    position,
    tombstones,
)


class MemoryLog:
    """A log of no duration."""

    def __init__(self, epoch: str = "0123456789abcdef") -> None:
        self._lock = threading.RLock()
        self._epoch = epoch
        self._version = 0
        self._clock = 0
        self._horizon = 0
        self._config: bytes | None = None
        self._records: list[Record] = []
        self._known: dict[EventKey, int] = {}
        self._rows: dict[str, dict[Any, Any]] = {
            name: {}
            for name in (
                "inventory", "products", "locations", "orders", "metrics", "minutes", "hours", "sources", "rules",
                "notifications", "people", "conditions",
            )
        }  # fmt: skip
        self._movements: dict[Key, list[Movement]] = {}
        self._timeline: dict[str, list[TimelineEntry]] = {}
        self._parked: dict[int, str] = {}
        self._occasions: list[Told] = []
        self._hidden: set[Key] = set()
        self._tombstones: dict[tuple[FeedName, Key], tuple[int, int]] = {}

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def version(self) -> int:
        return self._version

    @property
    def horizon(self) -> int:
        return self._horizon

    def load(self) -> Loaded:
        with self._lock:
            rows = self._rows
            loaded = Loaded(
                version=self._version,
                clock=self._clock,
                horizon=self._horizon,
                config=self._config,
                inventory=dict(rows["inventory"]),
                products=dict(rows["products"]),
                locations=dict(rows["locations"]),
                orders={key: row for key, row in rows["orders"].items() if key not in self._hidden},
                metrics=dict(rows["metrics"]),
                minutes={at: row for at, row in rows["minutes"].items() if at >= self._clock - MINUTES_LOADED},
                hours=dict(rows["hours"]),
                sources=dict(rows["sources"]),
                rules=dict(rows["rules"]),
                notifications=dict(rows["notifications"]),
                people=dict(rows["people"]),
                conditions=dict(rows["conditions"]),
                journeys=self._journeys(),
                tombstones={},
            )
            hours = {row.key for row in loaded.hours.values()}
            for (feed, key), (version, _) in self._tombstones.items():
                alive = hours if feed == "hours" else getattr(loaded, feed)
                if key not in alive:
                    loaded.tombstones.setdefault(feed, {})[key] = version
            return loaded

    def _journeys(self) -> dict[Key, Journey]:
        since = self._clock - JOURNEYS_LOADED
        lately = (row for row in self._rows["orders"].values() if newest_reached(row) >= since)
        return {row.key: journey for row in lately if (journey := journey_of(row)) is not None}

    def known(self, keys: Iterable[EventKey]) -> dict[EventKey, int]:
        with self._lock:
            return {key: self._known[key] for key in keys if key in self._known}

    def records(self, after: int = 0, limit: int = 5_000) -> list[Record]:
        with self._lock:
            start = bisect_right(self._records, after, key=lambda record: record.version)
            return self._records[start : start + limit]

    def recorded_at(self) -> int:
        return self._records[-1].recorded_at if self._records else 0

    def order(self, order_id: str) -> OrderRow | None:
        return self._rows["orders"].get((order_id,))

    def minute(self, minute: int) -> MinuteSales | None:
        return self._rows["minutes"].get(minute)

    def deltas_after(self, sku: str, location: str, moment: int, version: int = EVER) -> Mapping[str, int]:
        with self._lock:
            recorded = self._movements.get((sku, location), ())
            later = [m for m in recorded if m.occurred_at > moment and m.version <= version]
        return codec.sums(((m.on_hand, m.committed, m.reserved, m.damaged, m.quality_control, m.safety_stock, m.incoming)
                           for m in later), codec.MOVED)  # fmt: skip

    def orders(self, view: View, limit: int, after: Position | None = None) -> list[OrderRow]:
        ranked = sorted(((position(view, row), row) for row in self._matching(view)), key=_ranking(view))
        if after is not None:
            rank = _ranking(view)
            ranked = [each for each in ranked if rank(each) > rank((after, None))]
        return [row for _, row in ranked[:limit]]

    def order_count(self, view: View) -> int:
        return len(self._matching(view))

    def _matching(self, view: View) -> list[OrderRow]:
        with self._lock:
            return [row for row in self._rows["orders"].values() if view.allows(row.key) and view.matches(row)]

    def timeline(self, order_id: str) -> list[TimelineEntry]:
        with self._lock:
            return list(self._timeline.get(order_id, ()))

    def movements(self, sku: str, location: str, limit: int, before: tuple[int, int] | None = None) -> list[Movement]:
        with self._lock:
            found = self._movements.get((sku, location), [])
            end = len(found) if before is None else bisect_left(found, before, key=lambda m: (m.version, m.step))
            return found[max(0, end - limit) : end][::-1]

    def moved_since(self, moment: int, limit: int) -> list[Movement]:
        with self._lock:
            kept = [each for moved in self._movements.values() for each in moved if each.occurred_at > moment]
        return sorted(kept, key=lambda each: (each.version, each.step))[-limit:]

    def stepped_since(self, moment: int, limit: int) -> list[TimelineEntry]:
        with self._lock:
            kept = [each for steps in self._timeline.values() for each in steps if each.occurred_at > moment]
        return sorted(kept, key=lambda each: each.version)[-limit:]

    def sales(self, boundaries: Sequence[int]) -> list[MinuteSales]:
        with self._lock:
            rows: list[MinuteSales] = list(self._rows["minutes"].values())
        found = []
        for start, end in pairwise(boundaries):
            figures = [codec.minute_columns(row)[1:] for row in rows if start <= row.minute < end]
            found.append(MinuteSales(minute=start, **codec.sums(figures, codec.MINUTE[1:])))
        return found

    def occasions(self, after: int, limit: int) -> list[Told]:
        with self._lock:
            found = [told for told in self._occasions if told[0].version > after]
        newest = max((told[0].version for told in found[:limit]), default=0)
        return [told for told in found if told[0].version <= newest]

    def minutes(self, since: int) -> list[MinuteSales]:
        with self._lock:
            return [row for minute, row in sorted(self._rows["minutes"].items()) if minute >= since]

    def heard_since(self, moment: int, step: int, most: int) -> list[Heard] | None:
        with self._lock:
            later = [record for record in self._records if record.recorded_at > moment]
        if len(later) > most:
            return None
        told = [record for record in later if record.event.source != INTERNAL_SOURCE]
        told.sort(key=lambda record: (record.event.source, record.recorded_at // step))
        found = []
        for (source, _), group in groupby(told, lambda record: (record.event.source, record.recorded_at // step)):
            records = list(group)
            times = [record.recorded_at for record in records]
            found.append(Heard(source, min(times), max(times), max(record.event.time for record in records)))
        return sorted(found, key=lambda each: (each.first, each.source))

    def verified_since(self, moment: int) -> list[Record]:
        with self._lock:
            return [
                record
                for record in self._records
                if record.recorded_at > moment and isinstance(record.event.data, LogVerified)
            ]

    def journeys(self, since: int, limit: int) -> dict[Key, Journey] | None:
        with self._lock:
            moved = [row for row in self._rows["orders"].values() if newest_reached(row) >= since]
        if len(moved) > limit:
            return None
        return {row.key: journey for row in moved if (journey := journey_of(row)) is not None}

    def counts(self) -> Counts:
        with self._lock:
            return Counts(
                events=len(self._records),
                inventory=len(self._rows["inventory"]),
                products=len(self._rows["products"]),
                orders=len(self._rows["orders"]),
                orders_open=sum(1 for row in self._rows["orders"].values() if row.closed_at is None),
                movements=sum(map(len, self._movements.values())),
                parked=len(self._parked),
            )

    def rows(self, table: TableName) -> Iterator[tuple[RowKey, Any]]:
        with self._lock:
            found = sorted(self._keyed(table), key=lambda each: each[0])
        yield from found

    def _keyed(self, table: TableName) -> Iterable[tuple[RowKey, Any]]:
        match table:
            case "movements":
                return [((m.version, m.step), m) for kept in self._movements.values() for m in kept]
            case "timeline":
                return [((entry.version, entry.order_id), entry) for kept in self._timeline.values() for entry in kept]
            case "parked":
                return [((version,), error) for version, error in self._parked.items()]
            case "occasions":
                return [(told[0].order, told) for told in self._occasions]
            case _:
                return [(key if isinstance(key, tuple) else (key,), row) for key, row in self._rows[table].items()]

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        """Nothing to let go of."""

    # Writing

    def commit(self, records: Sequence[Record], changes: Changes) -> None:
        if records and records[0].version != self._version + 1:
            raise ValueError(f"version {records[0].version} cannot follow {self._version}")
        if not all(map(fits, _figures(changes))):
            raise Invalid(TOO_LARGE_A_FIGURE)
        with self._lock:
            self._records += records
            self._known.update((record.event.key, record.version) for record in records)
            self._put_rows(changes)
            for movement in changes.movements:
                self._movements.setdefault((movement.sku, movement.location), []).append(movement)
            for entry in changes.timeline:
                self._timeline.setdefault(entry.order_id, []).append(entry)
            self._occasions += sorted(changes.occasions, key=lambda told: told[0].order)
            self._parked.update((parked.version, parked.error) for parked in changes.parked)
            at = records[-1].recorded_at if records else 0
            self._tombstones.update(((feed, key), (version, at)) for feed, key, version in tombstones(changes))
            self._version, self._clock = changes.version, changes.clock
            self._config = changes.config if changes.config is not None else self._config

    def _put_rows(self, changes: Changes) -> None:
        for name, rows in self._rows.items():
            changed = cast(Mapping[Any, Any], getattr(changes, name))
            rows.update((key, row) for key, row in changed.items() if row is not None)
            for key in [key for key, row in changed.items() if row is None]:
                rows.pop(key, None)
        self._hidden.difference_update(changes.orders)
        self._hidden.update(changes.evicted)

    def compact(self, now: int, retention: int = RETENTION) -> int:
        with self._lock:
            old = [version for version, recorded_at in self._tombstones.values() if recorded_at <= now - retention]
            newest = max(old, default=0)
            self._tombstones = {name: kept for name, kept in self._tombstones.items() if kept[0] > newest}
            self._horizon = max(self._horizon, newest)
            return self._horizon


def _figures(changes: Changes) -> Iterator[tuple[Any, ...]]:
    """Everything of the changes that would go into columns of figures."""
    yield from (codec.inventory_columns(row) for row in changes.inventory.values() if row is not None)
    yield from (codec.product_columns(row) for row in changes.products.values() if row is not None)
    yield from (codec.order_columns(row) for row in changes.orders.values() if row is not None)
    yield from (codec.minute_columns(row) for row in changes.minutes.values() if row is not None)
    yield from (codec.hour_columns(row) for row in changes.hours.values() if isinstance(row, HourRow))
    yield from map(codec.movement_columns, changes.movements)


def _ranking(view: View) -> Any:
    """A sort key for pairs of a position and whatever."""
    directions = [descending for _, descending in view.order]

    def compare(left: tuple[Position, Any], right: tuple[Position, Any]) -> int:
        for descending, one, other in zip(directions, left[0], right[0], strict=False):
            if one == other:
                continue
            if one is None or other is None:
                return 1 if one is None else -1
            return -1 if (one < other) is not descending else 1
        return int(left[0][-1] > right[0][-1]) - int(left[0][-1] < right[0][-1])

    return cmp_to_key(compare)
