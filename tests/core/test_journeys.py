"""How well the shop ships: from placed to shipped, in time, whole, and what became of the orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from stockwire.core.events import Event
from stockwire.core.projections.journeys import journey_of, nearest_rank
from stockwire.core.projections.periods import Span, periods
from stockwire.core.rows import OrderRow
from stockwire.core.values import DAY, HOUR, MINUTE, moment, moment_text
from tests.core.ledger import Ledger, event, line

RATES = ["on_time_ship_rate", "fill_rate", "cancellation_rate", "return_rate"]
NAMES = ["order_cycle_time", "order_cycle_time_p90", *RATES]


def place(shop: Ledger, time: str, order_id: str, quantity: int = 1, **more: Any) -> None:
    shop.tell("order.placed", time, order_id=order_id, currency="GBP", lines=[line("MUG", quantity, "5")], **more)


def move(shop: Ledger, time: str, order_id: str, status: str, **more: Any) -> None:
    shop.tell("order.status_changed", time, order_id=order_id, status=status, **more)


def shipped(shop: Ledger, order_id: str, placed: str, left: str, **more: Any) -> None:
    place(shop, placed, order_id, **more)
    move(shop, left, order_id, "shipped")


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([15, 20, 35, 40, 50], 5, 15),
        ([15, 20, 35, 40, 50], 40, 20),
        ([15, 20, 35, 40, 50], 50, 35),
        ([15, 20, 35, 40, 50], 100, 50),
        ([1, 2, 3, 4], 50, 2),
        (list(range(1, 11)), 90, 9),
        ([7], 50, 7),
        ([], 50, None),
    ],
)
def test_a_quantile_is_one_of_the_values(values: list[int], percent: int, expected: int | None) -> None:
    assert nearest_rank(values, percent) == expected


def test_cycle_time_is_from_placed_to_shipped_by_the_day_of_shipping() -> None:
    shop = Ledger()
    shipped(shop, "1", "1 22:00", "09:00")  # 660 minutes
    shipped(shop, "2", "08:00", "09:30")  # 90
    shipped(shop, "3", "09:00", "09:40")  # 40
    shipped(shop, "4", "1 08:00", "1 08:05")
    assert shop.metric("order_cycle_time", "today").value == 90
    assert shop.metric("order_cycle_time_p90", "today").value == 660
    assert shop.metric("order_cycle_time", "today").previous == 5
    assert shop.metric("order_cycle_time", "yesterday").value == 5
    assert shop.metric("order_cycle_time", "last_7_days").value == 40
    assert shop.metric("order_cycle_time", "today").unit == "minutes"


def test_each_stage_has_its_median() -> None:
    shop = Ledger()
    for number, minutes in (("1", 10), ("2", 20), ("3", 40)):
        place(shop, "09:00", number)
        move(shop, f"09:{minutes}", number, "confirmed")
        move(shop, f"10:{minutes}", number, "allocated")
    move(shop, "11:00", "1", "shipped")
    move(shop, "11:00", "2", "picking")
    move(shop, "11:30", "2", "packed")
    move(shop, "11:45", "2", "shipped")
    assert shop.metric("order_cycle_time", "today").detail == {
        "orders": 2, "placed_confirmed": 10, "confirmed_allocated": 60, "allocated_picking": 40, "picking_packed": 30,
        "packed_shipped": 15,
    }  # fmt: skip
    assert shop.metric("order_cycle_time_p90", "today").detail is None


def test_an_order_first_heard_of_when_it_was_shipped_does_not_say_how_long_it_took() -> None:
    shop = Ledger()
    place(shop, "09:00", "1", status="shipped")
    row = shop.metric("order_cycle_time", "today")
    assert (row.value, row.state, row.detail) == (None, "ok", {"orders": 1})
    assert shop.metric("fill_rate", "today").value == 100


def test_in_time_is_by_the_moment_promised() -> None:
    shop = Ledger()
    shipped(shop, "1", "09:00", "10:00", promised_at="2026-03-02T10:00:00Z")
    shipped(shop, "2", "09:00", "10:01", promised_at="2026-03-02T10:00:00Z")
    shipped(shop, "3", "09:00", "10:02")
    shipped(shop, "4", "09:00", "10:03", promised_at="2026-03-03T10:00:00Z")
    assert shop.metric("on_time_ship_rate", "today").value == 66.67


def test_without_promises_nobody_knows_what_is_in_time() -> None:
    shop = Ledger()
    shipped(shop, "1", "09:00", "10:00")
    assert shop.metric("on_time_ship_rate", "today").state == "no_data"


def test_what_was_cancelled_before_the_rest_left_is_not_filled() -> None:
    shop = Ledger()
    place(shop, "09:00", "1", 8)
    move(shop, "09:10", "1", "cancelled", lines=[{"line": "1", "quantity": 2}])
    move(shop, "09:20", "1", "shipped")
    assert shop.metric("fill_rate", "today").value == 75
    place(shop, "09:30", "2", 4)
    move(shop, "09:40", "2", "shipped", lines=[{"line": "1", "quantity": 1}])
    assert shop.metric("fill_rate", "today").value == 75
    move(shop, "09:50", "2", "cancelled")
    assert shop.metric("fill_rate", "today").value == 58.33  # 7 of 12


def test_the_backlog_is_told_in_hours_at_the_pace_of_seven_days() -> None:
    shop = Ledger()
    for number in range(1, 8):
        shipped(shop, str(number), "09:00", "09:30")
    assert shop.metric("backlog_hours").value == 0
    place(shop, "10:00", "8")
    place(shop, "10:00", "9")
    assert shop.metric("backlog_hours").value == 48  # 2 orders, 7 in 168 hours
    move(shop, "10:10", "9", "shipped")
    assert shop.metric("backlog_hours").value == 21
    shop.tell("clock.ticked", "9 10:10", source="stockwire")
    row = shop.metric("backlog_hours")
    assert (row.value, row.state, row.unit) == (None, "ok", "hours")


def test_cancelled_and_returned_are_shares_of_what_was_placed() -> None:
    shop = Ledger()
    for number in ("1", "2", "3", "4"):
        place(shop, "1 09:00", number, 5)
    move(shop, "1 10:00", "1", "shipped")
    move(shop, "1 10:00", "2", "shipped")
    move(shop, "09:00", "3", "cancelled")
    move(shop, "10:00", "1", "returned", lines=[{"line": "1", "quantity": 2}])
    assert shop.values("yesterday", ["cancellation_rate", "return_rate"]) == {
        "cancellation_rate": 25,
        "return_rate": 20,
    }
    assert shop.values("today", ["cancellation_rate", "return_rate"]) == {
        "cancellation_rate": None,
        "return_rate": None,
    }
    assert shop.metric("cancellation_rate", "today").previous == 25


def test_orders_that_only_ever_are_placed_say_nothing_of_what_becomes_of_them() -> None:
    shop = Ledger()
    place(shop, "09:00", "1")
    assert {shop.metric(name, "today").state for name in NAMES} == {"no_data"}
    assert shop.metric("backlog_hours").state == "no_data"


def test_a_draft_has_no_journey() -> None:
    shop = Ledger()
    place(shop, "09:00", "1", status="draft")
    assert journey_of(shop.order("1")) is None
    move(shop, "09:00", "1", "cancelled")
    assert shop.metric("cancellation_rate", "today").state == "no_data"


def test_what_was_heard_is_known_after_a_start() -> None:
    shop = Ledger()
    shipped(shop, "1", "09:00", "10:00", promised_at="2026-03-02T10:00:00Z")
    move(shop, "10:10", "1", "returned")
    shop.restart()
    shop.tell("clock.ticked", "2026-06-02T10:00:00Z", source="stockwire")
    shop.restart()
    shop.tell("clock.ticked", "2026-06-02T10:01:00Z", source="stockwire")
    assert {(shop.metric(name, "today").state, shop.metric(name, "today").value) for name in NAMES} == {("ok", None)}


def test_journeys_older_than_61_days_are_let_go() -> None:
    shop = Ledger()
    shipped(shop, "1", "09:00", "10:00")
    shop.tell("clock.ticked", "2026-05-05T09:00:00Z", source="stockwire")
    assert shop.state.journeys._journeys == {}


# Against a naive look through all orders

START = moment("2026-01-01T00:00:00Z")
STEPS = ["confirmed", "allocated", "packed", "shipped", "delivered", "cancelled", "returned", "expired"]
MOVES = st.tuples(st.sampled_from("123456"), st.sampled_from(["placed", *STEPS]), st.integers(0, 1), st.integers(1, 3))
TOLD = st.lists(st.tuples(st.integers(0, 70 * 24 * 60), MOVES), min_size=1, max_size=30)


def told_event(number: int, minutes: int, order_id: str, status: str, partly: int, units: int) -> Event:
    time = moment_text(START + minutes * MINUTE)
    if status == "placed":
        promise = {"promised_at": moment_text(START + (minutes + 2000) * MINUTE)} if partly else {}
        return event("order.placed", time, str(number), order_id=order_id, currency="GBP",
                     lines=[line("MUG", units + 1, "5")], **promise)  # fmt: skip
    part = {"lines": [{"line": "1", "quantity": units}]} if partly else {}
    return event("order.status_changed", time, str(number), order_id=order_id, status=status, **part)


def percent(part: int, whole: int) -> float | None:
    return None if whole == 0 else float(f"{(part * 20_000 + whole) // (2 * whole) / 100:.2f}")


def naive(orders: Sequence[OrderRow], span: Span) -> dict[str, Any]:
    """The metrics of a span by looking through every order."""
    ways = [way for order in orders if (way := journey_of(order)) is not None]
    ended = [way for way in ways if way.ended_at is not None and span.start <= way.ended_at < span.end]
    placed = [way for way in ways if span.start <= way.placed_at < span.end]
    cycles = sorted(way.cycle for way in ended if way.cycle is not None)

    def rank(share: int) -> int | None:
        found = [each for place, each in enumerate(cycles, 1) if place * 100 >= share * len(cycles)]
        return found[0] // MINUTE if found else None

    promised = [way for way in ended if way.in_time is not None]
    return {
        "order_cycle_time": rank(50),
        "order_cycle_time_p90": rank(90),
        "on_time_ship_rate": percent(sum(way.in_time is True for way in promised), len(promised)),
        "fill_rate": percent(sum(way.shipped for way in ended), sum(way.ordered for way in ended)),
        "cancellation_rate": percent(sum(way.is_cancelled for way in placed), len(placed)),
        "return_rate": percent(sum(way.returned for way in placed), sum(way.shipped for way in placed)),
    }


@settings(max_examples=40, deadline=None)
@given(TOLD, st.booleans(), st.integers(1, 6), st.integers(0, 4))
def test_every_period_is_told_by_the_orders_in_it(
    told: list[tuple[int, Any]], in_order: bool, size: int, restart: int
) -> None:
    shop = Ledger(timezone="Europe/London")
    told = sorted(told) if in_order else told
    events = [told_event(number, minutes, *step) for number, (minutes, step) in enumerate(told)]
    for batch, first in enumerate(range(0, len(events), size)):
        shop.write(events[first : first + size])
        if batch == restart:
            shop.restart()
        orders = list(shop.all_orders().values())
        for period in periods(shop.state.clock, "Europe/London"):
            mine, twin = naive(orders, period.span), naive(orders, period.twin)
            for name in NAMES:
                row = shop.metric(name, period.name)
                if row.state == "ok":
                    assert (row.value, row.previous) == (mine[name], twin[name]), (name, period.name)
                else:
                    assert name.startswith("return") or not mine[name], (name, period.name)
        end = shop.state.clock - shop.state.clock % MINUTE + MINUTE
        lately = Span(end - 7 * DAY, end)
        left = sum(
            1
            for order in orders
            if (way := journey_of(order)) is not None and way.was_shipped and lately.start <= way.ended_at < lately.end
        )
        backlog = shop.metric("backlog_hours")
        waiting = sum(order.status in ("placed", "confirmed", "allocated", "picking", "packed") for order in orders)
        if backlog.state == "ok" and left:
            assert backlog.value == round((waiting * 168 * 200 + left) // (2 * left) / 100, 2)
        else:
            assert backlog.value is None


@settings(max_examples=20, deadline=None)
@given(TOLD, st.integers(2, 9))
def test_the_size_of_the_batches_does_not_matter(told: list[tuple[int, Any]], size: int) -> None:
    events = [told_event(number, minutes, *step) for number, (minutes, step) in enumerate(told)]
    one, many = Ledger(), Ledger()
    for each in events:
        one.write([each])
    for first in range(0, len(events), size):
        many.write(events[first : first + size])
    for period in ("today", "yesterday", "last_7_days", "last_30_days"):
        assert one.values(period, NAMES) == many.values(period, NAMES)
    assert one.metric("backlog_hours").value == many.metric("backlog_hours").value


def test_a_late_step_counts_on_the_day_it_happened() -> None:
    shop = Ledger()
    place(shop, "1 09:00", "1")
    shop.tell("clock.ticked", "3 12:00", source="stockwire")
    move(shop, "2 11:00", "1", "shipped")
    row = shop.metric("order_cycle_time", "yesterday")
    assert row.value == 26 * HOUR // MINUTE
    assert shop.metric("order_cycle_time", "today").previous == row.value
