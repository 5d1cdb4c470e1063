"""Metrics: the key numbers, each with its twin from the period before, and the hours that charts are drawn from.

They are worked out once per batch, from tallies and sums that are kept as rows change, never by looking through
rows. A number that no source has ever sent the input of is `no_data`, not zero; a number that has no meaning just
now (an average of no orders) is None and `ok`. Averages and percentages are rounded half up, away from zero, to two
decimals; all else is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from stockwire.core.lifecycle import COMMITTING
from stockwire.core.projections.journeys import STAGES, Fates, Heard, Shipping, nearest_rank
from stockwire.core.projections.periods import Period, Span
from stockwire.core.projections.sales import Sums
from stockwire.core.projections.tallies import OrderTally, StockTally
from stockwire.core.rows import HourRow, MetricRow
from stockwire.core.values import (
    AMOUNT_SCALE,
    DAY,
    HOUR,
    MINUTE,
    QUANTITY_SCALE,
    SECOND,
    amount_text,
    moment_text,
    quantity_json,
)

Value = str | int | float | None
Unit = Literal["money", "count", "units", "percent", "days", "hours", "minutes", "seconds", "moment"]

PACE_MINUTES: Final = 5
"""Orders per minute is the average of the last five minutes."""

HOURS_KEPT: Final = 62 * DAY
"""How far back the hours feed goes."""

PACE_OF_SHIPPING: Final = 7 * DAY
"""How long the shop's clock looks back for how fast orders ship."""

_CENT: Final = AMOUNT_SCALE // 100


class Gauges(NamedTuple):
    """How things stand: what an hour's row keeps of its end. None: no source ever said anything about it."""

    orders_open: int | None
    orders_late: int | None
    orders_at_risk: int | None
    out_of_stock_count: int | None
    oversold_count: int | None
    low_stock_count: int | None
    inventory_value: int | None


class Moment(NamedTuple):
    """What the rows of a batch are worked out from: the shop as it stands when its clock shows `clock`.

    `oldest_awaited` is when the oldest order was placed that somebody waits for; `newest_heard` the newest time any
    source gave. `has_orders`: an order was ever heard of.
    """

    version: int
    clock: int
    currency: str
    has_orders: bool
    orders: OrderTally
    stock: StockTally
    oldest_awaited: int | None
    newest_heard: int | None


class Verification(NamedTuple):
    """The last time that the log was folded again: when, by the server's clock, and how many stored rows differed."""

    at: int
    differences: int


def heard_by(tells: Callable[[str], bool]) -> Heard:
    """What was told of orders so far, by whether metrics show data."""
    return Heard(
        shipping=tells("order_cycle_time"), promises=tells("on_time_ship_rate"), progress=tells("cancellation_rate"),
        returns=tells("return_rate"),
    )  # fmt: skip


class StockHeard(NamedTuple):
    """What sources have told of the stock so far: that goods left with orders, and a count of what was on record."""

    leaving: bool = False
    counts: bool = False


class PeriodStock(NamedTuple):
    """A period with the sums of it and of its twin, and how many units were on hand when either ended."""

    period: Period
    sums: Sums
    twin: Sums
    closing: int
    closing_twin: int


class PeriodSales(NamedTuple):
    """A period with the sums of it and of its twin."""

    period: Period
    sums: Sums
    twin: Sums


class PeriodJourneys(NamedTuple):
    """A period with the orders whose shipping ended in it and those placed in it, and the same of its twin."""

    period: Period
    shipping: Shipping
    shipping_twin: Shipping
    fates: Fates
    fates_twin: Fates


def rounded(numerator: int, denominator: int) -> int:
    """The quotient rounded to a whole number, half away from zero. `denominator` > 0."""
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def gauges(orders: OrderTally, stock: StockTally, has_orders: bool, currency: str) -> Gauges:
    """How things stand by the tallies."""
    status = stock.by_status
    return Gauges(
        orders.open if has_orders else None,
        orders.late if has_orders else None,
        orders.at_risk if has_orders else None,
        status.get("out_of_stock", 0) if stock.rows else None,
        status.get("oversold", 0) if stock.rows else None,
        status.get("low", 0) if stock.rows else None,
        stock.value_in(currency),
    )


def hour_row(version: int, start: int, sums: Sums, how: Gauges | None, before: HourRow | None) -> HourRow:
    """An hour with `sums` added, and how things stand at its end; without `how`, as before."""
    old = before if before is not None else HourRow(version=version, start=start)
    if how is None:
        how = Gauges(*(getattr(old, name) for name in Gauges._fields))
    return HourRow(
        version=version,
        start=start,
        orders_placed=old.orders_placed + sums.orders_placed,
        units_sold=old.units_sold + sums.units_sold,
        gross_sales=old.gross_sales + sums.gross_sales,
        discounts=old.discounts + sums.discounts,
        returns=old.returns + sums.returns,
        shipping=old.shipping + sums.shipping,
        tax=old.tax + sums.tax,
        orders_open=how.orders_open,
        orders_late=how.orders_late,
        orders_at_risk=how.orders_at_risk,
        out_of_stock_count=how.out_of_stock_count,
        oversold_count=how.oversold_count,
        low_stock_count=how.low_stock_count,
        inventory_value=how.inventory_value,
    )


