"""The log in one SQLite database: `log.db` in the data directory.

One connection writes and checkpoints, in the one writing thread; readers have their own, a few, and see the newest
commit. A commit is one transaction of events, rows, movements and timeline, on disk when it returns (`database.py`). The
directory is locked against a second writing process for as long as the log is open.

When the disk refuses a commit nothing is kept. After an error of input or output the writing connection is opened anew
at the next commit, because SQLite cannot know what reached the disk: `version` then says what did, and may be ahead of
what was acknowledged. Whoever folds must look at it before going on (engine/ingest.py does).
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

import apsw

from stockwire.core.changes import Changes
from stockwire.core.errors import Invalid, StorageFailed
from stockwire.core.events import INTERNAL_SOURCE, LogVerified, Record, stored_event
from stockwire.core.projections.journeys import Journey, journey_of, newest_reached
from stockwire.core.rights import EVERYTHING
from stockwire.core.rows import FeedName, Key, MinuteSales, Movement, OrderRow, TimelineEntry, Told
from stockwire.core.views import View
from stockwire.log import codec, database, journal, listing
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
    tombstones,
)
from stockwire.log.copying import copy_rows
from stockwire.log.lock import DirectoryLock
from stockwire.log.witness import Witness

FILE: Final = "log.db"
_STEP: Final = 2_000
_SQL: Final[Mapping[str, str]] = database.statements("log")

_Encode = Callable[[Any], tuple[Any, ...]]


class SqliteLog:
    """The log of one data directory, which is made when it is not there. A copy that was put back begins another epoch.

    Raises DataDirectoryBusy, SchemaTooNew or StorageFailed. `reading` leaves lock and schema alone and refuses `commit`:
    for looking at a log that another process writes; with `still` everything is seen as it was at the first look. `now` is
    the moment noted at a migration. `durable` false is for logs that can be made anew. `followed`: other processes follow
    what is committed, so the journal is kept.
    """

    def __init__(
        self,
        directory: Path,
        *,
        now: int = 0,
        epoch: str | None = None,
        reading: bool = False,
        still: bool = False,
        durable: bool = True,
        followed: bool = False,
        readers: int = 4,
    ) -> None:
        self._path = directory / FILE
        self._durable = durable
        self._followed = followed
        self._untrimmed = 0
        self._readers = database.Readers(
            lambda: database.open_reading(self._path), 1 if still else readers, still=still
        )
        self._writing: apsw.Connection | None = None
        self._lock: DirectoryLock | None = None
        self._witness: Witness | None = None
        if reading:
            self._open_reading()
        else:
            self._open_writing(directory, now, epoch)
        self._epoch = str(self._fact("epoch"))
        self._version: int | None = None

    def _open_reading(self) -> None:
        if not self._path.exists():
            raise StorageFailed(f"there is no log at {self._path}")
        with self._readers.borrow() as connection:
            made = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'facts'").get
            if made:
                database.check_schema(connection, "migrations")
            if not made or connection.execute(_SQL["fact"], ("epoch",)).get is None:
                raise StorageFailed(f"the log at {self._path} is only being made; try again shortly")

    def _open_writing(self, directory: Path, now: int, epoch: str | None) -> None:
        database.make_directory(directory)
        self._lock = DirectoryLock(directory)
        try:
            self._witness = _witness(directory)
            self._prepare(self._witness, now, epoch or secrets.token_hex(8))
        except BaseException:
            self.close()
            raise

    def _prepare(self, witness: Witness, now: int, epoch: str) -> None:
        """Bring the schema up to date, and begin another epoch when this is a copy that was put back."""
        connection = self._writer()
        database.migrate(connection, "migrations", now)
        with database.storage_errors(), database.transaction(connection):

            def fact(name: str) -> Any:
                return connection.execute(_SQL["fact"], (name,)).get

            version = int(fact("version"))
            if fact("epoch") is None or not witness.vouches(fact("origin"), version):
                connection.execute(_SQL["put_fact"], ("epoch", epoch))
            if fact("origin") != witness.origin:
                connection.execute(_SQL["put_fact"], ("origin", witness.origin))
            if not self._followed:
                connection.execute(_SQL["clear_journal"])
        witness.saw(version)

    def _writer(self) -> apsw.Connection:
        if self._lock is None:
            raise StorageFailed("this log was opened for reading only")
        if self._writing is None:
            self._writing = database.open_writing(self._path, durable=self._durable)
        return self._writing

    def close(self) -> None:
        """Let go of the files and of the directory. The last one to close checkpoints."""
        self._readers.close()
        if self._writing is not None:
            self._writing.close()
            self._writing = None
        if self._witness is not None:
            self._witness.close()
            self._witness = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # What is known

    def _fact(self, name: str) -> Any:
        with self._readers.borrow() as connection:
            return connection.execute(_SQL["fact"], (name,)).get

    def _all(self, name: str, *values: Any) -> list[Any]:
        with self._readers.borrow() as connection:
            return list(connection.execute(_SQL[name], values))

    def _one(self, name: str, *values: Any) -> Any:
        rows = self._all(name, *values)
        return rows[0] if rows else None

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def version(self) -> int:
        if self._lock is None or self._version is None:
            self._version = int(self._fact("version"))
        return self._version

    @property
    def horizon(self) -> int:
        return int(self._fact("horizon"))

    def load(self) -> Loaded:
        with self._readers.borrow() as connection:
            if not connection.in_transaction:
                connection.execute("BEGIN")
            return self._load(connection)

    def _load(self, connection: apsw.Connection) -> Loaded:
        def rows(name: str, *values: Any) -> Iterator[Any]:
            return connection.execute(_SQL[name], values)

        def fact(name: str) -> Any:
            return rows("fact", name).get  # type: ignore[attr-defined]

        texts: dict[str, str] = {}
        inventory = {}
        for columns in rows("all_inventory"):
            row = codec.inventory_row(columns, texts)
            inventory[row.key] = row
        clock = int(fact("clock"))
        loaded = Loaded(
            version=int(fact("version")),
            clock=clock,
            horizon=int(fact("horizon")),
            config=fact("config"),
            inventory=inventory,
            products={row.sku: row for row in map(codec.product_row, rows("all_products"))},
            locations=dict(rows("all_locations")),
            orders={row.key: row for row in (codec.order_row(value) for (value,) in rows("shown_orders"))},
            metrics={row.key: row for row in (codec.metric_row(value) for (value,) in rows("all_metrics"))},
            minutes={row.minute: row for row in map(codec.minute_row, rows("minutes_from", clock - MINUTES_LOADED))},
            hours={row.start: row for row in map(codec.hour_row, rows("all_hours"))},
            sources={row.key: row for row in map(codec.source_row, rows("all_sources"))},
            rules={row.key: row for row in (codec.rule_row(value) for (value,) in rows("all_rules"))},
            notifications={
                row.key: row for row in (codec.notification_row(value) for (value,) in rows("all_notifications"))
            },
            people={row.key: row for row in (codec.person_row(value) for (value,) in rows("all_people"))},
            conditions={row.key: row for row in (codec.condition_row(value) for (value,) in rows("all_conditions"))},
            journeys={},
            tombstones={},
        )
        for (value,) in rows("orders_moved_since", clock - JOURNEYS_LOADED):
            order = codec.order_row(value)
            journey = journey_of(order)
            if journey is not None:
                loaded.journeys[order.key] = journey
        self._load_tombstones(loaded, rows("tombstones"))
        return loaded

    def _load_tombstones(self, loaded: Loaded, rows: Iterable[Any]) -> None:
        """A tombstone counts only while its key has no row."""
        alive: dict[str, Any] = {
            "inventory": loaded.inventory,
            "orders": loaded.orders,
            "metrics": loaded.metrics,
            "hours": {row.key for row in loaded.hours.values()},
            "sources": loaded.sources,
            "rules": loaded.rules,
            "notifications": loaded.notifications,
            "people": loaded.people,
        }
        for feed, text, version in rows:
            key = codec.key_of_text(text)
            if key not in alive[feed]:
                loaded.tombstones.setdefault(cast(FeedName, feed), {})[key] = version

    def known(self, keys: Iterable[EventKey]) -> dict[EventKey, int]:
        with self._readers.borrow() as connection:
            found = connection.executemany(_SQL["known_event"], list(keys))
            return {(source, id_): version for source, id_, version in found}

    def records(self, after: int = 0, limit: int = 5_000) -> list[Record]:
        return [
            Record(version, recorded_at, stored_event(source, id_, type_, time, body))
            for version, recorded_at, source, id_, type_, time, body in self._all("events_after", after, limit)
        ]

    def recorded_at(self) -> int:
        row = self._one("newest_recorded")
        return 0 if row is None else int(row[0])

    def order(self, order_id: str) -> OrderRow | None:
        row = self._one("one_order", order_id)
        return None if row is None else codec.order_row(row[0])

    def minute(self, minute: int) -> MinuteSales | None:
        row = self._one("one_minute", minute)
        return None if row is None else codec.minute_row(row)

    def deltas_after(self, sku: str, location: str, moment: int, version: int = EVER) -> Mapping[str, int]:
        return codec.sums(self._all("deltas_after", sku, location, moment, version), codec.MOVED)

    def orders(self, view: View, limit: int, after: Position | None = None) -> list[OrderRow]:
        condition = listing.where(view, after)
        sql = f"SELECT row FROM orders WHERE {condition.sql} ORDER BY {listing.order_by(view)}"
        if view.rights == EVERYTHING:
            sql += f" LIMIT {int(limit)}"
        found: list[OrderRow] = []
        with self._readers.borrow() as connection:
            for (value,) in connection.execute(sql, condition.values):
                row = codec.order_row(value)
                if view.allows(row.key):
                    found.append(row)
                    if len(found) == limit:
                        break
        return found

    def order_count(self, view: View) -> int:
        condition = listing.where(view)
        with self._readers.borrow() as connection:
            if view.rights == EVERYTHING:
                return int(
                    connection.execute(f"SELECT count(*) FROM orders WHERE {condition.sql}", condition.values).get
                )
            found = connection.execute(f"SELECT order_id FROM orders WHERE {condition.sql}", condition.values)
            return sum(1 for key in found if view.allows(cast(Key, key)))

    def timeline(self, order_id: str) -> list[TimelineEntry]:
        return [codec.timeline_entry(row) for row in self._all("timeline_of", order_id)]

    def movements(self, sku: str, location: str, limit: int, before: tuple[int, int] | None = None) -> list[Movement]:
        version, step = before or (2**62, 0)
        return [codec.movement_row(row) for row in self._all("newest_movements", sku, location, version, step, limit)]

    def moved_since(self, moment: int, limit: int) -> list[Movement]:
        return [codec.movement_row(row) for row in reversed(self._all("moved_since", moment, limit))]

    def stepped_since(self, moment: int, limit: int) -> list[TimelineEntry]:
        return [codec.timeline_entry(row) for row in reversed(self._all("stepped_since", moment, limit))]

    def sales(self, boundaries: Sequence[int]) -> list[MinuteSales]:
        found = []
        with self._readers.borrow() as connection:
            for start, end in pairwise(boundaries):
                (halves,) = connection.execute(_SQL["sales"], (start, end))
                figures = [
                    (high or 0) * 2**32 + (low or 0) for high, low in zip(halves[::2], halves[1::2], strict=True)
                ]
                found.append(MinuteSales(minute=start, **dict(zip(codec.MINUTE[1:], figures, strict=True))))
        return found

    def occasions(self, after: int, limit: int) -> list[Told]:
        return [codec.occasion_of(row) for row in self._all("occasions_of_versions_after", after, limit)]

    def minutes(self, since: int) -> list[MinuteSales]:
        return [codec.minute_row(row) for row in self._all("minutes_from", since)]

    def heard_since(self, moment: int, step: int, most: int) -> list[Heard] | None:
        first = self._first_after(moment)
        if self.version - first > most:
            return None
        return [Heard(*row) for row in self._all("heard_since", first, INTERNAL_SOURCE, moment, step)]

    def _first_after(self, moment: int) -> int:
        """A version up to which everything was recorded by that moment."""
        low, high = 0, self.version
        while low < high:
            middle = (low + high + 1) // 2
            if self._one("recorded_by", middle, moment) is None:
                high = middle - 1
            else:
                low = middle
        return low

    def verified_since(self, moment: int) -> list[Record]:
        return [
            Record(version, recorded_at, stored_event(source, id_, type_, time, body))
            for version, recorded_at, source, id_, type_, time, body in self._all(
                "verified_since", INTERNAL_SOURCE, LogVerified.type, moment
            )
        ]

    def journeys(self, since: int, limit: int) -> dict[Key, Journey] | None:
        found = self._all("orders_moved_since_at_most", since, limit + 1)
        if len(found) > limit:
            return None
        rows = (codec.order_row(value) for (value,) in found)
        return {row.key: journey for row in rows if (journey := journey_of(row)) is not None}

    def counts(self) -> Counts:
        return Counts(**dict(zip(Counts.__struct_fields__, self._one("counts"), strict=True)))

    def rows(self, table: TableName) -> Iterator[tuple[RowKey, Any]]:
        width, start, decode = _STEPS[table]
        after = start
        while True:
            found = self._all(f"{table}_after", *after, _STEP)
            for columns in found:
                yield decode(columns)
            if len(found) < _STEP:
                return
            after = found[-1][:width]

    def copy_rows(self, to: Path) -> tuple[int, int]:
        """Copy the rows, as of one commit, into a new file; gives the version and the clock of that. Raises StorageFailed."""
        return copy_rows(self._path, to)

    def check(self) -> list[str]:
        with self._readers.borrow() as connection:
            found = [str(text) for (text,) in connection.execute("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found

    # Writing

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        connection = self._writer()
        try:
            with database.storage_errors(), database.transaction(connection):
                yield connection
        except OverflowError as error:
            raise Invalid(TOO_LARGE_A_FIGURE) from error
        except StorageFailed as failure:
            self._version = None
            if not isinstance(failure.__cause__, apsw.FullError):
                self._writing = None
                connection.close(True)
            raise

    def commit(self, records: Sequence[Record], changes: Changes) -> None:
        if records and records[0].version != self.version + 1:
            raise ValueError(f"version {records[0].version} cannot follow {self.version}")
        with self._transaction() as connection:
            many = connection.executemany
            many(_SQL["add_event"], map(_event_columns, records))
            self._put_rows(connection, changes, records[-1].recorded_at if records else 0)
            many(_SQL["add_movement"], map(codec.movement_columns, changes.movements))
            many(_SQL["add_timeline"], map(codec.timeline_columns, changes.timeline))
            many(_SQL["add_occasion"], map(codec.occasion_columns, changes.occasions))
            many(_SQL["add_parked"], [(parked.version, parked.error) for parked in changes.parked])
            facts: list[tuple[str, Any]] = [("version", changes.version), ("clock", changes.clock)]
            if changes.config is not None:
                facts.append(("config", changes.config))
            many(_SQL["put_fact"], facts)
            if self._followed and records:
                self._note(connection, records[0].version - 1, changes)
        self._version = changes.version
        if self._witness is not None:
            with contextlib.suppress(OSError):
                self._witness.saw(changes.version)

    def _note(self, connection: apsw.Connection, since: int, changes: Changes) -> None:
        """Write the commit into the journal, and drop what is old there."""
        connection.execute(_SQL["add_journal"], (changes.version, since, journal.written(changes)))
        self._untrimmed += 1
        if self._untrimmed >= journal.TRIM_EVERY:
            self._untrimmed = 0
            oldest = changes.version - journal.EVENTS_KEPT
            connection.execute(_SQL["trim_journal"], (oldest, journal.COMMITS_KEPT))

    def _put_rows(self, connection: apsw.Connection, changes: Changes, recorded_at: int) -> None:
        evicted = changes.evicted

        def order_columns(row: OrderRow) -> tuple[Any, ...]:
            shown = row.key not in evicted
            return (shown, newest_reached(row), *codec.order_columns(row), codec.order_value(row))

        tables: tuple[tuple[str, Mapping[Any, Any], _Encode], ...] = (
            ("inventory", changes.inventory, codec.inventory_columns),
            ("products", changes.products, codec.product_columns),
            ("orders", changes.orders, order_columns),
            ("metrics", changes.metrics, _metric_columns),
            ("minutes", changes.minutes, codec.minute_columns),
            ("hours", changes.hours, codec.hour_columns),
            ("sources", changes.sources, codec.source_columns),
            ("rules", changes.rules, _whole_columns),
            ("notifications", changes.notifications, _whole_columns),
            ("people", changes.people, _whole_columns),
            ("conditions", changes.conditions, _whole_columns),
        )
        for table, changed, encode in tables:
            rows = [row for row in changed.values() if row is not None]
            if rows:
                connection.executemany(_SQL[f"put_{table}"], map(encode, rows))
            if len(rows) < len(changed):
                gone = [key if isinstance(key, tuple) else (key,) for key, row in changed.items() if row is None]
                connection.executemany(_SQL[f"delete_{table}"], gone)
        self._put_locations(connection, changes.locations)
        connection.executemany(_SQL["hide_order"], list(evicted))
        connection.executemany(
            _SQL["put_tombstone"],
            [(feed, codec.key_text(key), version, recorded_at) for feed, key, version in tombstones(changes)],
        )

    def _put_locations(self, connection: apsw.Connection, changed: Mapping[str, str | None]) -> None:
        for location, name in changed.items():
            if name is None:
                connection.execute(_SQL["delete_locations"], (location,))
            else:
                connection.execute(_SQL["put_locations"], (location, name))

    def compact(self, now: int, retention: int = RETENTION) -> int:
        with self._transaction() as connection:
            newest = connection.execute(_SQL["newest_old_tombstone"], (now - retention,)).get
            if newest is not None:
                connection.execute(_SQL["drop_tombstones"], (newest,))
                horizon = max(int(newest), int(connection.execute(_SQL["fact"], ("horizon",)).get))
                connection.execute(_SQL["put_fact"], ("horizon", horizon))
        return self.horizon


def _witness(directory: Path) -> Witness:
    try:
        return Witness(directory)
    except OSError as error:
        raise StorageFailed(f"the data directory {directory} cannot be written: {error.strerror}") from error


def _event_columns(record: Record) -> tuple[Any, ...]:
    event = record.event
    return (
        record.version, event.source, event.id, event.type, event.time, record.recorded_at, event.data.subject,
        event.body,
    )  # fmt: skip


def _metric_columns(row: Any) -> tuple[Any, ...]:
    return (row.metric, row.period, codec.metric_value(row))


def _whole_columns(row: Any) -> tuple[Any, ...]:
    return (*row.key, codec.whole_value(row))


_Decode = Callable[[tuple[Any, ...]], tuple[RowKey, Any]]
_BEGIN: Final = -(2**62)

_STEPS: Final[Mapping[TableName, tuple[int, tuple[Any, ...], _Decode]]] = {
    "inventory": (2, ("", ""), lambda row: (row[:2], codec.inventory_row(row))),
    "products": (1, ("",), lambda row: (row[:1], codec.product_row(row))),
    "locations": (1, ("",), lambda row: (row[:1], row[1])),
    "orders": (1, ("",), lambda row: (row[:1], codec.order_row(row[1]))),
    "metrics": (2, ("", ""), lambda row: (row[:2], codec.metric_row(row[2]))),
    "minutes": (1, (_BEGIN,), lambda row: (row[:1], codec.minute_row(row))),
    "hours": (1, (_BEGIN,), lambda row: (row[:1], codec.hour_row(row))),
    "sources": (1, ("",), lambda row: (row[:1], codec.source_row(row))),
    "movements": (1, (0,), lambda row: (row[1:3], codec.movement_row(row[1:]))),
    "timeline": (1, (0,), lambda row: (row[1:3], codec.timeline_entry(row[1:]))),
    "parked": (1, (_BEGIN,), lambda row: (row[:1], row[1])),
    "rules": (1, ("",), lambda row: (row[:1], codec.rule_row(row[1]))),
    "notifications": (1, ("",), lambda row: (row[:1], codec.notification_row(row[1]))),
    "people": (1, ("",), lambda row: (row[:1], codec.person_row(row[1]))),
    "conditions": (2, ("", ""), lambda row: (row[:2], codec.condition_row(row[2]))),
    "occasions": (3, (_BEGIN, "", ""), lambda row: (row[:3], codec.occasion_of(row))),
}
"""For each table how many of the first columns tell where to read on, where to begin, and what a line holds."""
