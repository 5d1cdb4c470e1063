"""Tables of rows, and drafts over them.

A `Table` is what is durable and known; a `Draft` is a batch's changes on top of it that may still be thrown away, whole or
back to a savepoint. Rule: a table only ever changes by `commit`, after the draft's changes are on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Table(Generic[K, V]):
    """Rows by key. `load` fetches a row that is kept on disk only (a closed order); such rows are not remembered."""

    def __init__(self, rows: dict[K, V] | None = None, load: Callable[[K], V | None] | None = None) -> None:
        self.rows: dict[K, V] = {} if rows is None else rows
        self._load = load

    def get(self, key: K) -> V | None:
        row = self.rows.get(key)
        if row is None and self._load is not None:
            return self._load(key)
        return row

    def commit(self, changed: Mapping[K, V | None]) -> None:
        """Take over a draft's changes; None deletes."""
        for key, row in changed.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[V]:
        return iter(self.rows.values())


class Draft(Generic[K, V]):
    """Changes over a table. `changed` maps each touched key to its new row, or None when it was deleted."""

    def __init__(self, table: Table[K, V]) -> None:
        self._table = table
        self._undo: list[tuple[K, bool, V | None]] = []
        self.changed: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        if key in self.changed:
            return self.changed[key]
        return self._table.get(key)

    def put(self, key: K, row: V) -> None:
        self._undo.append((key, key in self.changed, self.changed.get(key)))
        self.changed[key] = row

    def delete(self, key: K) -> None:
        self._undo.append((key, key in self.changed, self.changed.get(key)))
        self.changed[key] = None

    def savepoint(self) -> None:
        """From here on `rollback` returns to this state."""
        self._undo.clear()

    def rollback(self) -> None:
        """Forget every change since the savepoint."""
        while self._undo:
            key, was_changed, row = self._undo.pop()
            if was_changed:
                self.changed[key] = row
            else:
                self.changed.pop(key, None)
