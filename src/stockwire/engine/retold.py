"""Retold: what orders went through in a span of the past, each folded again from its own events.

Orders know nothing of each other, so one is told anew without the rest of the log. What hangs on the settings (how long a
status may take) is as they are now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from stockwire.core.events import Record
from stockwire.core.projections.orders import fold_order
from stockwire.core.rows import Key, OrderRow, TimelineEntry

EVENTS_MOST: Final = 20_000
"""Events that are read for one telling."""


class Told(Protocol):
    """What the log tells of single orders and events."""

    def timeline(self, order_id: str) -> Sequence[TimelineEntry]: ...
    def records(self, after: int = 0, limit: int = 5_000) -> list[Record]: ...


class Moved(NamedTuple):
    """An order before and after something happened to it, at a moment."""

    at: int
    before: OrderRow | None
    after: OrderRow


class Retelling:
    """Orders as `steps` changed them, in the order of the log. `complete` says, once all is told, whether it is all."""

    def __init__(self, log: Told, steps: Iterable[TimelineEntry], allowed_minutes: Mapping[str, int]) -> None:
        self._log = log
        self._steps = list(steps)
        self._allowed = allowed_minutes
        self._left = EVENTS_MOST
        self._waiting: dict[str, list[int]] = {}
        self._rows: dict[str, OrderRow | None] = {}

    @property
    def complete(self) -> bool:
        return self._left > 0

    def before(self) -> dict[Key, OrderRow]:
        """The orders that step as they were before their first step. To be called first."""
        for step in self._steps:
            if step.order_id not in self._rows:
                versions = [entry.version for entry in self._log.timeline(step.order_id)]
                self._waiting[step.order_id] = versions[::-1]
                self._rows[step.order_id] = None
                self._tell(step.order_id, step.version - 1)
        return {row.key: row for row in self._rows.values() if row is not None}

    def moves(self) -> Iterator[Moved]:
        """What each step did."""
        for step in self._steps:
            before = self._rows[step.order_id]
            after = self._tell(step.order_id, step.version)
            if after is not None and after is not before:
                yield Moved(step.occurred_at, before, after)

    def _tell(self, order_id: str, until: int) -> OrderRow | None:
        """The order with all in it that the log has of it up to a version."""
        waiting, row = self._waiting[order_id], self._rows[order_id]
        while waiting and waiting[-1] <= until and self._left > 0:
            self._left -= 1
            (record,) = self._log.records(waiting.pop() - 1, 1)
            row = fold_order(row, record, record.event.time, self._allowed).row
        self._rows[order_id] = row
        return row
