"""What one projection tells another: plain values, so that none of them needs to know the others."""

from __future__ import annotations

import msgspec


class StockEffect(msgspec.Struct, frozen=True, gc=False):
    """What a step of an order does to the stock of one SKU at one location: deltas in thousandths of a unit.

    `name` is what the order calls the product, for a row that has no name yet.
    """

    sku: str
    location: str
    on_hand: int
    committed: int
    name: str = ""
    order_id: str | None = None
    document: str | None = None
    reason: str | None = None
