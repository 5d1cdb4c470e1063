"""Previewing: how often a rule would have fired in the last week, by the same evaluation that the fold makes.

The log tells the week again, for each kind of rule in its own way. Stock rows are wound back by their movements to how they stood
when the week began, and played forward again. Orders are folded again from their own events (engine/retold.py), and grow late as
time goes on. Metrics of periods are worked out again for every minute (engine/measured.py); sources are silent between when they
were heard of; verifications are in the log. What the log does not tell is not guessed: reorder points and allowed times are taken
as they are now, and of how things stood only what the hours keep is known. `gap` says what is missing, and for all of it what is
read is bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Final, Literal, NamedTuple, Protocol

from stockwire.core.events import Record
from stockwire.core.feed import Entry
from stockwire.core.projections import hindsight
from stockwire.core.projections.chosen import Standing
from stockwire.core.projections.journeys import Journey, journey_of
from stockwire.core.rows import (
    HourRow,
    InventoryRow,
    Key,
    MetricRow,
    MinuteSales,
    Movement,
    NotificationRow,
    OrderRow,
    PersonRow,
    RuleRow,
    TimelineEntry,
)
from stockwire.core.values import DAY, MINUTE, SECOND
from stockwire.engine import measured, retold
from stockwire.engine.freshness import Freshness
from stockwire.engine.measured import Reading, Ways
from stockwire.engine.retold import Retelling
from stockwire.engine.stage import Stage
from stockwire.engine.watch import LIVE, ORDERS_LEAST, Seen, about_metric, judge
from stockwire.log.base import Heard

WEEK: Final = 7 * DAY
MOVEMENTS_MOST: Final = 50_000
STEPS_MOST: Final = 5_000
"""Movements and steps of orders that are played at most; of more, the newest."""
ORDERS_MOST: Final = 50_000
EVENTS_MOST: Final = 1_000_000
EXAMPLES: Final = 5
_STOCK: Final = frozenset({"out_of_stock", "low_stock", "oversold", "back_in_stock", "large_movement"})
_ORDERS: Final = frozenset({"order_stuck", "order_status", "large_order"})

Gap = Literal["too_many", "by_hour", "not_kept"]
"""What a preview cannot tell: there is too much to read, only one value an hour is kept, or none is."""


class History(retold.Told, measured.Told, Protocol):
    """What the log tells of what happened."""

    def moved_since(self, moment: int, limit: int) -> list[Movement]: ...
    def stepped_since(self, moment: int, limit: int) -> list[TimelineEntry]: ...
    def journeys(self, since: int, limit: int) -> dict[Key, Journey] | None: ...
    def minutes(self, since: int) -> list[MinuteSales]: ...
    def heard_since(self, moment: int, step: int, most: int) -> list[Heard] | None: ...
    def verified_since(self, moment: int) -> list[Record]: ...


class Fired(NamedTuple):
    """How often a rule would have fired since a moment, by day (oldest first), and the newest few. `gap` None: that is all."""

    fired: int
    since: int
    gap: Gap | None
    per_day: list[tuple[str, int]]
    examples: list[NotificationRow]


class Present(NamedTuple):
    """How the shop stands: the entries of its feeds, which nobody changes meanwhile, its clock and the wall's, and its settings."""

    stock: Sequence[Entry]
    orders: Sequence[Entry]
    metrics: Sequence[Entry]
    hours: Sequence[Entry]
    people: Sequence[Entry]
    clock: int
    wall: int
    timezone: str
    currency: str
    allowed_minutes: Mapping[str, int]
    freshness: Freshness


def preview(rule: RuleRow, log: History, present: Present, day_of: Callable[[int], date]) -> Fired:
    """What the rule would have fired for in the last week. `day_of` gives the shop's day of a moment."""
    end = present.wall if rule.kind in ("source_silent", "drift") else present.clock
    people = [entry.row for entry in present.people if isinstance(entry.row, PersonRow)]
    stage = Stage(rule, end - WEEK, end, people, present.currency)
    gap = _play(stage, rule, log, present, end - WEEK)
    days = Counter(day_of(row.fired_at or 0).isoformat() for row in stage.fired)
    told = [day_of(end - at).isoformat() for at in range(WEEK, -1, -DAY)]
    per_day = [(day, days[day]) for day in dict.fromkeys(told)]
    return Fired(len(stage.fired), end - WEEK, gap, per_day, stage.fired[: -EXAMPLES - 1 : -1])


def _play(stage: Stage, rule: RuleRow, log: History, present: Present, start: int) -> Gap | None:
    if rule.kind in _STOCK:
        moved = log.moved_since(start, MOVEMENTS_MOST)
        stage.play_stock([entry.row for entry in present.stock if isinstance(entry.row, InventoryRow)], moved)
        return None if len(moved) < MOVEMENTS_MOST else "too_many"
    if rule.kind in _ORDERS:
        return _play_orders(stage, log, present, start)
    if rule.kind == "drift":
        stage.play_told((record.recorded_at, record.event.data) for record in log.verified_since(0))
        return None
    if rule.kind == "source_silent":
        heard = log.heard_since(start - _longest(rule, present), MINUTE, EVENTS_MOST)
        stage.play_observed(() if heard is None else sorted(_silences(rule, heard, present, start)))
        return None if heard is not None else "too_many"
    return _play_metric(stage, rule, log, present, start)


