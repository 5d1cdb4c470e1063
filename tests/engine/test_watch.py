"""What folding cannot see is written down when it turns, and only then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stockwire.core.changes import Changes
from stockwire.core.events import RuleObserved
from stockwire.core.rows import MetricRow, SourceRow
from stockwire.core.rules import BUILT_IN
from stockwire.core.values import HOUR, MINUTE
from stockwire.engine.freshness import Freshness, Thresholds
from stockwire.engine.lastweek import LastWeek
from stockwire.engine.watch import Watch
from stockwire.log.memory import MemoryLog
from tests.core.ledger import at, event
from tests.core.shop import changes
from tests.log.history import Shop, order


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
        loaded = self.log.load()
        last_week = LastWeek(self.log, loaded, "Europe/Berlin", "GBP")
        self.watch = Watch(loaded, Freshness(Thresholds(60, 900)), last_week, lambda: self.now)
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
        asyncio.run(self.watch.look_up())
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


class Weeks(Post):
    """A shop of two weeks, whose hours are those of Berlin."""

    def __init__(self, **rule: Any) -> None:
        super().__init__(kind="metric", **rule)
        self.write("shop.configured", timezone="Europe/Berlin", currency="GBP", allowed_minutes={})
        self.watch = self.anew()

    def order(self, *times: str) -> None:
        for time in times:
            self.numbers += 1
            self.hear(self.shop.write(order(self.numbers, time)))

    def comes_to(self, time: str) -> None:
        self.numbers += 1
        self.hear(self.shop.write(event("clock.ticked", time, f"t{self.numbers}", "stockwire")))


ORDERS = {"metric": "orders_placed", "period": "today", "against": "week_before", "threshold": 40}


def test_a_metric_is_held_against_the_same_time_last_week() -> None:
    shop = Weeks(**ORDERS, comparison="below")
    shop.order("2 08:00", "2 10:00", "2 18:00", "9 09:30")
    assert shop.look() == []
    shop.comes_to("9 10:00")
    assert shop.look() == [("metric/orders_placed/today", True, "1")]
    (row,) = (row for row in shop.log.load().notifications.values() if row.rule_id == "r")
    assert (row.value, row.threshold) == ("1", "2")
    shop.order("9 10:01")
    assert shop.look() == [("metric/orders_placed/today", False, "2")]


@pytest.mark.parametrize(("comparison", "met"), [("above", True), ("below", False), ("changed", True)])
def test_more_than_last_week_is_above_and_changed(comparison: str, met: bool) -> None:
    shop = Weeks(**ORDERS, comparison=comparison)
    shop.order("2 10:00", "8 09:00", "9 09:00", "9 09:01")
    assert shop.look() == []
    shop.comes_to("9 10:00")
    assert bool(shop.look()) == met


def test_last_week_is_by_the_clocks_of_the_shop_also_when_they_were_changed_since() -> None:
    shop = Weeks(**ORDERS, comparison="below")
    shop.order("25 09:30", "25 09:40")  # 10:30 and 10:40 in Berlin, where summer time begins on the 29th
    shop.comes_to("2026-04-01T08:29:00Z")
    assert shop.look() == []
    shop.comes_to("2026-04-01T08:30:00Z")
    assert shop.look() == [("metric/orders_placed/today", True, "0")]


def test_how_things_stood_last_week_is_known_by_the_hour() -> None:
    shop = Weeks(metric="orders_open", period="now", against="week_before", comparison="above", threshold=100)
    shop.order("2 11:30", "2 12:30", "9 11:10")
    shop.comes_to("9 12:10")
    assert shop.look() == [("metric/orders_open/now", True, "3")]
    shop.comes_to("9 13:00")
    assert shop.look() == [("metric/orders_open/now", False, "3")]


WEEK = {"period": "last_7_days", "against": "week_before", "comparison": "above", "threshold": 10}


def test_a_rate_of_last_week_is_of_the_orders_of_that_week() -> None:
    shop = Weeks(**WEEK, metric="cancellation_rate")
    shop.order("2 12:00", "2 12:10", "10 12:00")
    for number in (shop.numbers, shop.numbers - 2):
        cancelled = event("order.status_changed", "10 12:30", f"x{number}", order_id=f"{number:04}", status="cancelled")
        shop.hear(shop.shop.write(cancelled))
    assert shop.look() == [("metric/cancellation_rate/last_7_days", True, "100")]
    (row,) = (row for row in shop.log.load().notifications.values() if row.rule_id == "r")
    assert row.threshold == "50"


def test_what_sold_through_last_week_is_of_the_stock_there_was() -> None:
    shop = Weeks(**WEEK, metric="sell_through")
    shop.hear(shop.shop.write(event("stock.snapshot", "2 06:00", "s", sku="MUG", location="main", on_hand=20)))
    for day, status in (("2", "shipped"), ("10", "shipped")):
        shop.order(f"{day} 12:00")
        shipped = event("order.status_changed", f"{day} 13:00", f"x{day}", order_id=f"{shop.numbers:04}", status=status)
        shop.hear(shop.shop.write(shipped))
    shop.numbers += 1
    shop.hear(
        shop.shop.write(
            event("stock.adjusted", "10 14:00", "l", sku="MUG", location="main", quantity=-15, reason="loss")
        )
    )
    assert shop.look() == [("metric/sell_through/last_7_days", True, "50")]


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
