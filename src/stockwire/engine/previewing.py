"""Previewing: how often a rule would have fired in the last week, by the same evaluation that the fold makes.

Stock rows are wound back by their movements to how they stood when the week began, and played forward again; orders are played
by their timelines. What neither tells is not guessed: reorder points are taken as they are now, an order that was late and has
gone on since is not seen, and of metrics and silences nothing of the past is kept. `complete` says whether all is told. Both the
time looked at and what is read of it are bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple, Protocol

import msgspec

from stockwire.core.events import INTERNAL_SOURCE, ClockTicked, Event, Record
from stockwire.core.feed import Entry
from stockwire.core.noticeboard import Board, Notices, Shop
from stockwire.core.projections.inventory import QUANTITIES
from stockwire.core.rows import (
    InventoryRow,
    Movement,
    NotificationRow,
    OrderRow,
    RuleRow,
    TimelineEntry,
)
from stockwire.core.values import DAY

WEEK: Final = 7 * DAY
MOVEMENTS_MOST: Final = 50_000
STEPS_MOST: Final = 5_000
"""Movements and steps of orders that are played at most; of more, the newest."""
EXAMPLES: Final = 5
_STOCK: Final = frozenset({"out_of_stock", "low_stock", "oversold", "back_in_stock", "large_movement"})
_ORDERS: Final = frozenset({"order_status", "large_order"})

replace = msgspec.structs.replace


class History(Protocol):
    """What the log tells of what happened."""

    def moved_since(self, moment: int, limit: int) -> list[Movement]: ...
    def stepped_since(self, moment: int, limit: int) -> list[TimelineEntry]: ...
    def order(self, order_id: str) -> OrderRow | None: ...


class Fired(NamedTuple):
    """How often a rule would have fired since a moment, by day (oldest first), and the newest few."""

    fired: int
    since: int
    complete: bool
    per_day: list[tuple[str, int]]
    examples: list[NotificationRow]


class Present(NamedTuple):
    """How the shop stands: the entries of its stock and orders, which nobody changes meanwhile."""

    stock: Sequence[Entry]
    orders: Sequence[Entry]


def preview(rule: RuleRow, log: History, present: Present, clock: int, day_of: Callable[[int], date]) -> Fired:
    """What the rule would have fired for in the week before `clock`. `day_of` gives the shop's day of a moment."""
    stage = _Stage(rule, clock - WEEK, clock)
    complete = True
    if rule.kind in _STOCK:
        moved = log.moved_since(clock - WEEK, MOVEMENTS_MOST)
        complete = len(moved) < MOVEMENTS_MOST
        stage.play_stock([entry.row for entry in present.stock], moved)
    elif rule.kind in _ORDERS:
        steps = log.stepped_since(clock - WEEK, STEPS_MOST)
        complete = len(steps) < STEPS_MOST
        stage.play_orders(steps, log.order)
    else:
        complete = False
        if rule.kind == "order_stuck":
            stage.play_late([entry.row for entry in present.orders])
    days = Counter(day_of(row.fired_at or 0).isoformat() for row in stage.fired)
    told = [day_of(clock - at).isoformat() for at in range(WEEK, -1, -DAY)]
    per_day = [(day, days[day]) for day in dict.fromkeys(told)]
    return Fired(len(stage.fired), clock - WEEK, complete, per_day, stage.fired[: -EXAMPLES - 1 : -1])


class _Stage:
    """One rule, alone on a board of its own, for which the week is played."""

    def __init__(self, rule: RuleRow, start: int, end: int) -> None:
        self._notices = Notices(Board([replace(rule, enabled=True)]))
        self._rule = replace(rule, enabled=True)
        self._clock = start
        self._end = end
        self._version = 1
        self._watched = rule.scope.watched

    @property
    def fired(self) -> list[NotificationRow]:
        """The notifications as they were each time they fired, but for what was so from the start."""
        return [row for told, row in self._notices.occasions if told.happened == "fired" and told.version > 2]

    def _at(self, moment: int) -> Record:
        """Time comes to that moment."""
        self._version += 1
        since, self._clock = self._clock, max(self._clock, min(moment, self._end))
        event = Event(INTERNAL_SOURCE, "", ClockTicked.type, self._clock, ClockTicked(), b"{}")
        record = Record(self._version, self._clock, event)
        self._notices.pass_time(record, since, self._clock)
        self._notices.begin(record, self._clock)
        return record

    def play_stock(self, rows: Sequence[InventoryRow], moved: Sequence[Movement]) -> None:
        """Wind the rows back by what moved, and play that."""
        now = {row.key: row for row in rows}
        stood = dict(now)
        for movement in moved:
            row = stood.get((movement.sku, movement.location))
            if row is not None:
                stood[row.key] = _moved(row, movement, -1)
        first = self._clock
        begun = {key for key, row in now.items() if row.since >= first}
        self._at(first)
        self._notices.meet(self._rule, Shop((row for key, row in stood.items() if key not in begun), (), "", 0))
        names = now.get
        for movement in moved:
            key = (movement.sku, movement.location)
            row = stood.get(key)
            if row is None:
                continue
            self._at(movement.occurred_at)
            stood[key] = _moved(row, movement, 1)
            self._notices.stock([(None if key in begun else row, stood[key])])
            begun.discard(key)
            self._notices.moved(movement, names)
        self._at(self._end)

    def play_orders(self, steps: Iterable[TimelineEntry], order: Callable[[str], OrderRow | None]) -> None:
        """Play what orders came to."""
        known: dict[str, OrderRow | None] = {}
        self._at(self._clock)
        for step in steps:
            if step.to_status is None or step.to_status == step.from_status:
                continue
            if step.order_id not in known:
                known[step.order_id] = order(step.order_id)
            row = known[step.order_id]
            if row is not None:
                self._at(step.occurred_at)
                self._show(row, step)
        self._at(self._end)

    def _show(self, row: OrderRow, step: TimelineEntry) -> None:
        after = replace(row, status=step.to_status, lateness="on_track")
        before = None if step.from_status is None else replace(after, status=step.from_status)
        self._notices.order(before, after, row.currency)

    def play_late(self, orders: Iterable[OrderRow]) -> None:
        """Play when the orders that are late now came to be."""
        self._at(self._clock)
        for at, row in sorted(self._lateness(orders), key=lambda each: (each[0], each[1].order_id)):
            self._at(at)
            self._notices.lateness(None, row, row.currency)
        self._at(self._end)

    def _lateness(self, orders: Iterable[OrderRow]) -> Iterator[tuple[int, OrderRow]]:
        for row in orders:
            for at, lateness in ((row.at_risk_at, "at_risk"), (row.due_at, "late")):
                if row.closed_at is None and at is not None and self._clock < at <= self._end:
                    yield at, replace(row, lateness=lateness)


def _moved(row: InventoryRow, movement: Movement, way: int) -> InventoryRow:
    return replace(row, **{name: getattr(row, name) + way * getattr(movement, name) for name in QUANTITIES})
