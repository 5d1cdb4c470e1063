"""Tallies: counts over all rows, kept by adding what a row now counts for and taking away what it counted for before.

A tally knows nothing of why a row changed, so it is right whatever the projections do, and a batch's own tally is
a copy that follows the batch's drafts, undone changes included.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TypeVar

from stockwire.core.rows import InventoryRow, OrderRow

K = TypeVar("K")


def _bump(counts: dict[K, int], key: K, by: int) -> None:
    value = counts.get(key, 0) + by
    if value:
        counts[key] = value
    else:
        counts.pop(key, None)


class StockTally:
    """How many inventory rows there are of each stock status, and what the stock on hand cost, by currency.

    A unit cost without a currency is in the shop's, here None. Units: all that is `on_hand`, all that is `available` of
    what is tracked, and what of that left lately, by how many days the rows have been known (`leaving`).
    """

    def __init__(self, rows: Iterable[InventoryRow] = ()) -> None:
        self.rows = 0
        self.by_status: dict[str, int] = {}
        self.priced: dict[str | None, int] = {}
        self.value: dict[str | None, int] = {}
        self.on_hand = 0
        self.available = 0
        self.leaving: dict[int, int] = {}
        for row in rows:
            self.change(None, row)

    def copy(self) -> StockTally:
        twin = StockTally()
        twin.rows = self.rows
        twin.by_status = dict(self.by_status)
        twin.priced = dict(self.priced)
        twin.value = dict(self.value)
        twin.on_hand = self.on_hand
        twin.available = self.available
        twin.leaving = dict(self.leaving)
        return twin

    def change(self, before: InventoryRow | None, after: InventoryRow | None) -> None:
        """Count `after` in the place of `before`; None: there was or is no such row."""
        if before is not None and after is not None and before.tracked and after.tracked:
            self._follow(before, after)
            return
        if before is not None:
            self._count(before, -1)
        if after is not None:
            self._count(after, 1)

    def _follow(self, before: InventoryRow, after: InventoryRow) -> None:
        """As counting the one out and the other in; most changes of a row touch little of this."""
        was, now = before.stock_status, after.stock_status
        if was != now:
            _bump(self.by_status, was, -1)
            _bump(self.by_status, now, 1)
        if before.unit_cost is not None or after.unit_cost is not None:
            self._price(before, -1)
            self._price(after, 1)
        self.on_hand += after.on_hand - before.on_hand
        self.available += max(0, after.available) - max(0, before.available)
        if before.sold_units != after.sold_units or before.sold_days != after.sold_days:
            _bump(self.leaving, before.sold_days, -before.sold_units)
            _bump(self.leaving, after.sold_days, after.sold_units)

    def _price(self, row: InventoryRow, by: int) -> None:
        if row.unit_cost is not None:
            _bump(self.priced, row.currency, by)
            _bump(self.value, row.currency, by * row.on_hand * row.unit_cost)

    def _count(self, row: InventoryRow, by: int) -> None:
        self.rows += by
        available = row.available
        _bump(self.by_status, row.status_at(available), by)
        self._price(row, by)
        self.on_hand += by * row.on_hand
        if row.tracked:
            self.available += by * max(0, available)
            if row.sold:
                _bump(self.leaving, row.sold_days, by * row.sold_units)

    @property
    def daily_demand(self) -> Fraction:
        """How many units (thousandths) leave with orders on an average day."""
        return sum((Fraction(units, days) for days, units in self.leaving.items()), Fraction())

    @property
    def tracked(self) -> int:
        return self.rows - self.by_status.get("untracked", 0)

    def value_in(self, currency: str) -> int | None:
        """The amount that the stock on hand cost in the shop's currency; None when no cost in it is known."""
        if not self.priced.get(None) and not self.priced.get(currency):
            return None
        return self.value.get(None, 0) + self.value.get(currency, 0)

    def priced_otherwise(self, currency: str) -> int:
        """How many rows have their cost in another currency than the shop's."""
        return sum(count for key, count in self.priced.items() if key is not None and key != currency)


class OrderTally:
    """How many orders are open: by status, on hold, late and at risk. Closed ones count for nothing."""

    def __init__(self, rows: Iterable[OrderRow] = ()) -> None:
        self.open = 0
        self.on_hold = 0
        self.by_status: dict[str, int] = {}
        self.by_lateness: dict[str, int] = {}
        for row in rows:
            self.change(None, row)

    def copy(self) -> OrderTally:
        twin = OrderTally()
        twin.open = self.open
        twin.on_hold = self.on_hold
        twin.by_status = dict(self.by_status)
        twin.by_lateness = dict(self.by_lateness)
        return twin

    def change(self, before: OrderRow | None, after: OrderRow | None) -> None:
        """Count `after` in the place of `before`; None: there was or is no such row."""
        if before is not None and before.closed_at is None:
            self._count(before, -1)
        if after is not None and after.closed_at is None:
            self._count(after, 1)

    def _count(self, row: OrderRow, by: int) -> None:
        self.open += by
        self.on_hold += by if row.hold is not None else 0
        _bump(self.by_status, row.status, by)
        _bump(self.by_lateness, row.lateness, by)

    @property
    def late(self) -> int:
        return self.by_lateness.get("late", 0)

    @property
    def at_risk(self) -> int:
        return self.by_lateness.get("at_risk", 0)
