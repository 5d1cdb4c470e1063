"""Measured: what a metric showed from minute to minute in a span of the past, beside what a rule compares it with.

Of a period it is worked out by the formulas of the present from the minutes and the orders of then. Of how things stood, the
hours keep some numbers, and of the others nothing is kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Final, NamedTuple, Protocol

from stockwire.core.projections import hindsight, metrics
from stockwire.core.projections.chosen import Standing
from stockwire.core.projections.journeys import Journey, JourneyBook
from stockwire.core.projections.metrics import PeriodJourneys, PeriodSales, PeriodStock, Value
from stockwire.core.projections.periods import Period, periods, week_before
from stockwire.core.projections.sales import NONE, Sums, minus, plus, sums_of
from stockwire.core.rows import HourRow, Key, MetricRow, MinuteSales, RuleRow
from stockwire.core.values import HOUR, MINUTE

_STOCK: Final = frozenset({"sell_through", "inventory_accuracy"})


class Reading(NamedTuple):
    """What a metric showed at a moment, what it is compared with, and how many orders its period had."""

    at: int
    value: Value
    previous: Value
    orders: int


class Told(Protocol):
    """What the log tells of its minutes."""

    def minutes(self, since: int) -> list[MinuteSales]: ...


class Ways(NamedTuple):
    """The orders' ways: as they were at the start, and what of them changed when."""

    journeys: Mapping[Key, Journey]
    changes: Sequence[tuple[int, Key, Journey | None]]


NO_WAYS: Final = Ways({}, ())


class _Minutes:
    """Sums between any two moments, by what had added up at each minute."""

    def __init__(self, rows: Iterable[MinuteSales]) -> None:
        told = list(rows)
        self._at = [row.minute for row in told]
        self._sums = list(accumulate((sums_of(row) for row in told), plus, initial=NONE))

    def place(self, moment: int) -> int:
        return bisect_left(self._at, moment)

    def between(self, start: int, end: int) -> Sums:
        return minus(self._sums[self.place(end)], self._sums[self.place(start)])

    def since(self, moment: int) -> Sums:
        return minus(self._sums[-1], self._sums[self.place(moment)])


class _Figures:
    """One metric of one period, at any minute."""

    def __init__(self, rule: RuleRow, standing: Standing, minutes: _Minutes, timezone: str, on_hand: int) -> None:
        self._metric, self._period = rule.metric or "", rule.period or ""
        self._standing = standing
        self._minutes = minutes
        self._timezone = timezone
        self._on_hand = on_hand

    def period(self, clock: int) -> Period:
        return hindsight.period_of(self._metric, self._period, clock, self._timezone)

    def sums(self, period: Period) -> PeriodSales:
        return PeriodSales(period, self._minutes.between(*period.span), self._minutes.between(*period.twin))

    def row(self, period: Period, book: JourneyBook, question: str) -> MetricRow | None:
        """The metric's row; `question` tells the windows over the journeys apart."""
        found = self._rows(self.sums(period), book, question)
        return next((row for row in found if row.metric == self._metric), None)

    def _rows(self, sales: PeriodSales, book: JourneyBook, question: str) -> Iterator[MetricRow]:
        now = self._standing.at(sales.period.span.end)
        if self._metric == hindsight.PACE:
            yield metrics.pace_row(now, sales)
        elif self._metric in hindsight.OF_JOURNEYS:
            period, twin = sales.period, question + " before"
            ways = PeriodJourneys(
                period, book.shipping(question, period.span), book.shipping(twin, period.twin),
                book.fates(question, period.span), book.fates(twin, period.twin),
            )  # fmt: skip
            yield from metrics.journey_rows(now, self._standing.heard, ways)
        elif self._metric in _STOCK:
            ends = (self._on_hand - self._minutes.since(span.end).on_hand_change for span in sales.period[1:])
            yield from metrics.stock_rows(now, self._standing.stock_heard, PeriodStock(*sales, *ends))
        else:
            yield from metrics.sales_rows(now, sales)


def begins(rule: RuleRow, start: int, timezone: str) -> int:
    """The first moment that counts for what the rule's metric showed, or was compared with, at `start`."""
    then = week_before(start, timezone) if rule.baseline == "week_before" else start
    return min(period.twin.start for period in periods(then, timezone) if period.name in (rule.period, "today"))


def by_minute(
    rule: RuleRow, log: Told, ways: Ways, standing: Standing, timezone: str, on_hand: int, start: int
) -> Iterator[Reading]:
    """The metric of a period at `start`, and at each minute up to the standing's clock at which it can have changed."""
    minutes = _Minutes(log.minutes(begins(rule, start, timezone)))
    figures = _Figures(rule, standing, minutes, timezone, on_hand)
    book = JourneyBook(ways.journeys, start)
    changes = list(reversed(ways.changes))
    moments = sorted(_moments_of(ways))

    def spans(at: int) -> list[Period]:
        clocks = (at, week_before(at, timezone)) if rule.baseline == "week_before" else (at,)
        return [figures.period(clock) for clock in clocks]

    def edges(at: int) -> list[int]:
        """Equal for two moments between which nothing can have changed: no edge of a period passed anything."""
        found = [edge for period in spans(at) for span in period[1:] for edge in span]
        return [*(place for edge in found for place in (minutes.place(edge), bisect_left(moments, edge))),
                bisect_left(moments, at + MINUTE)]  # fmt: skip

    first, last = start - start % MINUTE, standing.clock - standing.clock % MINUTE
    for at in (first, *_turning(first, last, edges(first), edges(last), edges)):
        changed: dict[Key, Journey | None] = {}
        while changes and changes[-1][0] < at + MINUTE:
            _, key, journey = changes.pop()
            changed[key] = journey
        book.commit(changed, at)
        periods_now = spans(at)
        rows = [figures.row(period, book, str(number)) for number, period in enumerate(periods_now)]
        if rows[0] is not None:
            other = rows[-1].value if len(rows) > 1 and rows[-1] is not None else rows[0].previous
            yield Reading(at, rows[0].value, other, figures.sums(periods_now[0]).sums.orders_placed)


def _moments_of(ways: Ways) -> Iterator[int]:
    """When anything of the orders' ways happened."""
    told = chain(ways.journeys.values(), (journey for _, _, journey in ways.changes))
    for journey in told:
        if journey is not None:
            yield journey.placed_at
            if journey.ended_at is not None:
                yield journey.ended_at
    yield from (at for at, _, _ in ways.changes)


def _turning(
    low: int, high: int, at_low: list[int], at_high: list[int], edges: Callable[[int], list[int]]
) -> Iterator[int]:
    """The minutes after `low`, up to `high`, at which something passed an edge: found by halving, as edges only move on."""
    if at_low == at_high:
        return
    if high - low <= MINUTE:
        yield high
        return
    middle = low + (high - low) // MINUTE // 2 * MINUTE
    at_middle = edges(middle)
    yield from _turning(low, middle, at_low, at_middle, edges)
    yield from _turning(middle, high, at_middle, at_high, edges)


def by_hour(rule: RuleRow, hours: Sequence[HourRow], timezone: str, start: int) -> Iterator[Reading]:
    """How things stood at the end of each hour, for what the hours keep."""
    metric = rule.metric or ""
    for hour in sorted(hours, key=lambda row: row.start):
        at = hour.start + HOUR
        if at > start:
            previous = hindsight.by_hour(metric, hours, week_before(at, timezone)) if rule.baseline else None
            yield Reading(at, hindsight.by_hour(metric, (hour,), at), previous, 0)
