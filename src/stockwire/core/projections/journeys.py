"""Journeys: what the way of one order says about how well the shop ships, and sums of it over any span of 60 days.

A journey follows from the order's row alone, so nothing of it is stored: a start works the journeys out again from the
orders that moved lately. Two things are asked of them. When goods left, how long that took and whether all of them came
in time: by the moment the order's shipping ended. And what became of the orders: by the moment they were placed. Either
moment may lie anywhere, so each has an index, and each question a window that slides over it: an order enters a
window once and leaves it once. Durations are kept each, in order, because a quantile is one of them; nothing is
interpolated. Rejected: histograms, which would round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec
from sortedcontainers import SortedList

from stockwire.core.lifecycle import CALLED_OFF, PATH
from stockwire.core.projections.periods import Span
from stockwire.core.projections.sales import KEPT, is_sold
from stockwire.core.rows import Key, OrderRow
from stockwire.core.values import DAY

_WAY: Final = PATH[PATH.index("placed") : PATH.index("shipped") + 1]
STAGES: Final = tuple(f"{one}_{other}" for one, other in pairwise(_WAY))
"""The steps from placed to shipped, each named by the statuses at its ends."""


class Journey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an order's way says. Moments and durations in microseconds, units in thousandths; None: not told.

    `ended_at` is when its shipping ended: it was shipped, or called off after some of it had left. `cycle` is the time
    from placed to shipped, `stages` those of `STAGES`, empty when none is told. `in_time`: shipped by the moment promised to
    the customer. It is kept for long and of every order, so it is small, and no work for the collector.
    """

    placed_at: int
    ended_at: int | None
    cycle: int | None
    stages: tuple[int | None, ...]
    in_time: bool | None
    was_shipped: bool
    is_cancelled: bool
    ordered: int
    shipped: int
    returned: int

    @property
    def newest(self) -> int:
        return self.placed_at if self.ended_at is None else max(self.placed_at, self.ended_at)


def newest_reached(order: OrderRow) -> int:
    """The newest moment of the order's way: no moment of its journey is after it."""
    return max(order.placed_at, *(at for _, at in order.reached)) if order.reached else order.placed_at


def journey_of(order: OrderRow) -> Journey | None:
    """The order's journey; None while it is a draft, or not known in full."""
    if not is_sold(order):
        return None
    reached = dict(order.reached)
    placed, left = reached.get("placed", order.placed_at), reached.get("shipped")
    if placed == left:  # told of only once it was shipped, an order does not say how long that took
        reached.pop("placed", None)
    else:
        reached["placed"] = placed
    ordered = shipped = returned = 0
    for line in order.lines:
        ordered += line.ordered
        shipped += line.shipped
        returned += line.returned
    ended = left
    if left is None and shipped and order.status in CALLED_OFF:
        ended = reached.get(order.status)
    promised = order.promised_at
    return Journey(
        placed_at=placed,
        ended_at=ended,
        cycle=_between(reached.get("placed"), left),
        stages=() if left is None else _stages(reached),
        in_time=None if left is None or promised is None else left <= promised,
        was_shipped=left is not None,
        is_cancelled=order.status == "cancelled",
        ordered=ordered,
        shipped=shipped,
        returned=returned,
    )


def _stages(reached: Mapping[str, int]) -> tuple[int | None, ...]:
    moments = [reached.get(status) for status in _WAY]
    stages = tuple(_between(one, other) for one, other in pairwise(moments))
    return stages if any(stage is not None for stage in stages) else ()


def _between(start: int | None, end: int | None) -> int | None:
    """The time between; None when one is not known, or they are told in an order that cannot be."""
    return None if start is None or end is None or end < start else end - start


