"""A shop's log kept in memory: tests tell it what happened and look at the rows that come of it.

Times are "10:05" (on 2 March 2026, a Monday), "3 10:05" (on the 3rd) or in full. Quantities are whole units.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from stockwire.core.changes import Changes
from stockwire.core.events import Event, Record, ShopConfigured, parse_event
from stockwire.core.fold import Fold
from stockwire.core.fold_state import FoldState
from stockwire.core.projections.inventory import QUANTITIES
from stockwire.core.projections.journeys import journey_of
from stockwire.core.rows import (
    InventoryRow,
    Key,
    LineState,
    MetricRow,
    MinuteSales,
    Movement,
    OrderRow,
    TimelineEntry,
    Told,
)
from stockwire.core.values import QUANTITY_SCALE, moment

ALLOWED = {"placed": 60, "confirmed": 60, "allocated": 60, "picking": 60, "packed": 60, "shipped": 600}


def at(text: str) -> int:
    """The moment that a test's short time names."""
    return moment(at_text(text))


def at_text(text: str) -> str:
    if len(text) > 10:
        return text
    day, _, clock = text.rpartition(" ")
    return f"2026-03-{int(day or 2):02}T{clock}:00Z"


def event(type_: str, time: str, id_: str = "1", source: str = "till", **data: Any) -> Event:
    """An event as its source sends it; a trailing underscore in a field's name is dropped (`from_`)."""
    data = {name.rstrip("_"): value for name, value in data.items()}
    internal = source == "stockwire"
    envelope = {"id": id_, "source": source, "type": type_, "time": at_text(time), "data": data}
    return parse_event(json.loads(json.dumps(envelope), parse_float=Decimal), internal=internal)


class Ledger:
    """All that was ever told, folded into rows, as a log adapter would keep it."""

    def __init__(
        self,
        *,
        timezone: str = "UTC",
        currency: str = "GBP",
        allowed_minutes: Mapping[str, int] = ALLOWED,
    ) -> None:
        self.version = 0
        self.closed: dict[Key, OrderRow] = {}
        self.minutes: dict[int, MinuteSales] = {}
        self.movements: list[Movement] = []
        self.timelines: list[TimelineEntry] = []
        self.parked: list[str] = []
        self.occasions: list[Told] = []
        self.evicted: dict[Key, int] = {}
        config = ShopConfigured(timezone=timezone, currency=currency, allowed_minutes=dict(allowed_minutes))
        self.state = FoldState(self, config=config, load_order=self.closed.get, load_minute=self.minutes.get)

    def restart(self) -> None:
        """Begin anew from what a log would have kept."""
        old = self.state
        recent = [row for key, row in self.closed.items() if key not in self.evicted]
        self.state = FoldState(
            self,
            version=old.version,
            clock=old.clock,
            config=old.config,
            inventory=old.inventory,
            products=old.products,
            locations=old.locations.rows,
            orders=[*old.orders, *recent],
            metrics=old.metrics,
            minutes=self.minutes.values(),
            hours=old.hours,
            sources=old.sources,
            rules=old.board.rules,
            notifications=old.board.notifications,
            people=old.board.people,
            conditions=old.board.conditions,
            journeys={key: journey for key, row in self.closed.items() if (journey := journey_of(row)) is not None},
            load_order=self.closed.get,
            load_minute=self.minutes.get,
        )

    def deltas_after(self, sku: str, location: str, moment: int) -> dict[str, int]:
        return {
            name: sum(
                getattr(movement, name)
                for movement in self.movements
                if (movement.sku, movement.location) == (sku, location) and movement.occurred_at > moment
            )
            for name in QUANTITIES
        }

    def tell(self, type_: str, time: str, source: str = "till", **data: Any) -> Changes:
        """One event in a batch of its own."""
        return self.write([event(type_, time, str(self.version + 1), source, **data)])

    def write(self, events: Sequence[Event]) -> Changes:
        """One batch of events."""
        records = [
            Record(self.version + step, 10**15 + self.version + step, each) for step, each in enumerate(events, 1)
        ]
        changes = Fold(self.state).apply(records)
        self.version += len(events)
        self._store(changes)
        self.state.commit(changes)
        return changes

    def _store(self, changes: Changes) -> None:
        for key, row in changes.orders.items():
            assert row is not None
            self.evicted.pop(key, None)
            if row.closed_at is not None:
                self.closed[key] = row
            else:
                self.closed.pop(key, None)
        self.evicted.update(changes.evicted)
        self.minutes.update({minute: row for minute, row in changes.minutes.items() if row is not None})
        self.movements += changes.movements
        self.timelines += changes.timeline
        self.occasions += changes.occasions
        self.parked += [parked.error for parked in changes.parked]

    # What a test looks at

    def stock(self, sku: str = "MUG", location: str = "main") -> InventoryRow:
        return self.state.inventory.rows[(sku, location)]

    def levels(self, sku: str = "MUG", location: str = "main") -> dict[str, int | float]:
        """The quantities of a row that are not zero, in units, with `available`."""
        row = self.stock(sku, location)
        told = {name: getattr(row, name) for name in (*QUANTITIES, "available")}
        return {name: units(value) for name, value in told.items() if value}

    def order(self, order_id: str = "1001") -> OrderRow:
        row = self.state.orders.get((order_id,))
        assert row is not None
        return row

    def line(self, line: str = "1", order_id: str = "1001") -> LineState:
        return next(each for each in self.order(order_id).lines if each.line == line)

    def counts(self, line: str = "1", order_id: str = "1001") -> dict[str, int | float]:
        """How far the units of a line have come, where that is not zero."""
        names = "ordered allocated picked packed shipped delivered cancelled returned refunded committed".split()
        state = self.line(line, order_id)
        return {name: units(getattr(state, name)) for name in names if getattr(state, name)}

    def timeline(self, order_id: str = "1001") -> list[TimelineEntry]:
        return [entry for entry in self.timelines if entry.order_id == order_id]

    def metric(self, metric: str, period: str = "now") -> MetricRow:
        return self.state.metrics.rows[(metric, period)]

    def values(self, period: str, metrics: Iterable[str]) -> dict[str, Any]:
        return {metric: self.metric(metric, period).value for metric in metrics}

    def all_orders(self) -> dict[Key, OrderRow]:
        return self.closed | self.state.orders.rows


def units(quantity: int) -> int | float:
    return quantity // QUANTITY_SCALE if quantity % QUANTITY_SCALE == 0 else quantity / QUANTITY_SCALE


def line(sku: str, quantity: int | float, price: str = "0", **more: Any) -> dict[str, Any]:
    """An order line as it is sent."""
    return {"sku": sku, "quantity": quantity, "unit_price": price, **more}
