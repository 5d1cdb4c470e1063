"""Sales: what events add to the sums of the minute they happened in, and sums over any span of the last 60 days.

What an order adds is never thought up apart from the order: it is what the order amounts to after the event less
what it amounted to before, so adding up every change of an order always gives the order. Kept in UTC minutes
and hours only; where a day begins is the reader's question (periods.py), so another time zone needs nothing rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import add, attrgetter, sub
from typing import Final, NamedTuple

from stockwire.core.events import OrderCredited
from stockwire.core.lifecycle import SOLD
from stockwire.core.rows import MinuteSales, OrderRow
from stockwire.core.values import DAY, HOUR, MINUTE, amount_of_money

KEPT: Final = 61 * DAY
"""How much of the past is kept in memory: two 30-day periods, the second less than a day old at its start, and a
change of the clocks."""


class Sums(NamedTuple):
    """Sums over some span: counts, quantities (units, `on_hand_change`) and amounts in the shop's currency."""

    orders_placed: int = 0
    units_sold: int = 0
    gross_sales: int = 0
    discounts: int = 0
    returns: int = 0
    shipping: int = 0
    tax: int = 0
    other_currency_orders: int = 0
    units_fulfilled: int = 0
    on_hand_change: int = 0
    counts: int = 0
    counts_exact: int = 0

    @property
    def net_sales(self) -> int:
        return self.gross_sales - self.discounts - self.returns

    @property
    def total_sales(self) -> int:
        return self.net_sales + self.shipping + self.tax


NONE: Final = Sums()
_figures: Final = attrgetter(*Sums._fields)


def plus(one: Sums, other: Sums) -> Sums:
    return Sums(*map(add, one, other))


def minus(one: Sums, other: Sums) -> Sums:
    return Sums(*map(sub, one, other))


def sums_of(row: MinuteSales) -> Sums:
    return Sums(*_figures(row))


def minute_row(minute: int, sums: Sums) -> MinuteSales:
    return MinuteSales(minute=minute, **sums._asdict())


# What an event adds


def is_sold(order: OrderRow) -> bool:
    """True once the order counts as placed: it is known in full and was ever more than a draft."""
    if not order.currency:
        return False
    for status, _ in order.reached:
        if status in SOLD:
            return True
    return False


def worth(order: OrderRow, currency: str) -> Sums:
    """What an order adds to the sales sums, all its changes together: nothing while it is a draft.

    Returns has the value of the units that were cancelled before they left. Money counts only in the shop's `currency`.
    """
    if not is_sold(order):
        return NONE
    units = gross = cancelled = discount = tax = 0
    for line in order.lines:
        units += line.ordered
        gross += line.ordered * line.unit_price
        cancelled += line.cancelled * line.unit_price
        discount += line.discount
        tax += line.tax
    if order.currency != currency:
        return Sums(1, units, other_currency_orders=1)
    return Sums(
        1,
        units,
        gross,
        amount_of_money(order.discount + discount),
        cancelled,
        amount_of_money(order.shipping),
        amount_of_money(order.tax + tax),
    )


def order_sales(before: OrderRow | None, after: OrderRow, currency: str) -> Sums:
    """What an event that turned `before` into `after` adds to the sums of its minute."""
    now = worth(after, currency)
    return now if before is None else minus(now, worth(before, currency))


def credit_sales(data: OrderCredited, currency: str) -> Sums:
    """What a credit note adds: its value to the returns, unless it only writes off a bad debt."""
    if data.reason == "bad_debt" or data.currency != currency:
        return NONE
    return Sums(returns=sum(line.quantity * line.unit_price for line in data.lines))


# Sums over spans


class SalesBook:
    """The sales sums of the last 61 days, by minute and hour. `load` fetches a minute that is older than that.

    A question asked again, or asked again a little later, is answered from what was added up before; `commit` keeps
    those answers right. They are the only thing that asking changes.
    """

    def __init__(
        self, minutes: Iterable[MinuteSales], clock: int, load: Callable[[int], MinuteSales | None] | None
    ) -> None:
        self._load = load
        self._from = clock - KEPT
        self._minutes: dict[int, Sums] = {}
        self._hours: dict[int, Sums] = {}
        self._answers: dict[str, tuple[int, int, Sums]] = {}
        for row in minutes:
            if row.minute >= self._from:
                self._add(row.minute, sums_of(row))

    def at(self, minute: int) -> Sums:
        """The sums of one minute, however old."""
        if minute >= self._from or self._load is None:
            return self._minutes.get(minute, NONE)
        row = self._load(minute)
        return NONE if row is None else sums_of(row)

    def between(self, question: str, start: int, end: int) -> Sums:
        """The sums of the whole minutes from `start` to before `end`, both within the last 60 days.

        `question` names what is asked over and over as the clock goes on.
        """
        begun, until, sums = self._answers.get(question, (start, start, NONE))
        if begun != start or not until <= end <= until + DAY:
            until, sums = start, NONE
        if until != end:
            sums = plus(sums, self._added_up(until, end))
        self._answers[question] = (start, end, sums)
        return sums

    def _added_up(self, start: int, end: int) -> Sums:
        total = NONE
        at = start
        while at < end:
            if at % HOUR == 0 and at + HOUR <= end:
                part, at = self._hours.get(at), at + HOUR
            else:
                part, at = self._minutes.get(at), at + MINUTE
            if part is not None:
                total = plus(total, part)
        return total

    def commit(self, changed: Mapping[int, MinuteSales | None], clock: int) -> None:
        """Take over a batch's minutes, and let go of what is too old."""
        for minute, row in changed.items():
            if row is None or minute < self._from:
                continue
            by = minus(sums_of(row), self._minutes.get(minute, NONE))
            self._add(minute, by)
            for question, (start, end, sums) in self._answers.items():
                if start <= minute < end:
                    self._answers[question] = (start, end, plus(sums, by))
        if clock - KEPT >= self._from + DAY:
            self._forget(clock - KEPT)

    def _add(self, minute: int, by: Sums) -> None:
        self._minutes[minute] = plus(self._minutes.get(minute, NONE), by)
        hour = minute - minute % HOUR
        self._hours[hour] = plus(self._hours.get(hour, NONE), by)

    def _forget(self, before: int) -> None:
        before -= before % HOUR
        self._from = before
        for hour in [hour for hour in self._hours if hour < before]:
            del self._hours[hour]
            for minute in range(hour, hour + HOUR, MINUTE):
                self._minutes.pop(minute, None)
        self._answers.clear()
