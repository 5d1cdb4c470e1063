"""Tables of rows, and drafts over them.

A `Table` is what is durable and known; a `Draft` is a batch's changes on top of it that may still be thrown away,
whole or back to a savepoint. Rule: a table only ever changes by `commit`, after the draft's changes are on disk.
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
    """Changes over a table. `changed` maps each touched key to its new row, or None when it was deleted.

    `watch` hears of every change of a row, undone ones included: what it was and what it is. A row that is kept on
    disk only counts as None there.
    """

    def __init__(self, table: Table[K, V], watch: Callable[[V | None, V | None], None] | None = None) -> None:
        self._table = table
        self._watch = watch
        self._undo: list[tuple[K, bool, V | None]] = []
        self.changed: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        if key in self.changed:
            return self.changed[key]
        return self._table.get(key)

    def put(self, key: K, row: V) -> None:
        self._set(key, row)

    def delete(self, key: K) -> None:
        self._set(key, None)

    def _set(self, key: K, row: V | None) -> None:
        drafted = key in self.changed
        before = self.changed[key] if drafted else self._table.rows.get(key)
        self._undo.append((key, drafted, before))
        self.changed[key] = row
        if self._watch is not None:
            self._watch(before, row)

    def touched(self) -> Iterator[tuple[V | None, V | None]]:
        """Each row that changed since the savepoint, as it was then and as it is."""
        if len(self._undo) == 1:
            ((key, _, before),) = self._undo
            yield before, self.changed[key]
            return
        first: dict[K, V | None] = {}
        for key, _, before in self._undo:
            first.setdefault(key, before)
        for key, before in first.items():
            yield before, self.changed[key]

    def savepoint(self) -> None:
        """From here on `rollback` returns to this state."""
        self._undo.clear()

    def rollback(self) -> None:
        """Forget every change since the savepoint."""
        while self._undo:
            key, drafted, before = self._undo.pop()
            undone = self.changed[key]
            if drafted:
                self.changed[key] = before
            else:
                del self.changed[key]
            if self._watch is not None:
                self._watch(undone, before)


def rows_of(draft: Draft[K, V], table: Table[K, V]) -> Iterator[V]:
    """Every row that a table has in memory, with a draft's changes of it."""
    changed = draft.changed
    yield from (row for key, row in table.rows.items() if key not in changed)
    yield from [row for row in changed.values() if row is not None]