# Sales


def sales_rows(now: Moment, sales: PeriodSales) -> Iterator[MetricRow]:
    """The sales metrics of one period."""
    mine, twin = sales.sums, sales.twin
    yield _money(now, sales, "gross_sales", mine.gross_sales, twin.gross_sales)
    yield _money(now, sales, "net_sales", mine.net_sales, twin.net_sales)
    yield _money(now, sales, "total_sales", mine.total_sales, twin.total_sales)
    yield _sales(now, sales, "orders_placed", "count", mine.orders_placed, twin.orders_placed)
    units = quantity_json(mine.units_sold), quantity_json(twin.units_sold)
    yield _sales(now, sales, "units_sold", "units", *units)
    yield _money(now, sales, "average_order_value", average_order(mine), average_order(twin))


def pace_row(now: Moment, sales: PeriodSales) -> MetricRow:
    """`orders_per_minute`: `sales` holds the last minutes and the same ones of the day before."""
    values = (per_minute(sums.orders_placed) for sums in (sales.sums, sales.twin))
    return _sales(now, sales, "orders_per_minute", "count", *values)


def pace_period(today: Period) -> Period:
    """The last five minutes, and the same ones of yesterday."""
    long = PACE_MINUTES * MINUTE
    return Period(
        "today",
        Span(today.span.end - long, today.span.end),
        Span(today.twin.end - long, today.twin.end),
    )


def average_order(sums: Sums) -> int | None:
    """What an order came to on average after discounts, in whole hundredths as an amount; None without orders."""
    orders = sums.orders_placed - sums.other_currency_orders
    if orders <= 0:
        return None
    return rounded(sums.gross_sales - sums.discounts, orders * _CENT) * _CENT


