"""The rulebook: the rules in force, found by what a change may meet.

Stock rules stand by the place they look at and by level, so that a row whose `available` moved is held against those alone
whose level it crossed, of however many there are. The others stand by what they need: a status, a location, a kind.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from stockwire.core.rows import InventoryRow, OrderRow, RuleKind, RuleRow

BEYOND: Final = 2**63
"""The level of stock that nobody counts, or that is not there: above every other."""
_THOUSANDTH: Final = 10
"""Thresholds are in ten-thousandths, quantities in thousandths."""

Place = tuple[str | None, str | None]


class Levels:
    """Rules by level: which of them a value crosses."""

    def __init__(self, rules: Iterable[tuple[int, RuleRow]] = ()) -> None:
        found = sorted(rules, key=lambda each: (each[0], each[1].rule_id))
        self._levels = [level for level, _ in found]
        self._rules = [rule for _, rule in found]

    def fallen(self, before: int, after: int) -> list[RuleRow]:
        """Those whose level the value was above, and is not any more."""
        return self._rules[bisect_left(self._levels, after) : bisect_left(self._levels, before)]

    def risen(self, before: int, after: int) -> list[RuleRow]:
        """Those whose level the value was not above, and is."""
        return self._rules[bisect_left(self._levels, before) : bisect_left(self._levels, after)]

    def reached(self, value: int) -> list[RuleRow]:
        """Those whose level is at most that."""
        return self._rules[: bisect_left(self._levels, value + 1)]


class Limits(NamedTuple):
    """The levels of a stock condition: met at or below `met`, over above `over`. `own`: beside the reorder point."""

    met: int
    over: int
    own: bool


def limits(rule: RuleRow) -> Limits | None:
    """The levels of a stock condition; None when the rule is none."""
    margin = (rule.clear or 0) // _THOUSANDTH
    threshold = None if rule.threshold is None else rule.threshold // _THOUSANDTH
    match rule.kind:
        case "out_of_stock":
            met = threshold or 0
        case "low_stock":
            met = threshold or 0
        case "oversold":
            met = -threshold if threshold else -1
        case _:
            return None
    return Limits(met, met + margin, rule.kind == "low_stock" and threshold is None)


def level(row: InventoryRow | None) -> int:
    """How much is available, to be held against a level."""
    return row.available if row is not None and row.tracked else BEYOND


def own_level(row: InventoryRow | None, level: int) -> int:
    """How much is available beyond the row's own reorder point, `level` being its level."""
    return BEYOND if level == BEYOND or row is None or row.reorder_point is None else level - row.reorder_point


class Shelf(NamedTuple):
    """The stock rules of one place: which are met by falling, over by rising, and facts that rising makes; the first two
    once more beside the reorder point. Above `highest` and `own_highest` nothing is met or over."""

    met: Levels
    over: Levels
    facts: Levels
    own_met: Levels
    own_over: Levels
    highest: int
    own_highest: int


