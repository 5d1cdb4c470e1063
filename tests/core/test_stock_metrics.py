"""How long the stock lasts, how it sells and how well it is counted; and what the log's last verification found."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from stockwire.core.cover import WINDOW, sold_on
from stockwire.core.events import Event
from stockwire.core.projections.metrics import rounded
from stockwire.core.projections.periods import Span, periods
from stockwire.core.rows import InventoryRow
from stockwire.core.values import DAY, HOUR, MINUTE, QUANTITY_SCALE, moment_text
from stockwire.core.wire import show_row
from tests.core.ledger import Ledger, at, event, line, units

MONDAY = at("00:00")


def fulfil(shop: Ledger, time: str, quantity: int, sku: str = "MUG") -> None:
    shop.tell("stock.committed", time, sku=sku, quantity=quantity)
    shop.tell("stock.fulfilled", time, sku=sku, quantity=quantity)


def tick(shop: Ledger, time: str) -> None:
    shop.tell("clock.ticked", time, source="stockwire")


def cover(shop: Ledger, sku: str = "MUG") -> Any:
    return show_row("inventory", shop.stock(sku))["days_of_cover"]


def test_cover_is_what_is_available_by_what_left_a_day() -> None:
    shop = Ledger()
    shop.tell("stock.received", "2 09:00", sku="MUG", quantity=100)
    assert cover(shop) is None and shop.metric("days_of_cover").state == "no_data"
    fulfil(shop, "2 10:00", 10)
    assert cover(shop) == 9  # 90 are left, and 10 leave in its one day
    fulfil(shop, "4 10:00", 20)
    assert cover(shop) == 7  # 70 are left, and 30 left in 3 days
    assert shop.metric("days_of_cover").value == 7
    tick(shop, "8 00:00")
    assert cover(shop) == 16.3  # 7 days now, x 70 / 30


def test_what_left_before_the_window_counts_no_more() -> None:
    shop = Ledger()
    shop.tell("stock.received", "2026-01-05T09:00:00Z", sku="MUG", quantity=100)
    fulfil(shop, "2026-01-06T10:00:00Z", 40)
    fulfil(shop, "2026-01-20T10:00:00Z", 4)
    tick(shop, "2026-02-02T23:59:00Z")
    assert cover(shop) == 35.6  # 56 x 28 / 44
    before = shop.stock().version
    tick(shop, "2026-02-03T00:00:00Z")
    assert cover(shop) == 392 and shop.stock().version == shop.version > before  # 56 x 28 / 4
    tick(shop, "2026-06-01T00:00:00Z")
    assert cover(shop) is None and shop.stock().sold == ()
    assert (shop.metric("days_of_cover").state, shop.metric("days_of_cover").value) == ("ok", None)


def test_goods_that_ship_with_an_order_are_demand_and_what_comes_back_is_not() -> None:
    shop = Ledger()
    shop.tell("stock.received", "09:00", sku="MUG", quantity=20)
    shop.tell("order.placed", "09:01", order_id="1", currency="GBP", lines=[line("MUG", 4)])
    shop.tell("order.status_changed", "09:02", order_id="1", status="shipped")
    shop.tell("order.credited", "09:03", document="C1", currency="GBP", order_id="1", lines=[line("MUG", 1, "5")])
    shop.tell("stock.adjusted", "09:04", sku="MUG", quantity=-5, reason="loss")
    assert [units(left) for _, left in shop.stock().sold] == [4]
    assert cover(shop) == 3  # 20 - 4 + 1 - 5 = 12, by 4 a day
    shop.tell("order.status_changed", "09:05", order_id="1", status="packed")
    assert shop.stock().sold == () and cover(shop) is None


def test_nothing_that_is_not_tracked_or_available_lasts() -> None:
    shop = Ledger()
    shop.tell("stock.received", "09:00", sku="MUG", quantity=1)
    fulfil(shop, "09:01", 3)
    assert cover(shop) == 0
    shop.tell("product.updated", "09:02", sku="MUG", tracked=False)
    assert cover(shop) is None


def test_sell_through_is_what_left_by_that_and_what_is_still_there() -> None:
    shop = Ledger()
    shop.tell("stock.received", "1 09:00", sku="MUG", quantity=100)
    assert shop.metric("sell_through", "today").state == "no_data"
    fulfil(shop, "1 10:00", 20)
    fulfil(shop, "2 10:00", 20)
    today = shop.metric("sell_through", "today")
    assert (today.value, today.previous) == (25, 20)  # 20 of 80; by this time yesterday 20 of 100
    assert shop.metric("sell_through", "yesterday").value == 20
    assert shop.metric("sell_through", "last_7_days").value == 40
    assert shop.metric("sell_through", "last_7_days").previous is None  # there was nothing yet


def test_a_count_is_right_when_it_finds_what_was_on_record_at_its_time() -> None:
    shop = Ledger()
    shop.tell("stock.counted", "09:00", sku="MUG", quantity=10)
    assert shop.metric("inventory_accuracy", "today").state == "no_data"  # there was no record to be right
    shop.tell("stock.adjusted", "09:10", sku="MUG", quantity=-2)
    shop.tell("stock.counted", "09:20", sku="MUG", quantity=8)
    shop.tell("stock.received", "09:40", sku="MUG", quantity=5)
    shop.tell("stock.counted", "09:30", sku="MUG", quantity=8)  # told late, and right when it was taken
    shop.tell("stock.counted", "09:50", sku="MUG", quantity=12)
    shop.tell("stock.counted", "09:25", sku="MUG", quantity=1)  # older than the newest one: changes and says nothing
    row = shop.metric("inventory_accuracy", "today")
    assert (row.value, row.detail) == (66.67, {"counts": 3})


def test_the_last_verification_is_an_event_like_any_other() -> None:
    shop = Ledger()
    tick(shop, "09:00")
    assert {shop.metric(name).state for name in ("drift", "last_verified_at")} == {"no_data"}
    shop.tell("log.verified", "09:00", source="stockwire", events=1, differences=0)
    assert shop.metric("drift").value == 0
    assert shop.metric("last_verified_at").value == moment_text(10**15 + 2)  # when it was recorded
    shop.restart()
    tick(shop, "09:01")
    assert shop.metric("drift").value == 0 and shop.metric("last_verified_at").state == "ok"


# Whatever happens

STEPS = st.lists(
    st.tuples(
        st.integers(0, 70 * 24 * 60),
        st.sampled_from(["stock.fulfilled", "stock.received", "stock.counted", "stock.adjusted", "clock.ticked"]),
        st.sampled_from(["MUG", "CUP"]),
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=30,
)


def told(steps: list[tuple[int, str, str, int]]) -> list[Event]:
    """The steps as events, in an order that is nearly that of their times."""
    events = []
    for number, (minute, type_, sku, quantity) in enumerate(sorted(steps, key=lambda step: step[0] // 2_000)):
        time = moment_text(MONDAY + minute * MINUTE)
        if type_ == "clock.ticked":
            events.append(event(type_, time, f"{number}", "stockwire"))
        else:
            events.append(event(type_, time, f"{number}", sku=sku, quantity=quantity))
    return events


def naive_cover(shop: Ledger, row: InventoryRow) -> int | None:
    """By walking through the ledger of its movements."""
    today = shop.state.clock // DAY
    left = -sum(
        movement.on_hand
        for movement in shop.movements
        if (movement.sku, movement.location) == row.key and movement.type == "stock.fulfilled"
        if today - WINDOW < movement.occurred_at // DAY
    )
    if left <= 0:
        return None
    days = max(1, min(WINDOW, today - row.since // DAY + 1))
    tenths = Fraction(max(0, row.available) * days * 10, left)
    return rounded(tenths.numerator, tenths.denominator) * QUANTITY_SCALE // 10


@settings(deadline=None, max_examples=40)
@given(STEPS, st.integers(1, 9), st.booleans())
def test_cover_and_periods_are_those_of_the_ledger_in_batches_of_any_size(
    steps: list[tuple[int, str, str, int]], size: int, restarted: bool
) -> None:
    events = told(steps)
    shop, single = Ledger(), Ledger()
    for start in range(0, len(events), size):
        shop.write(events[start : start + size])
        if restarted:
            shop.restart()
    for each in events:
        single.write([each])
    assert shop.parked == []
    assert shop.state.inventory.rows == single.state.inventory.rows and shop.minutes == single.minutes
    for row in shop.state.inventory:
        assert row.days_of_cover == naive_cover(shop, row)
    for period in periods(shop.state.clock, "UTC"):
        row = shop.metric("sell_through", period.name)
        if row.state == "ok":
            assert (row.value, row.previous) == (sold_through(shop, period.span), sold_through(shop, period.twin))


def sold_through(shop: Ledger, span: Span) -> int | float | None:
    left = -sum(
        movement.on_hand
        for movement in shop.movements
        if movement.type == "stock.fulfilled" and span.start <= movement.occurred_at < span.end
    )
    closing = sum(movement.on_hand for movement in shop.movements if movement.occurred_at < span.end)
    if left + closing <= 0:
        return None
    value = rounded(left * 10_000, left + closing) / 100
    return int(value) if value == int(value) else value


def test_days_that_left_the_window_take_nothing_in() -> None:
    assert sold_on((), 100 - WINDOW, 5, 100) == ()
    assert sold_on((), 101 - WINDOW, 5, 100) == ((101 - WINDOW, 5),)
    assert sold_on(((99, 5),), 99, -5, 100) == ()


@pytest.mark.parametrize("hours", [1, 30])
def test_an_hour_of_stock_alone_leaves_the_sales_of_hours_as_they_were(hours: int) -> None:
    shop = Ledger()
    shop.tell("order.placed", "09:00", order_id="1", currency="GBP", lines=[line("MUG", 1, "5")])
    sold = shop.state.hours.rows[at("09:00")].gross_sales
    shop.tell("stock.received", moment_text(at("09:00") + hours * HOUR), sku="CUP", quantity=3)
    fulfil(shop, "09:30", 1, "CUP")
    assert shop.state.hours.rows[at("09:00")].gross_sales == sold
