"""Watching what folding cannot see: metrics, which are worked out once a batch, and how long ago a source was heard of.

Only the process that writes watches. What it sees is written down (`rule.observed`) when it turns, so the log folds to the
same notifications wherever it is folded; what is met already, the rows say. It looks every few seconds, because a rule that
fires seconds later is no worse, and nothing is looked at for a commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from stockwire.core.changes import Changes
from stockwire.core.events import INTERNAL_SOURCE, Event, RuleObserved, parse_event
from stockwire.core.projections.metrics import Value
from stockwire.core.rows import Condition, Key, MetricRow, RuleRow, SourceRow
from stockwire.core.rules import OBSERVED
from stockwire.core.values import MINUTE, MONEY_SCALE, SECOND, moment_text
from stockwire.engine.freshness import Freshness
from stockwire.engine.lastweek import LastWeek
from stockwire.log.base import Loaded

WATCH_EVERY: Final = 5.0
"""Seconds between two looks."""
LIVE: Final = 15 * MINUTE
"""A source is live when its newest event was recorded within so long of its own time; the silence of others is no news."""
ORDERS_LEAST: Final = 20
"""Orders that a period must have before a rate of them says anything."""


class Seen(NamedTuple):
    """Whether a rule is met by that subject now, and what was seen; `met` None: it cannot be said."""

    about: str
    met: bool | None
    value: str | None
    previous: str | None = None


class Watch:
    """Looks at the rows that changes bring. `now` is the wall's clock."""

    def __init__(self, loaded: Loaded, freshness: Freshness, last_week: LastWeek, now: Callable[[], int]) -> None:
        self._freshness = freshness
        self._last_week = last_week
        self._now = now
        self._metrics: dict[Key, MetricRow] = dict(loaded.metrics)
        self._sources: dict[Key, SourceRow] = dict(loaded.sources)
        self._rules: dict[Key, RuleRow] = {key: row for key, row in loaded.rules.items() if row.kind in OBSERVED}
        self._met: dict[Key, Condition] = dict(loaded.conditions)
        self._written = 0

    def hear(self, changes: Changes) -> None:
        """Take note of a commit."""
        self._last_week.hear(changes)
        self._metrics.update((key, row) for key, row in changes.metrics.items() if row is not None)
        self._sources.update((key, row) for key, row in changes.sources.items() if row is not None)
        for key, rule in changes.rules.items():
            self._rules.pop(key, None)
            if rule is not None and rule.kind in OBSERVED:
                self._rules[key] = rule
        for key, condition in changes.conditions.items():
            if condition is None:
                self._met.pop(key, None)
            else:
                self._met[key] = condition

    async def look_up(self) -> None:
        """Look up in the log what rules compare with; before each `look`."""
        rules = (rule for rule in self._rules.values() if rule.enabled and rule.baseline == "week_before")
        rows = (self._metrics.get((rule.metric or "", rule.period or "")) for rule in rules)
        await self._last_week.look_up({row.key: row for row in rows if row is not None}.values(), self._metrics)

    def look(self, shop_clock: int) -> list[Event]:
        """An event for each rule and subject for which it turned. Their time is the shop's clock, which they must not move."""
        found = []
        for rule in self._rules.values():
            if rule.enabled:
                seen = [each for each in self._seen(rule) if each.met is not None]
                found += [
                    self._event(rule, each, shop_clock)
                    for each in seen
                    if each.met != ((rule.rule_id, each.about) in self._met)
                ]
        return found

    def _seen(self, rule: RuleRow) -> Iterator[Seen]:
        if rule.kind == "source_silent":
            yield from self._silences(rule)
        elif rule.metric is not None and rule.period is not None:
            row = self._metrics.get((rule.metric, rule.period))
            if row is not None and self._tells(rule):
                met = (rule.rule_id, _about(row)) in self._met
                previous = self._last_week.showed(row) if rule.baseline == "week_before" else row.previous
                yield Seen(_about(row), judge(rule, row.value, previous, met), _text(row.value), _text(previous))

    def _tells(self, rule: RuleRow) -> bool:
        if rule.kind != "rate_spike":
            return True
        orders = self._metrics.get(("orders_placed", rule.period or ""))
        return orders is not None and isinstance(orders.value, int) and orders.value >= ORDERS_LEAST

    def _silences(self, rule: RuleRow) -> Iterator[Seen]:
        now = self._now()
        for row in self._sources.values():
            if rule.scope.source not in (None, row.source):
                continue
            about = f"source/{row.source}"
            age = (now - row.recorded_at) // SECOND
            silent = self._freshness.of(row.source, age) == "silent"
            live = row.recorded_at - row.newest_at <= LIVE
            if not silent or live:
                yield Seen(about, silent, str(age))

    def _event(self, rule: RuleRow, seen: Seen, shop_clock: int) -> Event:
        self._written += 1
        data = {"rule_id": rule.rule_id, "about": seen.about, "met": seen.met}
        data |= {name: text for name, text in (("value", seen.value), ("previous", seen.previous)) if text is not None}
        envelope = {
            "id": f"observed-{self._now()}-{self._written}",
            "source": INTERNAL_SOURCE,
            "type": RuleObserved.type,
            "time": moment_text(shop_clock),
            "data": data,
        }
        return parse_event(envelope, internal=True)


def about_metric(metric: str, period: str) -> str:
    """What a rule of a metric is about."""
    return f"metric/{metric}/{period}"


def _about(row: MetricRow) -> str:
    return about_metric(row.metric, row.period)


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def judge(rule: RuleRow, value: Value, previous: Value, met: bool) -> bool | None:
    """Whether a metric meets its rule, having met it or not until now; None where there is nothing to be said."""
    figure, threshold = _figure(value), Decimal(rule.threshold or 0) / MONEY_SCALE
    if figure is None:
        return None
    if rule.baseline is not None:
        before = _figure(previous)
        if not before:
            return None
        figure = (figure - before) * 100 / abs(before)
    margin = Decimal(rule.clear or 0) / MONEY_SCALE if met else Decimal(0)
    match rule.comparison:
        case "below" if rule.baseline is None:
            return figure < threshold + margin
        case "below":
            return -figure > threshold - margin
        case "changed":
            return abs(figure) > threshold - margin
        case _:
            return figure > threshold - margin


def _figure(value: Value) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except ArithmeticError:
        return None