def nearest_rank(values: Sequence[int], percent: int) -> int | None:
    """The quantile by nearest rank: of n values in order the one at place ceil(percent x n / 100), counted from 1.

    It is always one of the values. None when there are none. `percent` is from 1 to 100. Source: Hyndman and Fan,
    "Sample quantiles in statistical packages", The American Statistician 50 (1996), definition 1.
    """
    return values[-(-percent * len(values) // 100) - 1] if values else None


class Heard(NamedTuple):
    """What any source ever told of any order: without it a metric has no data."""

    shipping: bool = False
    promises: bool = False
    progress: bool = False
    returns: bool = False


def heard_of(order: OrderRow, so_far: Heard) -> Heard:
    """What is known to be told once this order is."""
    if all(so_far) or not is_sold(order):
        return so_far
    shipping = any(status == "shipped" for status, _ in order.reached)
    return Heard(
        so_far.shipping or shipping,
        so_far.promises or (shipping and order.promised_at is not None),
        so_far.progress or len(order.reached) > 1 or order.status == "cancelled",
        so_far.returns or any(line.returned for line in order.lines),
    )


# Sums over spans


class Shipping:
    """Sums over the orders whose shipping ended in a span, and their durations in order."""

    def __init__(self) -> None:
        self.orders = 0
        self.promised = 0
        self.in_time = 0
        self.ordered = 0
        self.shipped = 0
        self.cycles: SortedList[int] = SortedList()
        self.stages: tuple[SortedList[int], ...] = tuple(SortedList() for _ in STAGES)

    def count(self, journey: Journey, by: int) -> None:
        """Add the journey (`by` = 1), or take it away (-1)."""
        self.orders += by if journey.was_shipped else 0
        self.promised += by if journey.in_time is not None else 0
        self.in_time += by if journey.in_time else 0
        self.ordered += by * journey.ordered
        self.shipped += by * journey.shipped
        for durations, value in zip((self.cycles, *self.stages), (journey.cycle, *journey.stages), strict=False):
            if value is not None:
                _list(durations, value, by)


class Fates:
    """Sums over the orders placed in a span: what has become of them by now."""

    def __init__(self) -> None:
        self.orders = 0
        self.cancelled = 0
        self.shipped = 0
        self.returned = 0

    def count(self, journey: Journey, by: int) -> None:
        """Add the journey (`by` = 1), or take it away (-1)."""
        self.orders += by
        self.cancelled += by if journey.is_cancelled else 0
        self.shipped += by * journey.shipped
        self.returned += by * journey.returned


S = TypeVar("S", bound=Shipping | Fates)


class _Window(Generic[S]):
    """A span with the sums of the journeys in it, which slides on with the clock."""

    def __init__(self, kind: type[S]) -> None:
        self._kind: type[S] = kind
        self.span = Span(0, 0)
        self.sums: S = kind()

    def count(self, at: int, journey: Journey, by: int) -> None:
        if self.span.start <= at < self.span.end:
            self.sums.count(journey, by)

    def move(self, to: Span, index: SortedList[tuple[int, Key]], journeys: Mapping[Key, Journey]) -> S:
        was = self.span
        if to != was:
            if not (was.start <= to.start <= was.end <= to.end):
                was, self.sums = Span(to.start, to.start), self._kind()
            for span, by in ((Span(was.start, to.start), -1), (Span(was.end, to.end), 1)):
                if span.start < span.end:
                    for _, key in index.irange((span.start, ()), (span.end, ()), (True, False)):
                        self.sums.count(journeys[key], by)
            self.span = to
        return self.sums


class JourneyBook:
    """The journeys of the last 61 days. Asking changes nothing but where the windows stand."""

    def __init__(self, journeys: Mapping[Key, Journey], clock: int) -> None:
        self._from = clock - KEPT
        self._journeys: dict[Key, Journey] = dict(journeys)
        self._ends: SortedList[tuple[int, Key]] = SortedList(
            (journey.ended_at, key) for key, journey in journeys.items() if journey.ended_at is not None
        )
        self._starts: SortedList[tuple[int, Key]] = SortedList(
            (journey.placed_at, key) for key, journey in journeys.items()
        )
        self._shipping: dict[str, _Window[Shipping]] = {}
        self._fates: dict[str, _Window[Fates]] = {}

    def shipping(self, question: str, span: Span) -> Shipping:
        """Of the orders whose shipping ended in the span, which lies within the last 60 days.

        `question` names what is asked over and over as the clock goes on. Read the answer before anything changes.
        """
        window = self._shipping.get(question) or self._shipping.setdefault(question, _Window(Shipping))
        return window.move(span, self._ends, self._journeys)

    def fates(self, question: str, span: Span) -> Fates:
        """Of the orders placed in the span, which lies within the last 60 days."""
        window = self._fates.get(question) or self._fates.setdefault(question, _Window(Fates))
        return window.move(span, self._starts, self._journeys)

    @contextmanager
    def supposing(self, changed: Mapping[Key, Journey | None]) -> Iterator[None]:
        """Within it the book answers as if the changes were made; then it is as it was."""
        before = {key: self._journeys.get(key) for key in changed}
        try:
            self._put_all(changed)
            yield
        finally:
            self._put_all(before)

    def commit(self, changed: Mapping[Key, Journey | None], clock: int) -> None:
        """Take over a batch's journeys, and let go of what is too old."""
        self._put_all(changed)
        if clock - KEPT >= self._from + DAY:
            self._from = clock - KEPT
            old = [key for key, journey in self._journeys.items() if journey.newest < self._from]
            self._put_all(dict.fromkeys(old))

    def _put_all(self, changed: Mapping[Key, Journey | None]) -> None:
        for key, journey in changed.items():
            before = self._journeys.get(key)
            if journey == before:
                continue
            if before is not None:
                self._count(key, before, -1)
                del self._journeys[key]
            if journey is not None:
                self._journeys[key] = journey
                self._count(key, journey, 1)

    def _count(self, key: Key, journey: Journey, by: int) -> None:
        _list(self._starts, (journey.placed_at, key), by)
        for fates in self._fates.values():
            fates.count(journey.placed_at, journey, by)
        if journey.ended_at is not None:
            _list(self._ends, (journey.ended_at, key), by)
            for shipping in self._shipping.values():
                shipping.count(journey.ended_at, journey, by)


def shipping_of(journeys: Iterable[Journey], span: Span) -> Shipping:
    """Of these orders those whose shipping ended in the span."""
    sums = Shipping()
    for journey in journeys:
        if journey.ended_at is not None and span.start <= journey.ended_at < span.end:
            sums.count(journey, 1)
    return sums


def fates_of(journeys: Iterable[Journey], span: Span) -> Fates:
    """Of these orders those placed in the span."""
    sums = Fates()
    for journey in journeys:
        if span.start <= journey.placed_at < span.end:
            sums.count(journey, 1)
    return sums


def _list(index: SortedList[Any], entry: object, by: int) -> None:
    if by > 0:
        index.add(entry)
    else:
        index.remove(entry)
