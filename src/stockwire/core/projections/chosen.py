"""A chosen period: the metrics of any span of time, by the formulas of the fixed periods.

Nothing is kept for it. The log adds up its minutes between the bounds of the period and of its twin, from its very
beginning, so that the stock at either's end is known too; and it gives the journeys of the orders that moved since. What
no source ever told stays without data, as it is for today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Final, NamedTuple

from stockwire.core.projections.journeys import Heard, Journey, fates_of, shipping_of
from stockwire.core.projections.metrics import (
    Moment,
    PeriodJourneys,
    PeriodSales,
    PeriodStock,
    StockHeard,
    heard_by,
    journey_rows,
    sales_rows,
    stock_rows,
)
from stockwire.core.projections.periods import Period
from stockwire.core.projections.sales import Sums, plus, sums_of
from stockwire.core.projections.tallies import OrderTally, StockTally
from stockwire.core.rows import Key, MetricRow, MinuteSales

BEGINNING: Final = 0
"""The moment before which nothing happens."""


class Standing(NamedTuple):
    """The shop as its feed shows it: the version, its clock and its currency, and the metric rows of today."""

    version: int
    clock: int
    currency: str
    metrics: Mapping[Key, MetricRow]

    def tells(self, metric: str) -> bool:
        """Whether a source ever told what the metric needs."""
        row = self.metrics.get((metric, "today"))
        return row is not None and row.state == "ok"

    @property
    def heard(self) -> Heard:
        """What was told of orders."""
        return heard_by(self.tells)

    @property
    def stock_heard(self) -> StockHeard:
        """What was told of the stock."""
        return StockHeard(leaving=self.tells("sell_through"), counts=self.tells("inventory_accuracy"))

    def at(self, clock: int) -> Moment:
        """The shop when its clock showed `clock`, for the metrics of a period: how it stood then is none of them."""
        return Moment(
            version=self.version,
            clock=clock,
            currency=self.currency,
            has_orders=self.tells("orders_placed"),
            orders=OrderTally(),
            stock=StockTally(),
            oldest_awaited=None,
            newest_heard=None,
        )


def bounds(period: Period) -> tuple[int, ...]:
    """Between which moments the log is to add up: `rows_of` takes the four sums."""
    return (BEGINNING, *period.twin, *period.span)


def rows_of(
    standing: Standing, period: Period, between: Sequence[MinuteSales], journeys: Sequence[Journey] | None
) -> Iterator[MetricRow]:
    """The metrics of the period. `between` are the sums between its bounds, `journeys` those of the orders that moved since its
    twin began; None: too many to be told, so the metrics that need them have no data."""
    before, twin, gap, mine = map(sums_of, between)
    now = standing.at(standing.clock)
    yield from sales_rows(now, PeriodSales(period, mine, twin))
    yield from _journey_rows(now, standing, period, journeys)
    closing, closing_twin = _on_hand(before, twin, gap, mine), _on_hand(before, twin)
    yield from stock_rows(now, standing.stock_heard, PeriodStock(period, mine, twin, closing, closing_twin))


def _journey_rows(
    now: Moment, standing: Standing, period: Period, journeys: Sequence[Journey] | None
) -> Iterator[MetricRow]:
    heard = Heard() if journeys is None else standing.heard
    told = journeys or ()
    shipping = shipping_of(told, period.span), shipping_of(told, period.twin)
    fates = fates_of(told, period.span), fates_of(told, period.twin)
    return journey_rows(now, heard, PeriodJourneys(period, *shipping, *fates))


def _on_hand(*changes: Sums) -> int:
    return reduce(plus, changes).on_hand_change