def per_minute(orders: int) -> int | float:
    """The pace of so many orders in the last minutes."""
    return quantity_json(orders * QUANTITY_SCALE // PACE_MINUTES)


def _money(now: Moment, sales: PeriodSales, metric: str, mine: int | None, twin: int | None) -> MetricRow:
    value = None if mine is None else amount_text(mine)
    previous = None if twin is None else amount_text(twin)
    return _sales(now, sales, metric, "money", value, previous)


def _sales(now: Moment, sales: PeriodSales, metric: str, unit: Unit, value: Value, previous: Value) -> MetricRow:
    foreign = sales.sums.other_currency_orders if unit == "money" else 0
    known = now.has_orders
    return MetricRow(
        version=now.version,
        metric=metric,
        period=sales.period.name,
        unit=unit,
        value=value if known else None,
        previous=previous if known else None,
        state="ok" if known else "no_data",
        as_of=now.clock - now.clock % MINUTE,
        since=sales.period.span.start,
        currency=now.currency if unit == "money" else None,
        detail={"other_currency_orders": foreign} if foreign else None,
    )


# How well the shop ships


def journey_rows(now: Moment, heard: Heard, told: PeriodJourneys) -> Iterator[MetricRow]:
    """The metrics of one period that follow from what orders went through."""
    mine, twin = told.shipping, told.shipping_twin
    halves = _quantile(mine, 50), _quantile(twin, 50)
    yield _of_period(now, told, "order_cycle_time", "minutes", *halves, known=heard.shipping, detail=_stages(mine))
    slowest = _quantile(mine, 90), _quantile(twin, 90)
    yield _of_period(now, told, "order_cycle_time_p90", "minutes", *slowest, known=heard.shipping)
    in_time = _percent(mine.in_time, mine.promised), _percent(twin.in_time, twin.promised)
    yield _of_period(now, told, "on_time_ship_rate", "percent", *in_time, known=heard.promises)
    filled = _percent(mine.shipped, mine.ordered), _percent(twin.shipped, twin.ordered)
    yield _of_period(now, told, "fill_rate", "percent", *filled, known=heard.shipping)
    fates, before = told.fates, told.fates_twin
    cancelled = _percent(fates.cancelled, fates.orders), _percent(before.cancelled, before.orders)
    yield _of_period(now, told, "cancellation_rate", "percent", *cancelled, known=heard.progress)
    returned = _percent(fates.returned, fates.shipped), _percent(before.returned, before.shipped)
    yield _of_period(now, told, "return_rate", "percent", *returned, known=heard.returns)


def backlog_row(now: Moment, heard: Heard, lately: Shipping) -> MetricRow:
    """`backlog_hours`: how long the orders in the building last, going out as fast as in the last seven days."""
    waiting = sum(now.orders.by_status.get(status, 0) for status in COMMITTING)
    hours = None
    if lately.orders:
        hundredths = rounded(waiting * PACE_OF_SHIPPING // HOUR * 100, lately.orders)
        hours = quantity_json(hundredths * QUANTITY_SCALE // 100)
    return _now(now, "backlog_hours", "hours", hours, known=heard.shipping)


def _quantile(shipping: Shipping, percent: int) -> int | None:
    duration = nearest_rank(shipping.cycles, percent)
    return None if duration is None else duration // MINUTE


def _stages(shipping: Shipping) -> dict[str, int]:
    """The median of each stage in whole minutes, where any order told it, and how many orders were shipped."""
    medians = zip(STAGES, (nearest_rank(durations, 50) for durations in shipping.stages), strict=True)
    return {"orders": shipping.orders} | {stage: at // MINUTE for stage, at in medians if at is not None}


def _of_period(
    now: Moment,
    told: PeriodJourneys | PeriodStock,
    metric: str,
    unit: Unit,
    value: Value,
    previous: Value,
    *,
    known: bool,
    detail: dict[str, int] | None = None,
) -> MetricRow:
    return MetricRow(
        version=now.version,
        metric=metric,
        period=told.period.name,
        unit=unit,
        value=value if known else None,
        previous=previous if known else None,
        state="ok" if known else "no_data",
        as_of=now.clock - now.clock % MINUTE,
        since=told.period.span.start,
        detail=detail if known else None,
    )


# How well the stock is kept


def stock_rows(now: Moment, heard: StockHeard, told: PeriodStock) -> Iterator[MetricRow]:
    """The metrics of one period that follow from how the stock moved and was counted."""
    mine, twin = told.sums, told.twin
    sold = _sold_through(mine.units_fulfilled, told.closing), _sold_through(twin.units_fulfilled, told.closing_twin)
    yield _of_period(now, told, "sell_through", "percent", *sold, known=heard.leaving)
    right = _percent(mine.counts_exact, mine.counts), _percent(twin.counts_exact, twin.counts)
    counts = {"counts": mine.counts}
    yield _of_period(now, told, "inventory_accuracy", "percent", *right, known=heard.counts, detail=counts)


def _sold_through(sold: int, closing: int) -> int | float | None:
    return _percent(sold, sold + closing) if sold + closing > 0 else None


# How things stand


def standing_rows(now: Moment, heard: StockHeard, verified: Verification | None) -> Iterator[MetricRow]:
    """The metrics of the present moment."""
    yield from _order_rows(now)
    yield from _stock_rows(now)
    yield _now(now, "days_of_cover", "days", _cover(now.stock), known=heard.leaving)
    lag = None if now.newest_heard is None else max(0, now.clock - now.newest_heard) // SECOND
    yield _now(now, "source_lag", "seconds", lag, known=lag is not None)
    drift = None if verified is None else verified.differences
    yield _now(now, "drift", "count", drift, known=verified is not None)
    when = None if verified is None else moment_text(verified.at)
    yield _now(now, "last_verified_at", "moment", when, known=verified is not None)


def _order_rows(now: Moment) -> Iterator[MetricRow]:
    orders, known = now.orders, now.has_orders
    detail = {**dict(sorted(orders.by_status.items())), "on_hold": orders.on_hold}
    yield _now(now, "orders_open", "count", orders.open, known=known, detail=detail)
    yield _now(now, "orders_late", "count", orders.late, known=known)
    yield _now(now, "orders_at_risk", "count", orders.at_risk, known=known)
    oldest = now.oldest_awaited
    age = None if oldest is None else max(0, now.clock - oldest) // MINUTE
    yield _now(now, "oldest_open_age", "minutes", age, known=known)


def _stock_rows(now: Moment) -> Iterator[MetricRow]:
    stock, known = now.stock, now.stock.rows > 0
    oversold = stock.by_status.get("oversold", 0)
    out = stock.by_status.get("out_of_stock", 0)
    yield _now(now, "stockout_rate", "percent", _percent(oversold + out, stock.tracked), known=known)
    yield _now(now, "oversold_count", "count", oversold, known=known)
    yield _now(now, "out_of_stock_count", "count", out, known=known)
    yield _now(now, "low_stock_count", "count", stock.by_status.get("low", 0), known=known)
    amount = stock.value_in(now.currency)
    value = None if amount is None else amount_text(amount)
    foreign = stock.priced_otherwise(now.currency)
    detail = {"other_currency_rows": foreign} if foreign else None
    yield _now(now, "inventory_value", "money", value, known=amount is not None, detail=detail)


def _cover(stock: StockTally) -> int | float | None:
    """How many days all that is available lasts, to a tenth; None when nothing left lately."""
    demand = stock.daily_demand
    if demand <= 0:
        return None
    days = Fraction(stock.available) / demand
    tenths = rounded(days.numerator * 10, days.denominator)
    return quantity_json(tenths * QUANTITY_SCALE // 10)


def _percent(part: int, whole: int) -> int | float | None:
    if whole == 0:
        return None
    hundredths = rounded(part * 10_000, whole)
    return quantity_json(hundredths * QUANTITY_SCALE // 100)


def _now(
    now: Moment, metric: str, unit: Unit, value: Value, *, known: bool, detail: Mapping[str, int] | None = None
) -> MetricRow:
    return MetricRow(
        version=now.version,
        metric=metric,
        period="now",
        unit=unit,
        value=value if known else None,
        previous=None,
        state="ok" if known else "no_data",
        as_of=now.clock - now.clock % MINUTE,
        currency=now.currency if unit == "money" else None,
        detail=dict(detail) if known and detail is not None else None,
    )
