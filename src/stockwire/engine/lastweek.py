"""Last week: what metrics showed at the same time a week ago, for the rules that compare with it.

The log is asked, in a thread, and what it said is kept as long as it holds: of a day a minute, of longer periods a quarter of
an hour. Use it in the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from stockwire.core.changes import Changes
from stockwire.core.projections import hindsight
from stockwire.core.projections.chosen import Standing, bounds
from stockwire.core.projections.journeys import Journey
from stockwire.core.projections.metrics import Value
from stockwire.core.projections.periods import week_before
from stockwire.core.rows import HourRow, Key, MetricRow, MinuteSales
from stockwire.core.values import MINUTE
from stockwire.log.base import Loaded

ORDERS_MOST: Final = 20_000
"""Orders that are looked at for one answer at most; of more, nothing is said."""
_HOLDS: Final = {"today": MINUTE, "now": MINUTE}
_HOLDS_LONG: Final = 15 * MINUTE


class Told(Protocol):
    """What the log tells of any span of time, from any thread."""

    def sales(self, boundaries: Sequence[int]) -> Sequence[MinuteSales]: ...

    def journeys(self, since: int, limit: int) -> Mapping[Key, Journey] | None: ...


class _Question(NamedTuple):
    """A metric of a period, when the shop's clock showed `clock`."""

    metric: str
    period: str
    clock: int


class LastWeek:
    """What metrics showed a week ago, by the clocks of `timezone`."""

    def __init__(self, log: Told, loaded: Loaded, timezone: str, currency: str) -> None:
        self._log = log
        self._timezone = timezone
        self._currency = currency
        self._hours: dict[int, HourRow] = dict(loaded.hours)
        self._answers: dict[Key, tuple[int, Value]] = {}

    def hear(self, changes: Changes) -> None:
        """Take note of a commit."""
        for start, hour in changes.hours.items():
            if hour is None:
                self._hours.pop(start, None)
            else:
                self._hours[start] = hour

    async def look_up(self, rows: Iterable[MetricRow], metrics: Mapping[Key, MetricRow]) -> None:
        """Have an answer for each of these metrics, as of the moment it is of. `metrics` are all there are now."""
        asked = [question for row in rows if self._answers.get(row.key, (-1,))[0] != (question := self._of(row)).clock]
        if not asked:
            return
        standing = Standing(0, 0, self._currency, dict(metrics))
        hours = list(self._hours.values())
        found = await asyncio.to_thread(lambda: [self._answer(each, standing, hours) for each in asked])
        for question, value in zip(asked, found, strict=True):
            self._answers[(question.metric, question.period)] = (question.clock, value)

    def showed(self, row: MetricRow) -> Value:
        """What the metric showed at the same time last week; None when that is not known, or was not looked up."""
        clock, value = self._answers.get(row.key, (-1, None))
        return value if clock == self._of(row).clock else None

    def _of(self, row: MetricRow) -> _Question:
        holds = _HOLDS.get(row.period, _HOLDS_LONG)
        then = week_before(row.as_of, self._timezone)
        return _Question(row.metric, row.period, then - then % holds)

    def _answer(self, asked: _Question, standing: Standing, hours: Sequence[HourRow]) -> Value:
        if asked.period == "now":
            return hindsight.by_hour(asked.metric, hours, asked.clock)
        period = hindsight.alone(asked.metric, asked.period, asked.clock, self._timezone)
        edges = bounds(period)
        if hindsight.needs_beginning(asked.metric):
            between = list(self._log.sales(edges))
        else:
            between = [MinuteSales(minute=0), *self._log.sales(edges[1:])]
        journeys: Mapping[Key, Journey] | None = {}
        if asked.metric in hindsight.OF_JOURNEYS:
            journeys = self._log.journeys(period.span.start, ORDERS_MOST)
        told = None if journeys is None else list(journeys.values())
        return hindsight.of_period(asked.metric, standing, period, between, told)
