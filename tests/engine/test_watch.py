"""What folding cannot see is written down when it turns, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from stockwire.core.events import RuleObserved
from stockwire.core.fold import Changes
from stockwire.core.rows import MetricRow, SourceRow
from stockwire.core.rules import BUILT_IN
from stockwire.core.values import HOUR, MINUTE
from stockwire.engine.freshness import Freshness, Thresholds
from stockwire.engine.watch import Watch
from stockwire.log.memory import MemoryLog
from tests.core.ledger import at, event
from tests.core.shop import changes
from tests.log.history import Shop


def metric(value: Any, previous: Any = None, name: str = "gross_sales", period: str = "today") -> MetricRow:
    return MetricRow(
        version=1, metric=name, period=period, unit="money", value=value, previous=previous, state="ok", as_of=0
    )


class Post:
    """A log with the watch of its writer, and rules that are not the built-in ones."""

    def __init__(self, **rule: Any) -> None:
        self.now = at("12:00")
        self.log = MemoryLog()
        self.shop = Shop(self.log)
        self.numbers = 0
        for built_in in BUILT_IN:
            self.write("rule.removed", rule_id=built_in.rule_id, by="test")
        self.watch = self.anew()
        self.write("rule.defined", **{"rule_id": "r", "by": "ann", "name": "A rule", **rule})

    def anew(self) -> Watch:
        """The watch as it is after a restart."""
        self.watch = Watch(self.log.load(), Freshness(Thresholds(60, 900)), lambda: self.now)
        return self.watch

    def write(self, type_: str, **data: Any) -> None:
        self.numbers += 1
        self.hear(self.shop.write(event(type_, "11:00", f"n{self.numbers}", "stockwire", **data)))

    def hear(self, told: Changes) -> None:
        if hasattr(self, "watch"):
            self.watch.hear(told)

    def see(self, *rows: MetricRow) -> None:
        self.watch.hear(changes(1, metrics={row.key: row for row in rows}))

    def look(self) -> list[tuple[str, bool, str | None]]:
        """What is written down at a look."""
        found = self.watch.look(at("11:00"))
        if found:
            self.hear(self.shop.write(*found))
        told = [each.data for each in found]
        assert all(isinstance(data, RuleObserved) for data in told)
        return [(data.about, data.met, data.value) for data in told]  # type: ignore[attr-defined]


SALES = {"kind": "metric", "metric": "gross_sales", "period": "today"}


def test_a_metric_is_told_when_it_turns_and_not_while_it_stays() -> None:
    post = Post(**SALES, comparison="above", threshold=100, clear=10)
    post.see(metric("100"))
    assert post.look() == []
    post.see(metric("100.01"))
    assert post.look() == [("metric/gross_sales/today", True, "100.01")]
    post.see(metric("95"))
    assert post.look() == []
    post.see(metric("90"))
    assert post.look() == [("metric/gross_sales/today", False, "90")]


def test_below_and_changed_are_compared_as_they_say() -> None:
    post = Post(**SALES, comparison="below", threshold=100)
    post.see(metric("99.99"))
    assert post.look() == [("metric/gross_sales/today", True, "99.99")]
    post = Post(**SALES, comparison="changed", threshold=30)
    post.see(metric("130", "100"))
    assert post.look() == []
    post.see(metric("69", "100"))
    assert post.look() == [("metric/gross_sales/today", True, "69")]


@pytest.mark.parametrize(("value", "previous"), [(None, "1"), ("1", None), ("1", "0")])
def test_where_there_is_nothing_to_compare_nothing_turns(value: Any, previous: Any) -> None:
    post = Post(**SALES, comparison="changed", threshold=30)
    post.see(metric(value, previous))
    assert post.look() == []


def test_a_rate_says_nothing_of_few_orders() -> None:
    rate = metric(50.0, name="cancellation_rate")
    post = Post(kind="rate_spike", metric="cancellation_rate", period="today", comparison="above", threshold=20)
    post.see(rate, metric(19, name="orders_placed"))
    assert post.look() == []
    post.see(metric(20, name="orders_placed"))
    assert post.look() == [("metric/cancellation_rate/today", True, "50.0")]


def heard(post: Post, source: str, age: int, late: int = 0) -> None:
    row = SourceRow(version=1, source=source, newest_at=post.now - age - late, recorded_at=post.now - age, events=1)
    post.watch.hear(changes(1, sources={row.key: row}))


def test_a_source_is_silent_after_its_time_and_not_before_it_is_heard_again() -> None:
    post = Post(kind="source_silent")
    heard(post, "till", 15 * MINUTE)
    assert post.look() == []
    heard(post, "till", 16 * MINUTE)
    assert post.look() == [("source/till", True, "960")]
    assert post.look() == []
    heard(post, "till", 0)
    assert post.look() == [("source/till", False, "0")]


def test_the_silence_of_what_was_imported_is_no_news() -> None:
    post = Post(kind="source_silent")
    heard(post, "ledger of last year", HOUR, late=300 * 24 * HOUR)
    assert post.look() == []


def test_a_restart_writes_nothing_that_is_written() -> None:
    post = Post(**SALES, comparison="above", threshold=100)
    post.see(metric("200"))
    post.look()
    post.anew()
    post.see(metric("200"))
    assert post.look() == []
    post.see(metric("1"))
    assert post.look() == [("metric/gross_sales/today", False, "1")]


def test_a_rule_that_is_off_is_not_looked_at() -> None:
    post = Post(**SALES, comparison="above", threshold=100, enabled=False)
    post.see(metric("200"))
    assert post.look() == []
