"""The stage: one rule, alone on a board of its own, for which a span of the past is played by the evaluation that the fold makes.

What is so when the span begins counts as having been so for long: it was told before, and its cool-down is over.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from stockwire.core.board import Board
from stockwire.core.events import INTERNAL_SOURCE, ClockTicked, Data, Event, Record, RuleObserved
from stockwire.core.noticeboard import Notices
from stockwire.core.projections.inventory import QUANTITIES
from stockwire.core.projections.orders import lateness_at, next_deadline
from stockwire.core.rows import InventoryRow, Key, Movement, NotificationRow, OrderRow, PersonRow, RuleRow
from stockwire.core.subjects import Shop
from stockwire.core.values import SECOND
from stockwire.engine.retold import Moved
from stockwire.engine.watch import Seen

replace = msgspec.structs.replace


class Stage:
    """The rule's stage from `start` to `end`. `people` say which orders are watched; `currency` is the shop's."""

    def __init__(self, rule: RuleRow, start: int, end: int, people: Iterable[PersonRow], currency: str) -> None:
        self._rule = replace(rule, enabled=True)
        self._notices = Notices(Board([self._rule], people=people))
        self._start = start
        self._clock = start - (rule.for_seconds + rule.cooldown_seconds + 1) * SECOND
        self._end = end
        self._currency = currency
        self._version = 1

    @property
    def fired(self) -> list[NotificationRow]:
        """The notifications as they were each time they fired."""
        return [row for told, row in self._notices.occasions if told.happened == "fired" and told.at > self._start]

    def _at(self, moment: int) -> Record:
        """Time comes to that moment; what happens next happens then."""
        self._version += 1
        since, self._clock = self._clock, max(self._clock, min(moment, self._end))
        event = Event(INTERNAL_SOURCE, "", ClockTicked.type, self._clock, ClockTicked(), b"{}")
        record = Record(self._version, self._clock, event)
        self._notices.pass_time(record, since, self._clock)
        self._notices.begin(record, self._clock)
        return record

    def _begin(self) -> Record:
        """What is so when the span begins is met next."""
        return self._at(self._clock)

    def play_stock(self, rows: Sequence[InventoryRow], moved: Sequence[Movement]) -> None:
        """Wind the rows back by what moved, and play that."""
        now = {row.key: row for row in rows}
        stood = dict(now)
        for movement in moved:
            row = stood.get((movement.sku, movement.location))
            if row is not None:
                stood[row.key] = _moved(row, movement, -1)
        begun = {key for key, row in now.items() if row.since >= self._start}
        self._begin()
        self._meet(stock=[row for key, row in stood.items() if key not in begun])
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

    def play_orders(self, standing: Mapping[Key, OrderRow], moves: Iterable[Moved]) -> None:
        """Play what orders went through and when they came to be late, from how they stood at the start."""
        stood = {key: _as_of(row, self._start) for key, row in standing.items()}
        due = [(at, key) for key, row in stood.items() if (at := next_deadline(row)) is not None]
        heapq.heapify(due)
        self._begin()
        self._meet(orders=stood.values())
        for move in moves:
            self._grow_late(stood, due, move.at)
            self._at(move.at)
            before, after = stood.get(move.after.key), _as_of(move.after, self._clock)
            self._notices.order(before, after, self._currency)
            stood[after.key] = after
            _expect(after, due)
        self._grow_late(stood, due, self._end)
        self._at(self._end)

    def _grow_late(self, stood: dict[Key, OrderRow], due: list[tuple[int, Key]], until: int) -> None:
        while due and due[0][0] <= min(until, self._end):
            at, key = heapq.heappop(due)
            row = stood[key]
            if next_deadline(row) == at and row.closed_at is None:
                self._at(at)
                stood[key] = _as_of(row, at)
                self._notices.lateness(row, stood[key], self._currency)
                _expect(stood[key], due)

    def play_observed(self, seen: Iterable[tuple[int, Seen]]) -> None:
        """Play what turned at which moment."""
        self.play_told(
            (at, RuleObserved(rule_id=self._rule.rule_id, about=about, met=bool(met), value=value, previous=previous))
            for at, (about, met, value, previous) in seen
        )

    def play_told(self, told: Iterable[tuple[int, Data]]) -> None:
        """Play events at their moments; those of before the start make how things stood then."""
        record = self._begin()
        for at, data in told:
            if at > self._start:
                record = self._at(at)
            self._notices.take(replace(record, event=replace(record.event, data=data)), Shop((), (), self._currency, 0))
        self._at(self._end)

    def _meet(self, stock: Iterable[InventoryRow] = (), orders: Iterable[OrderRow] = ()) -> None:
        self._notices.meet(self._rule, Shop(stock, orders, self._currency, 0))


def _as_of(row: OrderRow, moment: int) -> OrderRow:
    return replace(row, lateness=lateness_at(moment, row.at_risk_at, row.due_at))


def _expect(row: OrderRow, due: list[tuple[int, Key]]) -> None:
    at = next_deadline(row)
    if at is not None:
        heapq.heappush(due, (at, row.key))


def _moved(row: InventoryRow, movement: Movement, way: int) -> InventoryRow:
    return replace(row, **{name: getattr(row, name) + way * getattr(movement, name) for name in QUANTITIES})
