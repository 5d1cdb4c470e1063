"""What folding builds on: the rows as they are, and what is counted and summed over them as they change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

import msgspec
from sortedcontainers import SortedList

from stockwire.core import lifecycle
from stockwire.core.board import Board
from stockwire.core.changes import Changes
from stockwire.core.events import ShopConfigured
from stockwire.core.projections.inventory import History
from stockwire.core.projections.journeys import Heard, Journey, JourneyBook, heard_of, journey_of
from stockwire.core.projections.metrics import StockHeard, Verification, heard_by
from stockwire.core.projections.orders import next_deadline
from stockwire.core.projections.sales import SalesBook
from stockwire.core.projections.tallies import OrderTally, StockTally
from stockwire.core.rows import (
    Condition,
    HourRow,
    InventoryRow,
    Key,
    MetricRow,
    MinuteSales,
    NotificationRow,
    OrderRow,
    PersonRow,
    ProductRow,
    RuleRow,
    SourceRow,
)
from stockwire.core.tables import Table
from stockwire.core.values import moment

UNCONFIGURED: Final = ShopConfigured(timezone="UTC", currency="XXX", allowed_minutes={})
"""A shop of which nothing is known: UTC, and ISO 4217's code for no currency, so that no money is summed."""


class FoldState:
    """All rows that folding needs, in memory, and the counts and sums kept over them.

    Give it what the log has loaded. `orders` are the open ones and the most recently closed, which are remembered
    only as far as the feed shows them; any other closed order comes by `load_order`, and a minute's sales from more
    than 61 days before the clock by `load_minute`. `journeys` are those of the orders that moved in the last 61 days;
    those of `orders` may be left out. Hold it in one thread.
    """

    def __init__(
        self,
        history: History,
        *,
        version: int = 0,
        clock: int = 0,
        config: ShopConfigured | None = None,
        inventory: Iterable[InventoryRow] = (),
        products: Iterable[ProductRow] = (),
        locations: Mapping[str, str] | None = None,
        orders: Iterable[OrderRow] = (),
        metrics: Iterable[MetricRow] = (),
        minutes: Iterable[MinuteSales] = (),
        hours: Iterable[HourRow] = (),
        sources: Iterable[SourceRow] = (),
        rules: Iterable[RuleRow] = (),
        notifications: Iterable[NotificationRow] = (),
        people: Iterable[PersonRow] = (),
        conditions: Iterable[Condition] = (),
        journeys: Mapping[Key, Journey] | None = None,
        load_order: Callable[[Key], OrderRow | None] | None = None,
        load_minute: Callable[[int], MinuteSales | None] | None = None,
    ) -> None:
        self.history = history
        self.version = version
        self.clock = clock
        self.config = config if config is not None else UNCONFIGURED
        self.inventory: Table[Key, InventoryRow] = Table({row.key: row for row in inventory})
        self.products: Table[str, ProductRow] = Table({row.sku: row for row in products})
        self.locations: Table[str, str] = Table(dict(locations or {}))
        self.metrics: Table[Key, MetricRow] = Table({row.key: row for row in metrics})
        self.hours: Table[int, HourRow] = Table({row.start: row for row in hours})
        self.sources: Table[Key, SourceRow] = Table({row.key: row for row in sources})
        self.board = Board(rules, notifications, people, conditions)
        self.sales = SalesBook(minutes, clock, load_minute)
        given = list(orders)
        still_open = {row.key: row for row in given if row.closed_at is None}
        self.orders: Table[Key, OrderRow] = Table(still_open, load_order)
        self.has_orders = bool(given) or self._had_orders()
        told = {row.key: journey for row in given if (journey := journey_of(row)) is not None}
        self.journeys = JourneyBook({**(journeys or {}), **told}, clock)
        self.heard = self._heard(given)
        self.stock_heard = self._stock_heard()
        self._index(given)

    def _had_orders(self) -> bool:
        return self._shows("orders_open", "now")

    def _shows(self, metric: str, period: str) -> bool:
        row = self.metrics.get((metric, period))
        return row is not None and row.state == "ok"

    def _heard(self, orders: Iterable[OrderRow]) -> Heard:
        """What was told of orders so far: the metrics that show data say so."""
        heard = heard_by(lambda metric: self._shows(metric, "today"))
        for order in orders:
            heard = heard_of(order, heard)
        return heard

    def _stock_heard(self) -> StockHeard:
        return StockHeard(self._shows("days_of_cover", "now"), self._shows("inventory_accuracy", "today"))

    @property
    def verified(self) -> Verification | None:
        """The last verification, as the metrics tell it."""
        at, drift = self.metrics.get(("last_verified_at", "now")), self.metrics.get(("drift", "now"))
        if at is None or drift is None or at.value is None:
            return None
        return Verification(moment(cast(str, at.value)), cast(int, drift.value))

    def _index(self, orders: Iterable[OrderRow]) -> None:
        """Build what is kept over the rows."""
        self.stock_tally = StockTally(self.inventory)
        self.order_tally = OrderTally(self.orders)
        self.places: dict[str, tuple[str, ...]] = {}
        self.selling = {row.key for row in self.inventory if row.sold}
        for row in self.inventory:
            self._place(row)
        self.deadlines: SortedList[tuple[int, Key]] = SortedList(
            (at, row.key) for row in self.orders if (at := next_deadline(row)) is not None
        )
        self.awaited: SortedList[tuple[int, Key]] = SortedList(
            (row.placed_at, row.key) for row in self.orders if row.status in lifecycle.AWAITED
        )
        self.closed = {row.key: row.closed_at for row in orders if row.closed_at is not None}
        self.closed_order: SortedList[tuple[int, Key]] = SortedList(
            (closed_at, key) for key, closed_at in self.closed.items()
        )

    def _place(self, row: InventoryRow) -> None:
        self.places[row.sku] = (*self.places.get(row.sku, ()), row.location)

    def commit(self, changes: Changes) -> None:
        """Take over a batch's changes, now that they are durable."""
        for key, row in changes.inventory.items():
            before = self.inventory.rows.get(key)
            self.stock_tally.change(before, row)
            if before is None and row is not None:
                self._place(row)
            if row is not None and row.sold:
                self.selling.add(key)
            else:
                self.selling.discard(key)
        self.inventory.commit(changes.inventory)
        for key, order in changes.orders.items():
            self._commit_order(key, self.orders.rows.get(key), order)
        for key in changes.evicted:
            self._forget_closed(key)
        self.products.commit(changes.products)
        self.locations.commit(changes.locations)
        self.metrics.commit(changes.metrics)
        self.heard = self._heard(())
        self.stock_heard = self._stock_heard()
        self.hours.commit(changes.hours)
        self.sources.commit(changes.sources)
        self.board.commit(changes.rules, changes.notifications, changes.people, changes.conditions)
        self.sales.commit(changes.minutes, changes.clock)
        self.has_orders = self.has_orders or bool(changes.orders)
        self.journeys.commit(journeys_of(changes.orders), changes.clock)
        self.version = changes.version
        self.clock = changes.clock
        if changes.config is not None:
            self.config = msgspec.json.decode(changes.config, type=ShopConfigured)

    def _commit_order(self, key: Key, before: OrderRow | None, after: OrderRow | None) -> None:
        self.order_tally.change(before, after)
        if before is not None:
            if (at := next_deadline(before)) is not None:
                self.deadlines.discard((at, key))
            self.awaited.discard((before.placed_at, key))
        self._forget_closed(key)
        if after is None or after.closed_at is not None:
            self.orders.rows.pop(key, None)
            if after is not None:
                closed_at = cast(int, after.closed_at)
                self.closed[key] = closed_at
                self.closed_order.add((closed_at, key))
            return
        self.orders.rows[key] = after
        if (at := next_deadline(after)) is not None:
            self.deadlines.add((at, key))
        if after.status in lifecycle.AWAITED:
            self.awaited.add((after.placed_at, key))

    def _forget_closed(self, key: Key) -> None:
        closed_at = self.closed.pop(key, None)
        if closed_at is not None:
            self.closed_order.discard((closed_at, key))


def journeys_of(orders: Mapping[Key, OrderRow | None]) -> dict[Key, Journey | None]:
    return {key: None if row is None else journey_of(row) for key, row in orders.items()}
