"""What a preview tells of the last week is what the rule would have told had it been there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from stockwire.core.events import Event
from stockwire.core.rules import BUILT_IN, rule_of
from stockwire.core.values import HOUR, MINUTE, SECOND, moment_datetime
from stockwire.engine.deeds import deed
from stockwire.engine.freshness import Freshness, Thresholds
from stockwire.engine.previewing import WEEK, Fired, Present, preview
from stockwire.engine.state import feeds
from stockwire.log.memory import MemoryLog
from tests.core.ledger import at, event
from tests.log.history import RECORDED, Shop, order

ALLOWED = {"placed": 75, "confirmed": 150}
"""So that an order is at risk after one hour or two, and late a quarter or half an hour later."""
QUARTER = 15 * MINUTE
END = at("16 12:00")


class Lived:
    """A shop whose clock has come to the 16th at noon, and what happened there before."""

    def __init__(self, *events: Event, wall: int = END) -> None:
        self.log = MemoryLog()
        self.shop = Shop(self.log)
        self.wall = wall
        self.tell("shop.configured", "1 00:00", timezone="UTC", currency="GBP", allowed_minutes=ALLOWED)
        gone = [
            event("rule.removed", "1 00:00", rule.rule_id, "stockwire", rule_id=rule.rule_id, by="test")
            for rule in BUILT_IN
        ]
        self.shop.write(*gone, *events)

    def tell(self, type_: str, time: str, **data: Any) -> None:
        self.shop.write(event(type_, time, f"own{self.shop.state.version}", "stockwire", **data))

    def ends(self) -> Lived:
        self.tell("clock.ticked", "16 12:00")
        return self

    def tries(self, **rule: Any) -> Fired:
        """A rule tried on it."""
        loaded = self.log.load()
        shown = feeds(loaded)
        present = Present(
            stock=tuple(shown["inventory"]), orders=tuple(shown["orders"]), metrics=tuple(shown["metrics"]),
            hours=tuple(shown["hours"]), people=tuple(shown["people"]), clock=loaded.clock, wall=self.wall,
            timezone="UTC", currency="GBP", allowed_minutes=ALLOWED, freshness=Freshness(Thresholds(60, 900)),
        )  # fmt: skip
        made = deed("rule.defined", 0, rule_id="r", by="ann", name="A rule", **rule)
        return preview(rule_of(made.data, None, 0, 0), self.log, present, lambda moment: moment_datetime(moment).date())


def told_by(rule: dict[str, Any], events: Sequence[Event]) -> list[tuple[str, int]]:
    """What a shop whose clock ticks is told in its last week when it has the rule from the start: what, and when."""
    shop = Lived()
    shop.tell("rule.defined", "1 00:00", rule_id="r", by="ann", name="A rule", **rule)
    moments = range(END - WEEK, END, QUARTER) if rule["kind"] == "order_stuck" else ()
    ticks = [event("clock.ticked", _text(moment), f"t{moment}", "stockwire") for moment in moments]
    shop.shop.write(*sorted([*events, *ticks], key=lambda each: each.time))
    shop.ends()
    occasions = shop.log.occasions(0, 10_000)
    return [(row.name, told.at) for told, row in occasions if told.happened == "fired" and told.at > END - WEEK]


def orders(seed: int, since: str = "2 08:00") -> list[Event]:
    """Orders of up to a fortnight, that go on, wait, are called off or come back."""
    dice = random.Random(seed)
    told: list[tuple[int, Event]] = []
    for number in range(40):
        placed = at(since) + dice.randrange((END - at(since)) // QUARTER) * QUARTER
        lines = [{"sku": "MUG", "quantity": dice.randint(1, 9), "unit_price": str(dice.randint(2, 90))}]
        told.append((placed, order(number, _text(placed), lines=lines)))
        moment = placed
        for status in ("confirmed", "packed", "shipped", dice.choice(("delivered", "returned"))):
            moment += dice.randrange(1, 20) * QUARTER
            status = "cancelled" if dice.random() < 0.15 and status != "delivered" else status
            told.append((moment, event("order.status_changed", _text(moment), f"s{number}-{status}",
                                       order_id=f"{number:04}", status=status)))  # fmt: skip
            if status == "cancelled" or dice.random() < 0.2:
                break
    return [each for moment, each in sorted(told, key=lambda pair: pair[0]) if moment <= END]


def _text(moment: int) -> str:
    return moment_datetime(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("rule", "since"),
    [
        ({"kind": "order_stuck", "threshold": 100}, "2 08:00"),
        ({"kind": "order_stuck", "threshold": 80, "for_seconds": 1_800, "cooldown_seconds": 7_200}, "9 12:15"),
        ({"kind": "order_stuck", "threshold": 100, "group_by": "location", "cooldown_seconds": 3_600}, "9 12:15"),
        ({"kind": "order_status", "scope": {"statuses": ["cancelled", "returned"]}}, "2 08:00"),
        ({"kind": "large_order", "threshold": 150}, "2 08:00"),
    ],
    ids=["late", "at risk for a while", "late by location", "called off", "large"],
)
def test_orders_are_told_as_the_fold_would_have_told_them(rule: dict[str, Any], since: str) -> None:
    happened = orders(1, since)
    wanted = told_by(rule, happened)
    found = Lived(*happened).ends().tries(**rule)
    assert (found.fired, found.gap) == (len(wanted), None)
    assert len(wanted) > 2
    shown = {(row.name, row.fired_at) for row in found.examples}
    assert len(shown) == 5 and shown <= set(wanted)


def test_what_was_late_for_long_is_not_told_of_the_week() -> None:
    shop = Lived(order(1, "2 08:00"), order(2, "15 08:00")).ends()
    found = shop.tries(kind="order_stuck", threshold=100, for_seconds=3_600, cooldown_seconds=86_400)
    assert [(row.name, row.fired_at) for row in found.examples] == [("0002", at("15 10:15"))]


def test_only_the_orders_that_somebody_watches_are_tried_by_a_rule_of_those() -> None:
    shop = Lived(order(1, "15 08:00"), order(2, "15 09:00"))
    rule = {"kind": "order_status", "scope": {"watched": True}}
    assert shop.ends().tries(**rule).fired == 0
    shop.tell("order.watched", "16 11:00", person="ann", order_id="0002")
    assert [row.name for row in shop.tries(**rule).examples] == ["0002"]


SLOW = {"kind": "metric", "metric": "orders_placed", "period": "today"}


def test_a_metric_is_worked_out_again_for_every_minute_of_the_week() -> None:
    shop = Lived(*(order(number, f"{day} {hour:02}:30") for number, (day, hour) in enumerate(
        [(12, 9), (12, 10), (12, 11), (13, 9), (14, 8), (14, 9), (14, 10), (15, 9)])))  # fmt: skip
    found = shop.ends().tries(**SLOW, comparison="above", threshold=2)
    assert (found.fired, found.gap) == (2, None)
    assert [(row.fired_at, row.value) for row in found.examples] == [(at("14 10:30"), "3"), (at("12 11:30"), "3")]
    assert [day for day, count in found.per_day if count] == ["2026-03-12", "2026-03-14"]
    last = shop.tries(**SLOW, comparison="above", threshold=2, for_seconds=14 * 3_600)
    assert last.fired == 0


def test_a_metric_is_tried_against_the_same_time_last_week() -> None:
    shop = Lived(*(order(number, time) for number, time in enumerate(
        ["3 09:00", "3 09:10", "3 15:00", "10 09:05", "10 12:00", "10 14:00", "11 09:00"])))  # fmt: skip
    found = shop.ends().tries(**SLOW, comparison="below", against="week_before", threshold=40)
    assert [(row.fired_at, row.value, row.threshold) for row in reversed(found.examples)] == [
        (at("10 09:00"), "0", "1"),
        (at("10 09:10"), "1", "2"),
    ]
    assert found.gap is None


def test_what_was_so_when_the_week_began_is_not_told_as_of_it() -> None:
    shop = Lived(*(order(number, "9 09:30") for number in range(3))).ends()
    assert shop.tries(**SLOW, comparison="above", threshold=2).fired == 0
    assert shop.tries(**{**SLOW, "period": "last_7_days"}, comparison="below", threshold=3).fired == 1


def test_rates_are_those_of_the_orders_as_they_were_then() -> None:
    placed = [order(number, f"13 {9 + number // 10:02}:{number % 10:02}") for number in range(30)]
    called_off = [event("order.status_changed", f"13 14:{number:02}", f"c{number}", order_id=f"{number:04}",
                        status="cancelled") for number in range(9)]  # fmt: skip
    shop = Lived(*placed, *called_off).ends()
    spike = {
        "kind": "rate_spike",
        "metric": "cancellation_rate",
        "period": "today",
        "comparison": "above",
        "threshold": 20,
    }
    found = shop.tries(**spike)
    assert [(row.fired_at, row.value) for row in found.examples] == [(at("13 14:06"), "23.33")]
    assert found.gap is None
    few = Lived(*placed[:19], *called_off).ends()
    assert few.tries(**spike).fired == 0


def test_what_sold_through_is_told_of_the_stock_there_was() -> None:
    stock = event("stock.snapshot", "2 06:00", "s", sku="MUG", location="main", on_hand=20)
    lines = [{"sku": "MUG", "quantity": 10, "unit_price": "1"}]
    sold = [order(1, "12 09:00", lines=lines), order(2, "14 09:00", lines=lines)]
    left = [event("order.status_changed", f"{day} 10:00", f"l{day}", order_id=f"{number:04}", status="shipped")
            for number, day in ((1, 12), (2, 14))]  # fmt: skip
    shop = Lived(stock, sold[0], left[0], sold[1], left[1]).ends()
    rule = {"kind": "metric", "metric": "sell_through", "period": "today", "comparison": "above", "threshold": 60}
    assert [(row.fired_at, row.value) for row in shop.tries(**rule).examples] == [(at("14 10:00"), "100")]


def test_how_things_stood_is_told_by_the_hour_and_says_so() -> None:
    shop = Lived(*(order(number, f"{12 + number} 10:15") for number in range(3))).ends()
    now = {"kind": "metric", "period": "now", "comparison": "above", "threshold": 1}
    found = shop.tries(**now, metric="orders_open")
    assert ([row.fired_at for row in found.examples], found.gap) == ([at("13 11:00")], "by_hour")
    unknown = shop.tries(**now, metric="oldest_open_age")
    assert (unknown.fired, unknown.gap) == (0, "not_kept")


def test_a_source_was_silent_from_its_time_until_it_was_heard_of_again() -> None:
    shop = Lived(wall=RECORDED + 4 * HOUR)
    for number, minute in enumerate((60, 70, 100, 101, 130)):
        shop.shop.now = RECORDED
        record_at(shop, number, RECORDED + minute * MINUTE)
    found = shop.tries(kind="source_silent")
    silent = [RECORDED + minute * MINUTE + 901 * SECOND for minute in (70, 101, 130)]
    assert ([row.fired_at for row in reversed(found.examples)], found.gap) == (silent, None)
    assert shop.tries(kind="source_silent", scope={"source": "erp"}).fired == 0
    assert shop.tries(kind="source_silent", for_seconds=16 * 60).fired == 1


def record_at(shop: Lived, number: int, moment: int) -> None:
    """Something of the till is recorded at that moment, when it happens."""
    from stockwire.core.events import Record
    from stockwire.core.fold import Fold

    state = shop.shop.state
    told = event("stock.received", _text(moment), f"r{number}", sku="MUG", location="main", quantity=1)
    records = [Record(state.version + 1, moment, told)]
    changes = Fold(state).apply(records)
    shop.log.commit(records, changes)
    state.commit(changes)


def test_drift_is_told_by_the_verifications_of_the_week() -> None:
    shop = Lived(wall=RECORDED + HOUR)
    for differences in (0, 2, 2, 0, 1):
        shop.tell("log.verified", "16 10:00", events=1, differences=differences)
    found = shop.tries(kind="drift")
    assert ([row.value for row in reversed(found.examples)], found.gap) == (["2", "1"], None)


def test_what_is_too_much_to_read_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Lived(*(order(number, f"15 09:{number:02}") for number in range(6))).ends()
    monkeypatch.setattr("stockwire.engine.previewing.STEPS_MOST", 4)
    placed = shop.tries(kind="order_status", scope={"statuses": ["placed"]})
    assert (placed.fired, placed.gap) == (4, "too_many")
    rate = {"metric": "cancellation_rate", "period": "today", "comparison": "above", "threshold": 20}
    assert shop.tries(kind="rate_spike", **rate).gap == "too_many"
    monkeypatch.setattr("stockwire.engine.previewing.EVENTS_MOST", 3)
    shop.wall = RECORDED + HOUR
    assert shop.tries(kind="source_silent").gap == "too_many"