def _shelf(rules: list[RuleRow]) -> Shelf:
    found = [(limit, rule) for rule in rules if (limit := limits(rule)) is not None]
    returned = [(rule.threshold or 0) // _THOUSANDTH for rule in rules if rule.kind == "back_in_stock"]
    return Shelf(
        Levels((limit.met, rule) for limit, rule in found if not limit.own),
        Levels((limit.over, rule) for limit, rule in found if not limit.own),
        Levels(((rule.threshold or 0) // _THOUSANDTH, rule) for rule in rules if rule.kind == "back_in_stock"),
        Levels((limit.met, rule) for limit, rule in found if limit.own),
        Levels((limit.over, rule) for limit, rule in found if limit.own),
        max([limit.over for limit, _ in found if not limit.own] + returned, default=-BEYOND),
        max([limit.over for limit, _ in found if limit.own], default=-BEYOND),
    )


_EVERYWHERE: Final = {(False, False)}


class RuleBook:
    """The rules that are enabled."""

    def __init__(self, rules: Iterable[RuleRow]) -> None:
        stock: dict[Place, list[RuleRow]] = {}
        moved: dict[Place, list[tuple[int, RuleRow]]] = {}
        self._by_status: dict[str | None, list[RuleRow]] = {}
        self._stuck: dict[str | None, list[RuleRow]] = {}
        large: dict[str | None, list[tuple[int, RuleRow]]] = {}
        self.drift: list[RuleRow] = []
        for rule in rules:
            scope = rule.scope
            if not rule.enabled:
                continue
            if rule.kind in ("out_of_stock", "low_stock", "oversold", "back_in_stock"):
                stock.setdefault((scope.sku, scope.location), []).append(rule)
            elif rule.kind == "large_movement" and rule.threshold is not None:
                moved.setdefault((scope.sku, scope.location), []).append((rule.threshold // _THOUSANDTH, rule))
            elif rule.kind == "order_status":
                for status in scope.statuses or (None,):
                    self._by_status.setdefault(status, []).append(rule)
            elif rule.kind == "order_stuck":
                self._stuck.setdefault(scope.location, []).append(rule)
            elif rule.kind == "large_order" and rule.threshold is not None:
                large.setdefault(scope.location, []).append((rule.threshold, rule))
            elif rule.kind == "drift":
                self.drift.append(rule)
        self._stock: dict[Place, Shelf] = {place: _shelf(found) for place, found in stock.items()}
        self._moved = {place: Levels(found) for place, found in moved.items()}
        self._large = {location: Levels(found) for location, found in large.items()}
        self._everywhere = self._stock.get((None, None))
        self._forms = {(sku is not None, location is not None) for sku, location in (*stock, *moved)}

    def _places(self, sku: str, location: str) -> Iterator[Place]:
        for by_sku, by_location in self._forms:
            yield sku if by_sku else None, location if by_location else None

    def shelves(self, sku: str, location: str) -> list[Shelf]:
        """The stock rules that look at that row."""
        if self._forms == _EVERYWHERE:
            return [] if self._everywhere is None else [self._everywhere]
        return [self._stock[place] for place in self._places(sku, location) if place in self._stock]

    @property
    def looks_at_stock(self) -> bool:
        return bool(self._stock)

    @property
    def looks_at_movements(self) -> bool:
        return bool(self._moved)

    def moved(self, sku: str, location: str, quantity: int) -> Iterator[RuleRow]:
        """The rules for which so much that moved is large."""
        for place in self._places(sku, location):
            if place in self._moved:
                yield from self._moved[place].reached(quantity)

    def came_to(self, status: str) -> Iterator[RuleRow]:
        """The rules that look at orders coming to that status."""
        for each in (status, None):
            yield from self._by_status.get(each, ())

    def stuck(self, location: str) -> Iterator[RuleRow]:
        """The rules that look at how long orders of that location take."""
        for each in (location, None):
            yield from self._stuck.get(each, ())

    def large(self, location: str, total: int) -> Iterator[RuleRow]:
        """The rules for which an order of that total (money) is large."""
        for each in (location, None):
            if each in self._large:
                yield from self._large[each].reached(total)


def fits(rule: RuleRow, order: OrderRow, watched: bool, currency: str) -> bool:
    """Whether an order lies within the rule's scope."""
    scope = rule.scope
    return (
        (scope.location is None or scope.location == order.location)
        and (scope.source is None or scope.source == order.source)
        and (scope.channel is None or scope.channel == order.channel)
        and (not scope.watched or watched)
        and (not scope.statuses or order.status in scope.statuses)
        and (scope.sku is None or any(line.sku == scope.sku for line in order.lines))
        and (rule.kind != "large_order" or (scope.currency or currency) == order.currency)
    )


def is_stuck(rule: RuleRow, order: OrderRow) -> bool:
    """Whether an order has used up as much of its time as the rule says."""
    late = order.lateness == "late" or (order.lateness == "at_risk" and rule.threshold == _AT_RISK)
    return late and order.closed_at is None


_AT_RISK: Final = 80 * 10_000
STOCK_CONDITIONS: Final[frozenset[RuleKind]] = frozenset({"out_of_stock", "low_stock", "oversold"})
