"""The journal: the rows that each of the newest commits changed, whole and in order, for processes that follow the log.

Who follows must see every commit by itself. Rows as they are now would not do: a row that came and went between two
looks leaves nothing behind, and a reader that saw it elsewhere would keep it. So the writer notes each commit's rows
once more, in the same transaction, when it is told that somebody follows. An index of rows by version was tried in
thought and left out: everybody would pay for it, and it cannot tell commits apart.

`Tail` reads the journal on from a version. Each entry names the version before it; where that is not the one the tail
is at, commits are missing, and whoever follows must begin anew from the rows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from stockwire.core.changes import Changes
from stockwire.core.errors import LostTrack
from stockwire.log import codec, database

COMMITS_KEPT: Final = 8_192
EVENTS_KEPT: Final = 100_000
"""The journal goes back so many commits, and so many events, whichever is less."""
TRIM_EVERY: Final = 256
"""Commits between two trimmings."""
_AT_ONCE: Final = 16
_BUSY_MILLISECONDS: Final = 200
_LOOK_AT_FILE_EVERY: Final = 1.0

_SQL: Final = database.statements("log")
_pack: Final = msgspec.msgpack.Encoder(enc_hook=int).encode  # quantities and money are kinds of int
_unpack: Final = msgspec.msgpack.Decoder().decode

K = TypeVar("K")
V = TypeVar("V")


def written(changes: Changes) -> bytes:
    """What the feeds need of a commit. Order is kept: equal frames come of it in every process."""
    return _pack(
        (
            changes.clock,
            _items(changes.inventory, codec.inventory_columns),
            _items(changes.orders, codec.order_value),
            _items(changes.metrics, codec.metric_value),
            _items(changes.hours, codec.hour_columns),
            _items(changes.sources, codec.source_columns),
            list(changes.evicted.items()),
            _items(changes.rules, codec.whole_value),
            _items(changes.notifications, codec.whole_value),
            _items(changes.people, codec.whole_value),
        )
    )


def read(version: int, body: bytes) -> Changes:
    """The inverse of `written`: the commit's changes as far as feeds go. Without movements, timeline and the like."""
    clock, inventory, orders, metrics, hours, sources, evicted, rules, notifications, people = _unpack(body)
    return Changes(
        version=version,
        clock=clock,
        inventory=_rows(inventory, tuple, codec.inventory_row),
        products={},
        locations={},
        orders=_rows(orders, tuple, codec.order_row),
        metrics=_rows(metrics, tuple, codec.metric_row),
        minutes={},
        hours=_rows(hours, int, codec.hour_row),
        sources=_rows(sources, tuple, codec.source_row),
        movements=[],
        timeline=[],
        parked=[],
        config=None,
        evicted={tuple(key): at for key, at in evicted},
        rules=_rows(rules, tuple, codec.rule_row),
        notifications=_rows(notifications, tuple, codec.notification_row),
        people=_rows(people, tuple, codec.person_row),
    )


def _items(changed: Mapping[K, V | None], encode: Callable[[V], Any]) -> list[tuple[K, Any]]:
    return [(key, None if row is None else encode(row)) for key, row in changed.items()]


def _rows(items: Iterable[tuple[Any, Any]], key: Callable[[Any], K], decode: Callable[[Any], V]) -> dict[K, V | None]:
    return {key(name): None if value is None else decode(value) for name, value in items}


class Tail:
    """What is committed to the log in `directory` after `version`, of the history `epoch`. For one thread.

    Raises StorageFailed when the log cannot be opened.
    """

    def __init__(self, directory: Path, version: int, epoch: str, *, file: str = "log.db") -> None:
        self.version = version
        self.horizon = 0
        self._epoch = epoch
        self._path = directory / file
        self._connection = database.open_reading(self._path)
        self._connection.set_busy_timeout(_BUSY_MILLISECONDS)
        self._inode = os.stat(self._path).st_ino
        self._looked_at_file = time.monotonic()
        self._seen: int | None = None

    def look(self) -> list[Changes]:
        """The next commits, in order, at most 16; nothing when there are none, which costs next to nothing.

        Sets `horizon`. Raises LostTrack when commits are missing, StorageFailed when the disk refuses for now.
        """
        self._check_file()
        with database.storage_errors():
            seen = self._connection.pragma("data_version")
            if seen == self._seen:
                return []
            found = self._read()
        if len(found) < _AT_ONCE:
            self._seen = seen
        return found

    def _check_file(self) -> None:
        """Now and then: whether the file is still the one that is open."""
        if time.monotonic() - self._looked_at_file < _LOOK_AT_FILE_EVERY:
            return
        self._looked_at_file = time.monotonic()
        try:
            inode = os.stat(self._path).st_ino
        except OSError:
            inode = 0
        if inode != self._inode:
            raise LostTrack("the log's file was exchanged")

    def _read(self) -> list[Changes]:
        connection = self._connection
        connection.execute("BEGIN")
        try:
            entries = list(connection.execute(_SQL["journal_after"], (self.version, _AT_ONCE)))
            epoch, newest, horizon = (self._fact(name) for name in ("epoch", "version", "horizon"))
        finally:
            connection.execute("ROLLBACK")
        if epoch != self._epoch:
            raise LostTrack("the log began another epoch")
        found = []
        for since, version, body in entries:
            if since != self.version:
                raise LostTrack(f"the commits between version {self.version} and {since} are not in the journal")
            found.append(read(version, body))
            self.version = version
        if len(entries) < _AT_ONCE:
            if int(newest) != self.version:
                raise LostTrack(f"the commits after version {self.version} are not in the journal")
            self.horizon = int(horizon)
        return found

    def _fact(self, name: str) -> Any:
        return self._connection.execute(_SQL["fact"], (name,)).get

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close(True)
