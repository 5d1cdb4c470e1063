"""The timed status events of a marketplace."""

from __future__ import annotations

from pathlib import Path

from stockwire.core.values import moment_text
from stockwire.importing.olist import Olist
from stockwire.importing.rows import Input
from tests.importing.files import only, read, table

TIMELINE = (
    "ts",
    "event",
    "order_id",
    "final_status",
    "estimated_delivery",
    "item_count",
    "items_value_brl",
    "freight_brl",
)
ITEMS = ("order_id", "order_item_id", "product_id", "seller_id", "price", "product_category_name_english")
ORDERS = ("order_id", "customer_id", "order_status")


def timeline(tmp_path: Path, *rows: tuple[str, ...]) -> Path:
    return table(tmp_path / "timeline.csv", TIMELINE, [row + ("",) * (len(TIMELINE) - len(row)) for row in rows])


PLACED = ("2017-05-16 13:10:30", "placed", "o1", "delivered", "2017-05-23 00:00:00", "2", "30.50", "8.72")


def test_an_order_comes_with_its_promise_and_its_items_by_seller(tmp_path: Path) -> None:
    items = table(
        tmp_path / "items.csv",
        ITEMS,
        [("o1", "1", "p1", "s1", "20.25", "bed_bath_table"), ("o1", "2", "p2", "s2", "10.25", "")],
    )
    events, _ = read(Olist(items=Input(items)), timeline(tmp_path, PLACED))
    order = events[0].data
    assert (order.currency, order.shipping, order.location) == ("BRL", 87_200, "s1")
    assert moment_text(events[0].time) == "2017-05-16T16:10:30Z"
    assert order.promised_at == "2017-05-23T03:00:00Z"
    assert [(line.sku, line.unit_price, line.location, line.stock) for line in order.lines] == [
        ("p1", 202_500, "s1", False),
        ("p2", 102_500, "s2", False),
    ]


def test_without_the_items_the_order_has_one_derived_line_of_their_value(tmp_path: Path) -> None:
    events, _ = read(Olist(), timeline(tmp_path, PLACED))
    order = events[0].data
    assert order.derived == ("lines",)
    assert [(line.name, line.unit_price) for line in order.lines] == [("2 items", 305_000)]


def test_stages_are_milestones_so_a_late_one_moves_nothing_back(tmp_path: Path) -> None:
    file = timeline(
        tmp_path,
        PLACED,
        ("2017-05-17 10:00:00", "handed_to_carrier", "o1", "delivered"),
        ("2017-05-18 10:00:00", "payment_approved", "o1", "delivered"),
        ("2017-05-20 10:00:00", "delivered", "o1", "delivered"),
    )
    events, _ = read(Olist(), file)
    steps = [(event.data.status, event.data.milestone) for event in only(events, "order.status_changed")]
    assert steps == [("shipped", True), ("confirmed", True), ("delivered", True)]
    assert [event.data.payment_status for event in only(events, "order.payment_changed")] == ["paid"]


def test_how_an_order_ends_is_told_only_after_the_last_row(tmp_path: Path) -> None:
    orders = table(
        tmp_path / "orders.csv",
        ORDERS,
        [("o1", "c1", "canceled"), ("o2", "c2", "unavailable"), ("o3", "c3", "delivered")],
    )
    second = ("2017-05-16 14:00:00", "placed", "o2", "unavailable")
    events, _ = read(Olist(orders=Input(orders)), timeline(tmp_path, PLACED, second))
    assert [event.type for event in events] == ["order.placed", "order.placed", "order.status_changed", "order.held"]
    assert events[2].data.status == "cancelled" and events[2].data.derived == ("time",)
    assert events[3].data.reason == "unavailable" and events[3].data.order_id == "o2"
    assert events[2].time == events[1].time
    assert events[0].data.customer.id == "c1"


def test_the_final_status_on_a_row_changes_nothing(tmp_path: Path) -> None:
    other = (*PLACED[:3], "canceled", *PLACED[4:])
    assert read(Olist(), timeline(tmp_path, PLACED)) == read(Olist(), timeline(tmp_path, other))


def test_an_unknown_event_is_a_bad_row(tmp_path: Path) -> None:
    events, bad = read(Olist(), timeline(tmp_path, PLACED, ("2017-05-16 14:00:00", "teleported", "o1", "")))
    assert len(events) == 1
    assert [(each.row, each.detail) for each in bad] == [(3, "unknown event `teleported`")]
