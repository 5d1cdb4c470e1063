"""Verifying: fold the whole log again from nothing and compare every stored row with the outcome.

The refold keeps its rows in a log of its own, which the caller gives: a temporary one on disk, so that memory holds only
what a server's would. Both are then read side by side in order of their keys, movements and timelines included, so what
is compared is everything. The log must stand still meanwhile; `verify_directory` reads a snapshot, so it may run beside a
server.

Metrics are compared but for their versions: they are worked out once a batch, and the refold's batches are its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from stockwire.core.rows import MetricRow
from stockwire.engine.state import Progress, refold
from stockwire.log.base import TABLES, Log, RowKey, TableName, Writer
from stockwire.log.sqlite import SqliteLog


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One row that is not what the events say. `stored` or `folded` is None where there is no such row."""

    table: TableName
    key: RowKey
    stored: Any
    folded: Any

    def __str__(self) -> str:
        name = f"{self.table} {' / '.join(map(str, self.key))}"
        if self.stored is None:
            return f"{name}: missing"
        if self.folded is None:
            return f"{name}: should not be there"
        if not isinstance(self.stored, msgspec.Struct):
            return f"{name}: is {self.stored!r}, should be {self.folded!r}"
        fields = [
            f"{field} is {is_!r}, should be {should!r}"
            for field in self.stored.__struct_fields__
            if (is_ := getattr(self.stored, field)) != (should := getattr(self.folded, field))
        ]
        return f"{name}: {'; '.join(fields)}"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying found: how many events there are, rows that differ, and what is wrong with the files themselves."""

    events: int
    differences: list[Difference]
    damage: list[str]

    @property
    def sound(self) -> bool:
        return not self.differences and not self.damage


def verify(log: Log, fresh: Writer, progress: Progress | None = None) -> Verified:
    """Fold the log again into `fresh`, which must be empty, and compare."""
    events = refold(log, fresh, progress)
    return Verified(events=events, differences=list(differences(log, fresh)), damage=log.check())


def verify_directory(directory: Path, progress: Progress | None = None) -> Verified:
    """Verify the log of a data directory as it stands now, whoever writes it. Raises StorageFailed or SchemaTooNew."""
    log = SqliteLog(directory, reading=True, still=True)
    try:
        with tempfile.TemporaryDirectory(prefix="stockwire-verify-") as beside:
            fresh = SqliteLog(Path(beside), durable=False)
            try:
                return verify(log, fresh, progress)
            finally:
                fresh.close()
    finally:
        log.close()


def differences(log: Log, fresh: Log) -> Iterator[Difference]:
    """Every row in which the two differ, table by table, in order of the keys."""
    for table in TABLES:
        for key, stored, folded in _side_by_side(log.rows(table), fresh.rows(table)):
            if _compared(stored) != _compared(folded):
                yield Difference(table=table, key=key, stored=stored, folded=folded)


def _compared(row: Any) -> Any:
    return msgspec.structs.replace(row, version=0) if isinstance(row, MetricRow) else row


def _side_by_side(
    left: Iterable[tuple[RowKey, Any]], right: Iterable[tuple[RowKey, Any]]
) -> Iterator[tuple[RowKey, Any, Any]]:
    """Pairs the rows of equal key; None where one side has none. Both come in order of their keys."""
    lefts, rights = iter(left), iter(right)
    one, other = next(lefts, None), next(rights, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], None
            one = next(lefts, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = next(rights, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(lefts, None), next(rights, None)
