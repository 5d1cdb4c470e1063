"""Subjects: what a rule can be met by, a stock row or an order, as notifications name it; and all that meets one now.

`met_now` is the only place that looks through all rows. It is asked when a rule is defined; from then on the noticeboard
follows the rows that change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from stockwire.core.projections.notifications import About
from stockwire.core.rows import InventoryRow, OrderRow, RuleRow
from stockwire.core.rulebook import STOCK_CONDITIONS, fits, is_stuck, level, limits, own_level
from stockwire.core.rules import FACTS
from stockwire.core.values import money_text, quantity_json


class Shop(NamedTuple):
    """What a rule is held against when it is defined: all stock and all open orders, as they are now."""

    inventory: Iterable[InventoryRow]
    orders: Iterable[OrderRow]
    currency: str
    differences: int


def met_now(rule: RuleRow, shop: Shop, before: set[str], watched: Mapping[str, int]) -> Iterator[About]:
    """What a rule is met by as the shop stands; between its levels, what it was met by `before` (subjects).

    `watched`: how many people watch each order.
    """
    if not rule.enabled or rule.kind in FACTS:
        return
    if rule.kind in STOCK_CONDITIONS:
        limit = limits(rule)
        assert limit is not None
        for row in shop.inventory:
            if rule.scope.sku not in (None, row.sku) or rule.scope.location not in (None, row.location):
                continue
            value = own_level(row, level(row)) if limit.own else level(row)
            if value <= limit.met or (value <= limit.over and f"stock/{row.sku}/{row.location}" in before):
                yield about_stock(rule, row)
    elif rule.kind == "order_stuck":
        for order in shop.orders:
            if is_stuck(rule, order) and fits(rule, order, watched.get(order.order_id, 0) > 0, shop.currency):
                yield about_order(order, order.lateness, None)
    elif rule.kind == "drift" and shop.differences:
        yield About("log", value=str(shop.differences), threshold="0")


def about_stock(rule: RuleRow, row: InventoryRow) -> About:
    """A stock row as the subject of a condition: how much is available, and the level that the rule looks for."""
    limit = limits(rule)
    own = row.reorder_point or 0 if limit is not None and limit.own else 0
    against = None if limit is None else str(quantity_json(limit.met + own))
    return of_stock(row, str(quantity_json(row.available)), "0" if rule.kind == "oversold" else against)


def of_stock(row: InventoryRow, value: str, threshold: str | None) -> About:
    """A stock row as a subject, with the figure seen and what it was held against."""
    return About(f"stock/{row.sku}/{row.location}", row.name, value, threshold, sku=row.sku, location=row.location)


def about_order(order: OrderRow, value: str, threshold: str | None) -> About:
    """An order as a subject."""
    return About(f"order/{order.order_id}", order.number, value, threshold, location=order.location,
                 order_id=order.order_id)  # fmt: skip


def number(value: int | None) -> str | None:
    """A rule's own number as notifications show it."""
    return None if value is None else money_text(value)
