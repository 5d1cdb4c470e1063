"""The small stir of a web shop: people put things into a basket, which reserves them for a while, and most go away
again.

It is what moves on the screen between orders. Like the shop it is a simulation with a seed, but not a reproducible
history: it exists only while the demo runs, and what a killed demo left in baskets is put back at the next start
(`left_behind`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, Final

from stockwire.core.rows import InventoryRow
from stockwire.core.values import QUANTITY_SCALE, SECOND, moment_text
from stockwire.demo import SOURCE
from stockwire.demo.catalogue import WAREHOUSE
from stockwire.demo.shop import Envelope, Shop

PER_SECOND: Final = 0.45
LONGEST_GAP: Final = 60 * SECOND
"""After a longer pause (the machine slept) nobody looked meanwhile."""


class Baskets:
    """People looking at the shop's goods from `start` (a moment) on."""

    def __init__(self, shop: Shop, start: int, chance: Random) -> None:
        self._shop = shop
        self._begun = start
        self._at = start
        self._chance = chance
        self._filled = 0
        self._open: list[tuple[int, int, str, int]] = []

    def advance(self, to: int) -> Iterator[Envelope]:
        """The events after the last call up to the moment `to`, in order of time."""
        if to - self._at > LONGEST_GAP:
            self._at = to
        while True:
            next_at = self._at + int(self._chance.expovariate(PER_SECOND) * SECOND) + 1
            yield from self._let_go(min(next_at, to))
            if next_at > to:
                break
            self._at = next_at
            yield from self._fill(next_at)
        self._at = max(self._at, to)

    def _fill(self, at: int) -> Iterator[Envelope]:
        product = self._chance.choices(self._shop.products, [each.demand for each in self._shop.products])[0]
        quantity = self._chance.choice((1, 1, 1, 2))
        if self._shop.stock[product.sku, WAREHOUSE].available < quantity + 2:
            return
        self._filled += 1
        heapq.heappush(self._open, (at + self._chance.randint(8, 150) * SECOND, self._filled, product.sku, quantity))
        yield self._event(at, "stock.reserved", f"{self._filled}/filled", product.sku, quantity)

    def _let_go(self, to: int) -> Iterator[Envelope]:
        while self._open and self._open[0][0] <= to:
            at, number, sku, quantity = heapq.heappop(self._open)
            yield self._event(at, "stock.reservation_expired", f"{number}/left", sku, quantity)

    def _event(self, at: int, type_: str, id_: str, sku: str, quantity: int) -> Envelope:
        data: dict[str, Any] = {"sku": sku, "location": WAREHOUSE, "quantity": quantity}
        return _envelope(at, type_, f"basket/{self._begun}/{id_}", data)


def left_behind(rows: Iterable[InventoryRow], at: int) -> Iterator[Envelope]:
    """The events that put back what an earlier run left in baskets."""
    for row in rows:
        if row.reserved > 0:
            data = {"sku": row.sku, "location": row.location, "quantity": row.reserved // QUANTITY_SCALE}
            yield _envelope(at, "stock.reservation_expired", f"basket/{at}/{row.sku}/{row.location}", data)


def _envelope(at: int, type_: str, id_: str, data: dict[str, Any]) -> Envelope:
    return {"source": SOURCE, "id": id_, "type": type_, "time": moment_text(at - at % SECOND), "data": data}