# --- orders ---------------------------------------------------------------------------------------------------------


def _play_orders(stage: Stage, log: History, present: Present, start: int) -> Gap | None:
    steps = log.stepped_since(start, STEPS_MOST)
    told = Retelling(log, steps, present.allowed_minutes)
    stepped = {(step.order_id,) for step in steps}
    still = {entry.row.key: entry.row for entry in present.orders if isinstance(entry.row, OrderRow)}
    stood = {key: row for key, row in still.items() if key not in stepped and row.closed_at is None}
    stage.play_orders({**stood, **told.before()}, told.moves())
    return None if told.complete and len(steps) < STEPS_MOST else "too_many"


# --- metrics --------------------------------------------------------------------------------------------------------


def _play_metric(stage: Stage, rule: RuleRow, log: History, present: Present, start: int) -> Gap | None:
    metric, period = rule.metric or "", rule.period or ""
    if not hindsight.is_kept(metric, period):
        return "not_kept"
    if period == "now":
        hours = [entry.row for entry in present.hours if isinstance(entry.row, HourRow)]
        stage.play_observed(_turns(rule, measured.by_hour(rule, hours, present.timezone, start), start))
        return "by_hour"
    ways: Ways | None = measured.NO_WAYS
    if metric in hindsight.OF_JOURNEYS:
        ways = _ways(rule, log, present, start)
    if ways is None:
        return "too_many"
    rows = {entry.key: entry.row for entry in present.metrics if isinstance(entry.row, MetricRow)}
    standing = Standing(0, present.clock, present.currency, rows)
    on_hand = sum(entry.row.on_hand for entry in present.stock if isinstance(entry.row, InventoryRow))
    readings = measured.by_minute(rule, log, ways, standing, present.timezone, on_hand, start)
    stage.play_observed(_turns(rule, readings, start))
    return None


def _ways(rule: RuleRow, log: History, present: Present, start: int) -> Ways | None:
    """The orders' ways as they were at the start, and how they changed since; None: they are too many."""
    steps = log.stepped_since(start, STEPS_MOST)
    moved = log.journeys(measured.begins(rule, start, present.timezone), ORDERS_MOST)
    if moved is None or len(steps) >= STEPS_MOST:
        return None
    told = Retelling(log, steps, present.allowed_minutes)
    before = told.before()
    stepped = {(step.order_id,) for step in steps}
    stood = {key: journey for key, journey in moved.items() if key not in stepped}
    stood |= {key: journey for key, row in before.items() if (journey := journey_of(row)) is not None}
    changes = [(move.at, move.after.key, journey_of(move.after)) for move in told.moves()]
    return Ways(stood, sorted(changes, key=lambda change: change[0])) if told.complete else None


def _turns(rule: RuleRow, readings: Iterator[Reading], start: int) -> Iterator[tuple[int, Seen]]:
    """When what the metric showed came to meet the rule, or did no more."""
    met = False
    about = about_metric(rule.metric or "", rule.period or "")
    first = next(readings, None)
    for reading in () if first is None else chain((first._replace(at=start),), readings):
        if rule.kind == "rate_spike" and reading.orders < ORDERS_LEAST:
            continue
        now = judge(rule, reading.value, reading.previous, met)
        if now is not None and now != met:
            met = now
            previous = None if reading.previous is None else str(reading.previous)
            yield reading.at, Seen(about, met, str(reading.value), previous)


# --- silences -------------------------------------------------------------------------------------------------------


def _longest(rule: RuleRow, present: Present) -> int:
    return int(present.freshness.longest * SECOND) + MINUTE


def _silences(rule: RuleRow, heard: Sequence[Heard], present: Present, start: int) -> Iterator[tuple[int, Seen]]:
    """When each source fell silent, and when it was heard of again."""
    newest: dict[str, int] = {}
    last: dict[str, Heard] = {}
    for each in (*heard, None):
        sources = list(last) if each is None else [each.source]
        for source in sources:
            before = last.get(source)
            until = present.wall if each is None else each.first
            if before is not None and rule.scope.source in (None, source):
                yield from _silence(before, newest[source], until, each is not None, present, start)
        if each is not None:
            last[each.source] = each
            newest[each.source] = max(each.newest, newest.get(each.source, 0))


def _silence(
    before: Heard, newest: int, until: int, again: bool, present: Present, start: int
) -> Iterator[tuple[int, Seen]]:
    seconds = int(present.freshness.silent_after(before.source)) + 1
    silent_at = before.last + seconds * SECOND
    if silent_at > until or before.last - newest > LIVE:
        return
    about = f"source/{before.source}"
    yield max(start, silent_at), Seen(about, True, str(seconds))
    if again:
        yield until, Seen(about, False, "0")
