"""The key numbers: exact, by the shop's own days, and silent about what nobody ever said."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from stockwire.core.projections.metrics import rounded
from stockwire.core.projections.periods import periods
from stockwire.core.rows import HourRow
from stockwire.core.values import DAY, HOUR, MINUTE, amount_text, moment, moment_text
from tests.core.ledger import Ledger, at, event, line

ROOT = Path(__file__).resolve().parents[2]
SALES = ["gross_sales", "net_sales", "total_sales", "orders_placed", "units_sold", "average_order_value"]
STOCK = ["stockout_rate", "oversold_count", "out_of_stock_count", "low_stock_count", "inventory_value"]
ORDERS = ["orders_open", "orders_late", "orders_at_risk", "oldest_open_age"]


def sell(shop: Ledger, time: str, order_id: str, *lines: dict[str, Any], **more: Any) -> None:
    shop.tell("order.placed", time, order_id=order_id, **({"currency": "GBP", "lines": list(lines)} | more))


def hour(shop: Ledger, time: str) -> HourRow:
    return shop.state.hours.rows[at(time)]


def test_a_shop_of_ten_events_adds_up_to_the_totals_on_paper() -> None:
    shop = Ledger()
    shop.tell("product.updated", "08:00", sku="MUG", reorder_point=4, unit_cost="2.50", currency="GBP")
    shop.tell("stock.received", "08:01", sku="MUG", quantity=10, source="erp")
    shop.tell("stock.received", "08:02", sku="CUP", quantity=2, unit_cost="1.10", source="erp")
    sell(shop, "1 08:30", "900", line("MUG", 1, "6.95"), status="completed")
    sell(shop, "09:00", "1001", line("MUG", 3, "6.95", discount="0.85"), line("CUP", 2, "4"), shipping="3.50", tax="1")
    sell(shop, "09:01", "1002", line("MUG", 2, "6.95"), line("TEA", 0.25, "8"), discount="1")
    shop.tell("order.updated", "09:02", order_id="1002", lines=[line("MUG", 4, "6.95", line="1")])
    shop.tell(
        "order.status_changed", "09:03", order_id="1001", status="cancelled", lines=[{"line": "2", "quantity": 1}]
    )
    shop.tell("order.credited", "09:04", document="C1", currency="GBP", lines=[line("MUG", 1, "6.95")])
    shop.tell(
        "order.credited",
        "09:05",
        document="A1",
        currency="GBP",
        reason="bad_debt",
        lines=[line("B", 1, "90", restock=False)],
    )
    assert shop.parked == []
    # gross 3 x 6.95 + 2 x 4 + 4 x 6.95 + 0.25 x 8; discounts 0.85 + 1; returns one cup cancelled, one mug credited
    assert shop.values("today", SALES) == {
        "gross_sales": "58.65",
        "net_sales": "45.85",
        "total_sales": "50.35",
        "orders_placed": 2,
        "units_sold": 9.25,
        "average_order_value": "28.4",
    }
    assert shop.values("yesterday", SALES)["gross_sales"] == "6.95"
    assert shop.metric("gross_sales", "today").previous == "6.95"
    assert shop.values("last_7_days", SALES)["gross_sales"] == "65.6"
    assert shop.values("last_30_days", SALES)["orders_placed"] == 3
    assert shop.metric("orders_per_minute", "today").value == 0.2
    # mugs: 10 - 1 + 1 on hand of which 7 promised; cups: 2 on hand, 1 promised; tea: 0.25 promised of nothing
    assert shop.values("now", STOCK) == {
        "stockout_rate": 33.33,
        "oversold_count": 1,
        "out_of_stock_count": 0,
        "low_stock_count": 1,
        "inventory_value": "27.2",
    }
    assert shop.metric("orders_open").detail == {"placed": 2, "on_hold": 0}
    assert shop.values("now", ORDERS) == {"orders_open": 2, "orders_late": 0, "orders_at_risk": 0, "oldest_open_age": 5}
    assert shop.metric("source_lag").value == 0


def test_what_no_source_ever_said_is_no_data() -> None:
    shop = Ledger()
    shop.tell("clock.ticked", "09:00", source="stockwire")
    rows = list(shop.state.metrics)
    assert len(rows) == 4 * (6 + 6 + 2) + 1 + 1 + 4 + 5 + 1 + 1 + 2
    assert {(row.state, row.value, row.previous) for row in rows} == {("no_data", None, None)}
    assert hour(shop, "09:00").orders_open is None and hour(shop, "09:00").inventory_value is None


def test_every_metric_is_in_the_reference_and_in_the_spec() -> None:
    shop = Ledger()
    shop.tell("clock.ticked", "09:00", source="stockwire")
    for page in ("docs/reference/metrics.md", "spec/rows.md"):
        words = set(re.findall(r"[a-z_0-9]+", (ROOT / page).read_text("utf-8")))
        assert {row.metric for row in shop.state.metrics} <= words


def test_stock_without_a_cost_has_no_value() -> None:
    shop = Ledger()
    shop.tell("stock.received", "09:00", sku="MUG", quantity=1)
    assert shop.metric("inventory_value").state == "no_data"
    assert shop.metric("out_of_stock_count").value == 0
    assert shop.metric("gross_sales", "today").state == "no_data"


def test_an_average_of_no_orders_is_none() -> None:
    shop = Ledger()
    sell(shop, "09:00", "1001", line("MUG", 1, "6.95"))
    shop.tell("clock.ticked", "3 09:00", source="stockwire")
    row = shop.metric("average_order_value", "today")
    assert (row.value, row.state, row.previous) == (None, "ok", "6.95")


@pytest.mark.parametrize(
    ("value", "by", "expected"), [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (5, 3, 2), (0, 7, 0), (1, 2, 1)]
)
def test_a_half_is_rounded_away_from_zero(value: int, by: int, expected: int) -> None:
    assert rounded(value, by) == expected


def test_an_average_is_rounded_to_two_decimals() -> None:
    shop = Ledger()
    for number, price in enumerate(["1", "1", "1.01"]):
        sell(shop, "09:00", str(number), line("MUG", 1, price))
    assert shop.metric("average_order_value", "today").value == "1"
    sell(shop, "09:00", "more", line("MUG", 1, "1.01"))
    assert shop.metric("average_order_value", "today").value == "1.01"


# Which orders count


def test_a_draft_counts_when_it_is_placed() -> None:
    shop = Ledger()
    sell(shop, "1 09:00", "1001", line("MUG", 2, "5"), status="draft", shipping="3")
    assert shop.metric("gross_sales", "today").value == "0"
    shop.tell("order.status_changed", "09:00", order_id="1001", status="placed")
    assert shop.values("today", ["gross_sales", "total_sales", "orders_placed"]) == {
        "gross_sales": "10", "total_sales": "13", "orders_placed": 1,
    }  # fmt: skip
    assert shop.metric("orders_placed", "yesterday").value == 0


def test_a_draft_that_is_cancelled_never_counts() -> None:
    shop = Ledger()
    sell(shop, "09:00", "1001", line("MUG", 2, "5"), status="draft")
    shop.tell("order.status_changed", "09:10", order_id="1001", status="cancelled")
    assert shop.values("today", ["gross_sales", "net_sales", "orders_placed"]) == {
        "gross_sales": "0", "net_sales": "0", "orders_placed": 0,
    }  # fmt: skip


def test_a_cancelled_order_leaves_gross_sales_and_net_sales_of_nothing() -> None:
    shop = Ledger()
    sell(shop, "09:00", "1001", line("MUG", 2, "5"))
    shop.tell("order.status_changed", "09:10", order_id="1001", status="cancelled")
    assert shop.values("today", ["gross_sales", "net_sales", "orders_placed"]) == {
        "gross_sales": "10", "net_sales": "0", "orders_placed": 1,
    }  # fmt: skip


def test_an_order_told_twice_counts_once() -> None:
    shop = Ledger()
    sell(shop, "09:00", "1001", line("MUG", 2, "5"))
    sell(shop, "09:01", "1001", line("MUG", 2, "5"))
    assert shop.values("today", ["gross_sales", "orders_placed"]) == {"gross_sales": "10", "orders_placed": 1}


def test_an_order_whose_beginning_comes_late_counts_in_the_minute_it_was_placed() -> None:
    shop = Ledger()
    shop.tell("order.status_changed", "09:30", order_id="1001", status="shipped")
    assert shop.metric("orders_placed", "today").value == 0
    sell(shop, "09:00", "1001", line("MUG", 2, "5"))
    assert shop.metric("orders_placed", "today").value == 1
    assert shop.minutes[at("09:00")].orders_placed == 1


def test_orders_in_another_currency_count_but_their_money_does_not() -> None:
    shop = Ledger()
    sell(shop, "09:00", "1001", line("MUG", 1, "5"))
    sell(shop, "09:01", "1002", line("MUG", 2, "700"), currency="SEK", shipping="50")
    shop.tell("order.credited", "09:02", document="C1", currency="SEK", lines=[line("MUG", 1, "700")])
    assert shop.values("today", SALES) == {
        "gross_sales": "5", "net_sales": "5", "total_sales": "5", "orders_placed": 2, "units_sold": 3,
        "average_order_value": "5",
    }  # fmt: skip
    assert shop.metric("gross_sales", "today").detail == {"other_currency_orders": 1}
    assert shop.metric("orders_placed", "today").detail is None
    assert shop.metric("gross_sales", "today").currency == "GBP"


def test_stock_in_another_currency_is_not_in_the_inventory_value() -> None:
    shop = Ledger()
    shop.tell("product.updated", "09:00", sku="MUG", location="main", unit_cost="2", currency="GBP")
    shop.tell("product.updated", "09:00", sku="CUP", location="main", unit_cost="20", currency="SEK")
    for sku in ("MUG", "CUP"):
        shop.tell("stock.received", "09:01", sku=sku, quantity=3)
    row = shop.metric("inventory_value")
    assert (row.value, row.detail) == ("6", {"other_currency_rows": 1})


def test_untracked_stock_is_never_out_of_stock() -> None:
    shop = Ledger()
    shop.tell("product.updated", "09:00", sku="GIFT", location="main", tracked=False)
    assert shop.values("now", ["stockout_rate", "out_of_stock_count"]) == {
        "stockout_rate": None,
        "out_of_stock_count": 0,
    }


# How things stand


def test_open_orders_are_told_by_status_and_hold() -> None:
    shop = Ledger()
    for number in range(3):
        sell(shop, "09:00", str(number), line("MUG", 1))
    shop.tell("order.status_changed", "09:10", order_id="1", status="confirmed")
    shop.tell("order.status_changed", "09:10", order_id="2", status="cancelled")
    shop.tell("order.held", "09:10", order_id="1")
    row = shop.metric("orders_open")
    assert (row.value, row.detail) == (2, {"confirmed": 1, "on_hold": 1, "placed": 1})


def test_lateness_is_counted_as_the_clock_passes() -> None:
    shop = Ledger()  # an hour is allowed
    sell(shop, "09:00", "1", line("MUG", 1))
    sell(shop, "09:30", "2", line("MUG", 1))
    shop.tell("clock.ticked", "10:20", source="stockwire")
    assert shop.values("now", ["orders_late", "orders_at_risk", "oldest_open_age"]) == {
        "orders_late": 1, "orders_at_risk": 1, "oldest_open_age": 80,
    }  # fmt: skip


def test_nobody_waits_for_a_delivered_order() -> None:
    shop = Ledger()
    sell(shop, "09:00", "1", line("MUG", 1))
    sell(shop, "09:30", "2", line("MUG", 1))
    shop.tell("order.status_changed", "10:00", order_id="1", status="delivered")
    assert shop.metric("oldest_open_age").value == 30
    shop.tell("order.status_changed", "10:00", order_id="2", status="delivered")
    assert (shop.metric("oldest_open_age").value, shop.metric("oldest_open_age").state) == (None, "ok")


def test_the_source_lag_is_since_the_newest_event_of_any_source() -> None:
    shop = Ledger()
    shop.tell("stock.received", "09:00", sku="MUG", quantity=1)
    shop.tell("stock.received", "08:00", sku="MUG", quantity=1, source="erp")
    shop.tell("clock.ticked", "09:02", source="stockwire")
    assert shop.metric("source_lag").value == 120
    assert sorted(shop.state.sources.rows) == [("erp",), ("till",)]


# Periods


def spans(clock: str, zone: str) -> dict[str, list[str]]:
    return {
        period.name: [moment_text(each)[5:16] for each in (*period.span, *period.twin)]
        for period in periods(moment(clock), zone)
    }


def test_a_day_begins_at_local_midnight() -> None:
    told = spans("2026-03-02T14:02:11Z", "America/New_York")
    assert told["today"] == ["03-02T05:00", "03-02T14:03", "03-01T05:00", "03-01T14:03"]
    assert told["yesterday"] == ["03-01T05:00", "03-02T05:00", "02-28T05:00", "03-01T05:00"]
    assert told["last_7_days"] == ["02-24T05:00", "03-02T14:03", "02-17T05:00", "02-23T14:03"]
    assert told["last_30_days"] == ["02-01T05:00", "03-02T14:03", "01-02T05:00", "01-31T14:03"]


def test_the_twin_ends_at_the_same_wall_clock_time_across_a_change_of_the_clocks() -> None:
    # the clocks of London go forward in the night to 29 March 2026
    told = spans("2026-03-29T11:00:00Z", "Europe/London")
    assert told["today"] == ["03-29T00:00", "03-29T11:01", "03-28T00:00", "03-28T12:01"]
    told = spans("2026-03-30T11:00:00Z", "Europe/London")
    assert told["yesterday"] == ["03-29T00:00", "03-29T23:00", "03-28T00:00", "03-29T00:00"]


def test_a_zone_off_the_hour_has_its_own_midnight() -> None:
    assert spans("2026-03-02T14:00:00Z", "Asia/Kathmandu")["today"][0] == "03-01T18:15"


def test_the_twin_of_today_is_the_same_part_of_yesterday() -> None:
    shop = Ledger()
    for number, (time, price) in enumerate([("1 09:00", "1"), ("1 09:30", "2"), ("1 09:31", "4"), ("09:30", "8")]):
        sell(shop, time, str(number), line("MUG", 1, price))
    row = shop.metric("gross_sales", "today")
    assert (row.value, row.previous) == ("8", "3")
    assert (moment_text(row.as_of), moment_text(row.since or 0)) == ("2026-03-02T09:30:00Z", "2026-03-02T00:00:00Z")
    assert shop.metric("gross_sales", "yesterday").value == "7"


def test_a_late_sale_counts_on_the_day_it_happened() -> None:
    shop = Ledger()
    sell(shop, "3 12:00", "1", line("MUG", 1, "1"))
    sell(shop, "2 11:00", "2", line("MUG", 1, "2"))
    sell(shop, "2 13:00", "3", line("MUG", 1, "4"))
    assert (shop.metric("gross_sales", "today").value, shop.metric("gross_sales", "today").previous) == ("1", "2")
    assert shop.metric("gross_sales", "yesterday").value == "6"


def test_a_sale_of_long_ago_still_adds_to_its_own_minute() -> None:
    shop = Ledger()
    long_ago = "2025-06-01T10:00:00Z"
    sell(shop, long_ago, "1", line("MUG", 1, "1"))
    sell(shop, "09:00", "2", line("MUG", 1, "2"))
    sell(shop, long_ago, "3", line("MUG", 1, "4"))
    assert amount_text(shop.minutes[moment(long_ago)].gross_sales) == "5"
    assert moment(long_ago) not in shop.state.sales._minutes
    assert shop.metric("gross_sales", "last_30_days").value == "2"


def test_another_time_zone_moves_the_days() -> None:
    shop = Ledger()
    sell(shop, "1 23:30", "1", line("MUG", 1, "1"))
    sell(shop, "09:00", "2", line("MUG", 1, "2"))
    assert shop.metric("gross_sales", "today").value == "2"
    shop.tell(
        "shop.configured", "09:00", source="stockwire", timezone="Europe/Paris", currency="GBP", allowed_minutes={}
    )
    assert shop.metric("gross_sales", "today").value == "3"


# Hours


def test_an_hour_keeps_what_happened_and_how_things_stood_at_its_end() -> None:
    shop = Ledger()
    shop.tell("stock.received", "09:10", sku="MUG", quantity=2, unit_cost="3")
    sell(shop, "09:20", "1", line("MUG", 3, "5"))
    sell(shop, "11:00", "2", line("CUP", 1, "7"))
    nine, eleven = hour(shop, "09:00"), hour(shop, "11:00")
    assert (nine.orders_placed, nine.units_sold, nine.gross_sales) == (1, 3_000, 150_000_000)
    assert (nine.orders_open, nine.oversold_count, nine.inventory_value) == (1, 1, 60_000_000)
    # 48 minutes after 9:20 it was 10:08: nothing was at risk when the hour ended
    assert (nine.orders_at_risk, nine.orders_late) == (0, 0)
    assert (eleven.orders_open, eleven.orders_late, eleven.oversold_count) == (2, 1, 2)
    assert sorted(shop.state.hours.rows) == [at("09:00"), at("11:00")]


def test_an_hour_ends_with_the_orders_that_became_late_in_it() -> None:
    shop = Ledger()
    sell(shop, "09:00", "1", line("MUG", 1))
    shop.tell("clock.ticked", "09:01", source="stockwire")
    shop.tell("clock.ticked", "10:30", source="stockwire")
    assert (hour(shop, "09:00").orders_at_risk, hour(shop, "09:00").orders_late) == (1, 0)
    assert (hour(shop, "10:00").orders_at_risk, hour(shop, "10:00").orders_late) == (0, 1)


def test_hours_older_than_62_days_are_let_go() -> None:
    shop = Ledger()
    sell(shop, "2026-03-02T09:00:00Z", "1", line("MUG", 1))
    sell(shop, "2026-05-03T09:00:00Z", "2", line("MUG", 1))
    assert at("09:00") in shop.state.hours.rows
    changes = shop.tell("clock.ticked", "2026-05-03T10:00:00Z", source="stockwire")
    assert changes.hours[at("09:00")] is None
    assert at("09:00") not in shop.state.hours.rows


def test_a_late_sale_counts_in_the_oldest_hour_that_is_kept() -> None:
    shop = Ledger()
    shop.tell("clock.ticked", "2026-05-03T09:30:00Z", source="stockwire")
    sell(shop, "2026-03-02T09:10:00Z", "1", line("MUG", 1))
    sell(shop, "2026-03-02T08:50:00Z", "2", line("MUG", 1))
    assert hour(shop, "09:00").orders_placed == 1
    assert at("08:00") not in shop.state.hours.rows


# Against a naive sum

ZONES = st.sampled_from(["UTC", "Europe/London", "America/New_York", "Asia/Kathmandu"])
START = moment("2026-01-01T00:00:00Z")


def naive(sales: list[tuple[int, int]], clock: int, zone: str) -> dict[str, tuple[int, int]]:
    """Per period the sum of the sales in it and in its twin, by the calendar and the wall clock alone."""
    tz = ZoneInfo(zone)

    def wall(moment_: int) -> datetime:
        return datetime.fromtimestamp(moment_ // 1_000_000, tz).replace(tzinfo=None, second=0, microsecond=0)

    now = wall(clock)
    midnight = now.replace(hour=0, minute=0)
    day = timedelta(1)
    told = {"yesterday": (midnight - day, midnight - day / 86400, midnight - 2 * day, midnight - day - day / 86400)}
    for name, days in (("today", 1), ("last_7_days", 7), ("last_30_days", 30)):
        first = midnight - (days - 1) * day
        told[name] = (first, now, first - days * day, now - days * day)
    return {
        name: (
            sum(price for time, price in sales if a <= wall(time) <= b),
            sum(price for time, price in sales if c <= wall(time) <= d),
        )
        for name, (a, b, c, d) in told.items()
    }


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 75 * 24 * 60), st.integers(1, 99)), min_size=1, max_size=25),
    ZONES,
    st.booleans(),
    st.integers(1, 9),
)
def test_every_period_is_the_sum_of_the_sales_in_it(
    told: list[tuple[int, int]], zone: str, in_order: bool, size: int
) -> None:
    shop = Ledger(timezone=zone)
    sales = [(START + minutes * MINUTE, price) for minutes, price in (sorted(told) if in_order else told)]
    events = [
        event("order.placed", moment_text(time), str(n), order_id=str(n), currency="GBP", status="completed",
              lines=[line("MUG", 1, str(price))])
        for n, (time, price) in enumerate(sales)
    ]  # fmt: skip
    for first in range(0, len(events), size):
        shop.write(events[first : first + size])
        expected = naive(sales[: first + size], shop.state.clock, zone)
        for period, (value, previous) in expected.items():
            row = shop.metric("gross_sales", period)
            assert (row.value, row.previous) == (str(value), str(previous)), period
    recent = shop.state.clock - shop.state.clock % HOUR - 62 * DAY
    assert sum(row.gross_sales for row in shop.state.hours) == sum(
        price * 10_000_000 for time, price in sales if time >= recent
    )
