"""Hindsight: what a metric showed at a moment that is past.

Of a period the minutes and the orders tell it exactly, by the formulas of today. Of how things stood, the hours keep some
numbers as they were when each ended; of the others nothing is kept. What became of orders since counts as it does in the
twin of a period: a rate of last week is of that week's orders, as they are now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from stockwire.core.projections.chosen import Standing, rows_of
from stockwire.core.projections.journeys import Journey
from stockwire.core.projections.metrics import Value, pace_period, per_minute
from stockwire.core.projections.periods import Period, Span, periods
from stockwire.core.projections.sales import sums_of
from stockwire.core.rows import HourRow, MinuteSales
from stockwire.core.values import HOUR, amount_text

PACE: Final = "orders_per_minute"
OF_JOURNEYS: Final = frozenset(
    {"order_cycle_time", "order_cycle_time_p90", "on_time_ship_rate", "fill_rate", "cancellation_rate", "return_rate"}
)
"""The metrics that need to know the orders' ways."""
_BY_HOUR: Final = frozenset(
    {
        "orders_open", "orders_late", "orders_at_risk", "out_of_stock_count", "oversold_count", "low_stock_count",
        "inventory_value",
    }
)  # fmt: skip


def is_kept(metric: str, period: str) -> bool:
    """Whether it can be told what the metric showed."""
    return period != "now" or metric in _BY_HOUR


def period_of(metric: str, period: str, clock: int, timezone: str) -> Period:
    """The metric's period when the clock showed `clock`."""
    by_name = {each.name: each for each in periods(clock, timezone)}
    return pace_period(by_name["today"]) if metric == PACE else by_name[period]


def alone(metric: str, period: str, clock: int, timezone: str) -> Period:
    """The same without a twin."""
    span = period_of(metric, period, clock, timezone).span
    return Period(period, span, Span(span.start, span.start))


def needs_beginning(metric: str) -> bool:
    """Whether the metric hangs on all that happened before its period too."""
    return metric == "sell_through"


def of_period(
    metric: str, standing: Standing, asked: Period, between: Sequence[MinuteSales], journeys: Sequence[Journey] | None
) -> Value:
    """What the metric of a period showed. `between` and `journeys` as in a chosen period."""
    if metric == PACE:
        return per_minute(sums_of(between[-1]).orders_placed)
    rows = (row for row in rows_of(standing, asked, between, journeys) if row.metric == metric)
    return next((row.value for row in rows), None)


def by_hour(metric: str, hours: Iterable[HourRow], clock: int) -> Value:
    """How things stood when the last hour ended before `clock`."""
    ended = (row for row in hours if row.start + HOUR <= clock)
    row = max(ended, key=lambda row: row.start, default=None)
    figure: int | None = None if row is None else getattr(row, metric)
    return amount_text(figure) if figure is not None and metric == "inventory_value" else figure
