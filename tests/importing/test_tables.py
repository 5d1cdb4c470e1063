"""The formats for anybody's own tables: inventory, orders and events."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from stockwire.core.errors import Invalid
from stockwire.core.values import moment_text
from stockwire.importing.events import Events
from stockwire.importing.formats import Options, make_format
from stockwire.importing.inventory import Inventory
from stockwire.importing.orders import Orders
from stockwire.importing.rows import Input
from tests.importing.files import read, table

EIGHT = "2026-03-02T08:00:00Z"


def test_an_inventory_row_says_what_is_on_hand_and_what_the_product_is(tmp_path: Path) -> None:
    header = ("sku", "location", "on_hand", "name", "reorder_point", "unit_cost")
    file = table(tmp_path / "stock.csv", header, [("A-1", "north", "12.5", "Lamp", "3", "4.20")])
    [snapshot, product], bad = read(Inventory(time=EIGHT), file)
    assert bad == []
    assert (snapshot.data.sku, snapshot.data.location, snapshot.data.on_hand) == ("A-1", "north", 12_500)
    assert (product.data.location, product.data.name, product.data.reorder_point, product.data.unit_cost) == (
        "north", "Lamp", 3_000, 42_000,
    )  # fmt: skip


def test_an_empty_inventory_field_stays_as_it_is(tmp_path: Path) -> None:
    file = table(tmp_path / "stock.csv", ("sku", "on_hand", "name"), [("A-1", "3", "")])
    events, _ = read(Inventory(time=EIGHT), file)
    assert [event.type for event in events] == ["stock.snapshot"]


def test_an_inventory_without_any_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="--time"):
        read(Inventory(), table(tmp_path / "stock.csv", ("sku", "on_hand"), [("A-1", "3")]))


def test_a_local_time_is_of_the_shops_zone(tmp_path: Path) -> None:
    file = table(tmp_path / "stock.csv", ("sku", "on_hand", "time"), [("A-1", "3", "2026-07-01 08:00")])
    events, _ = read(Inventory(zone="Europe/London"), file)
    assert moment_text(events[0].time) == "2026-07-01T07:00:00Z"


def test_a_corrected_inventory_row_is_another_event(tmp_path: Path) -> None:
    wrong = table(tmp_path / "wrong.csv", ("sku", "on_hand"), [("A-1", "3"), ("A-2", "1")])
    right = table(tmp_path / "right.csv", ("sku", "on_hand"), [("A-1", "4"), ("A-2", "1")])
    ids = [[event.id for event in read(Inventory(time=EIGHT), file)[0]] for file in (wrong, right)]
    assert ids[0][0] != ids[1][0] and ids[0][1] == ids[1][1]


def test_a_misspelt_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="onhand"):
        read(Inventory(time=EIGHT), table(tmp_path / "stock.csv", ("sku", "onhand"), [("A-1", "3")]))


@pytest.mark.parametrize("number", ["twelve", "NaN", "1e99", "0.0001", "", "--3"])
def test_a_quantity_that_is_none_makes_a_bad_row_or_nothing(tmp_path: Path, number: str) -> None:
    file = table(tmp_path / "stock.csv", ("sku", "on_hand"), [("A-1", number), ("A-2", "1")])
    events, bad = read(Inventory(time=EIGHT), file)
    assert [event.data.sku for event in events] == ["A-2"]
    assert [each.row for each in bad] == ([2] if number else [])


def test_rows_of_one_order_are_one_event_and_later_ones_add_lines(tmp_path: Path) -> None:
    header = ("order_id", "time", "sku", "quantity", "unit_price", "customer_name", "shipping", "currency")
    rows = [
        ("1001", EIGHT, "A-1", "2", "9.99", "Ada", "3.50", "USD"),
        ("1001", EIGHT, "A-2", "1", "5", "", "", ""),
        ("1002", EIGHT, "A-1", "1", "9.99", "", "", ""),
        ("1001", EIGHT, "A-3", "1", "1", "", "", ""),
    ]
    events, bad = read(Orders(money="GBP"), table(tmp_path / "orders.csv", header, rows))
    assert bad == []
    assert [(event.type, event.data.order_id) for event in events] == [
        ("order.placed", "1001"), ("order.placed", "1002"), ("order.updated", "1001"),
    ]  # fmt: skip
    first = events[0].data
    assert (first.currency, first.customer.name, first.shipping, len(first.lines)) == ("USD", "Ada", 35_000, 2)
    assert events[1].data.currency == "GBP"
    assert [line.line for line in events[2].data.lines] == ["3"]


def test_an_order_of_more_lines_than_an_event_may_have_is_split(tmp_path: Path) -> None:
    rows = [("1001", EIGHT, f"A-{each}", "1") for each in range(1_500)]
    events, bad = read(Orders(), table(tmp_path / "orders.csv", ("order_id", "time", "sku", "quantity"), rows))
    assert bad == []
    assert [len(event.data.lines) for event in events] == [1_000, 500]


def test_an_order_row_the_domain_refuses_is_a_bad_row(tmp_path: Path) -> None:
    file = table(
        tmp_path / "orders.csv",
        ("order_id", "time", "sku", "quantity"),
        [("1", EIGHT, "A", "-2"), ("2", EIGHT, "A", "")],
    )
    events, bad = read(Orders(), file)
    assert events == []
    assert sorted((each.row, each.detail) for each in bad) == [
        (2, "`data.lines[0].quantity` must not be below 0"),
        (3, "the row needs quantity"),
    ]


def test_a_line_of_json_is_an_event(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(
        '{"id":"1","type":"stock.counted","time":"2026-03-02T08:00:00Z","source":"till","data":{"sku":"A","quantity":0.1}}\n\n'
        '{"id":"2","type":"stock.counted","time":"2026-03-02T08:00:00Z","data":{"sku":"A","quantity":3}}\n'
    )
    events, bad = read(Events(), file)
    assert bad == []
    assert [(event.source, event.data.quantity) for event in events] == [("till", 100), ("import", 3_000)]


@pytest.mark.parametrize(
    "line",
    [
        "{", "[1]", '{"id":"1","id":"2"}', '{"a":NaN}', "null", '{"id":"1"}', "[" * 100_000,
        '{"id":"\\ud800","type":"location.updated","time":"2026-03-02T08:00:00Z","data":{"location":"\\ud800"}}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_is_a_bad_row(tmp_path: Path, line: str) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(line + "\n")
    events, bad = read(Events(), file)
    assert events == []
    assert [each.row for each in bad] == [1]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"\x1f\x8b broken", gzip.compress(b"sku,on_hand\n" * 99, mtime=0)[:-9] + b"damaged  "],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "stock.csv"
    file.write_bytes(content)
    with pytest.raises(Invalid):
        read(Inventory(time=EIGHT), file)


def test_packed_and_plain_files_read_the_same(tmp_path: Path) -> None:
    rows = [("A-1", "3")]
    plain = table(tmp_path / "stock.csv", ("sku", "on_hand"), rows)
    packed = table(tmp_path / "stock.csv.gz", ("sku", "on_hand"), rows)
    assert read(Inventory(time=EIGHT), plain) == read(Inventory(time=EIGHT), packed)


def test_an_unknown_format_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid, match="did you mean `inventory`"):
        make_format("inventroy", Options())


def test_an_option_the_format_does_not_take_is_refused(tmp_path: Path) -> None:
    file = table(tmp_path / "items.csv", ("sku",), [])
    with pytest.raises(Invalid, match="--items says nothing"):
        make_format("inventory", Options(items=Input(file)))
