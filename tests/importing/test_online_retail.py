"""The invoice lines of a wholesaler: what each kind of row becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from stockwire.core.values import moment_text
from stockwire.importing.online_retail import OnlineRetail, is_merchandise, reason_of
from stockwire.importing.rows import Input
from tests.importing.files import RETAIL, only, read, table

TEN = "2010-07-01 10:00:00"
UK = "United Kingdom"


def row(invoice: str, code: str, quantity: int, price: str = "1.25", time: str = TEN, **more: str) -> tuple[str, ...]:
    name, customer = more.get("name", f"name of {code}"), more.get("customer", "13085")
    return (invoice, code, name, str(quantity), time, price, customer, UK)


def invoices(tmp_path: Path, *rows: tuple[str, ...]) -> Path:
    return table(tmp_path / "year.csv", RETAIL, rows)


def test_consecutive_rows_of_an_invoice_are_one_finished_order(tmp_path: Path) -> None:
    file = invoices(tmp_path, row("489434", "85048", 12, "6.95"), row("489434", "POST", 1, "18"))
    events, _ = read(OnlineRetail(), file)
    [placed] = only(events, "order.placed")
    order = placed.data
    assert (order.order_id, order.status, order.derived, order.currency) == ("489434", "completed", ("status",), "GBP")
    assert order.customer.id == "13085" and order.customer.country == UK and order.channel == "online-retail"
    assert [(line.line, line.sku, line.quantity, line.unit_price, line.stock) for line in order.lines] == [
        ("1", "85048", 12_000, 69_500, True),
        ("2", "POST", 1_000, 180_000, False),
    ]


def test_an_invoice_that_goes_on_later_adds_lines_named_by_their_place(tmp_path: Path) -> None:
    file = invoices(tmp_path, row("1", "10002", 1), row("2", "10080", 1), row("1", "10002", 1))
    events, _ = read(OnlineRetail(), file)
    assert [event.id for event in events if event.type.startswith("order.")] == ["1/1", "2/1", "1/2"]
    [grown] = only(events, "order.updated")
    assert [(line.line, line.sku) for line in grown.data.lines] == [("2", "10002")]


def test_an_invoice_that_spans_two_minutes_is_two_events(tmp_path: Path) -> None:
    later = "2010-07-01 10:01:00"
    events, _ = read(OnlineRetail(), invoices(tmp_path, row("1", "10002", 1), row("1", "10002", 1, time=later)))
    [placed], [grown] = only(events, "order.placed"), only(events, "order.updated")
    assert grown.time - placed.time == 60_000_000


def test_exact_duplicates_are_lines_of_their_own(tmp_path: Path) -> None:
    events, _ = read(OnlineRetail(), invoices(tmp_path, row("1", "10002", 3), row("1", "10002", 3)))
    [placed] = only(events, "order.placed")
    assert sum(line.quantity for line in placed.data.lines) == 6_000


def test_a_cancellation_is_a_credit_note_that_restocks_merchandise(tmp_path: Path) -> None:
    file = invoices(tmp_path, row("C489449", "22087", -12, "2.95"), row("C489449", "M", -1, "5"), row("1", "10002", 1))
    events, _ = read(OnlineRetail(), file)
    [credited] = only(events, "order.credited")
    note = credited.data
    assert (note.document, note.reason, note.order_id) == ("C489449", "cancellation", None)
    assert [(line.quantity, line.unit_price, line.restock) for line in note.lines] == [
        (12_000, 29_500, True),
        (1_000, 50_000, False),
    ]


def test_a_written_off_debt_is_credited_without_goods(tmp_path: Path) -> None:
    file = invoices(tmp_path, row("A506401", "B", 1, "-53594.36", customer=""))
    [credited] = only(read(OnlineRetail(), file)[0], "order.credited")
    assert credited.data.reason == "bad_debt"
    assert [(line.quantity, line.unit_price, line.restock) for line in credited.data.lines] == [
        (1_000, 535_943_600, False)
    ]


def test_an_invoice_of_free_lines_without_customer_adjusts_stock_as_it_says(tmp_path: Path) -> None:
    file = invoices(tmp_path, row("500", "21733", -7, "0", name="damaged", customer=""))
    [adjusted] = only(read(OnlineRetail(), file)[0], "stock.adjusted")
    change = adjusted.data
    assert (change.quantity, change.reason, change.note, change.document) == (-7_000, "damaged", "damaged", "500")


def test_a_free_line_in_a_priced_invoice_is_sold_for_nothing(tmp_path: Path) -> None:
    file = invoices(tmp_path, row("1", "10002", 1, "0", customer=""), row("2", "10080", 1), row("1", "10080", 1, "2"))
    events, _ = read(OnlineRetail(), file)
    assert only(events, "stock.adjusted") == []
    assert [event.data.order_id for event in only(events, "order.placed")] == ["1", "2"]


def test_a_free_line_with_a_customer_is_sold_for_nothing(tmp_path: Path) -> None:
    events, _ = read(OnlineRetail(), invoices(tmp_path, row("1", "10002", 1, "0")))
    assert len(only(events, "order.placed")) == 1


def test_a_product_has_its_most_frequent_name_on_sales(tmp_path: Path) -> None:
    file = invoices(
        tmp_path,
        row("1", "10002", 1, name="GLOBE"),
        row("2", "10002", 1, name="INFLATABLE GLOBE "),
        row("3", "10002", 1, name="INFLATABLE GLOBE "),
        *(row(str(4 + each), "10002", -1, "0", name="missing", customer="") for each in range(5)),
    )
    [product] = only(read(OnlineRetail(), file)[0], "product.updated")
    assert (product.data.sku, product.data.name) == ("10002", "INFLATABLE GLOBE")


def test_a_code_that_is_no_merchandise_is_not_tracked(tmp_path: Path) -> None:
    [product] = only(read(OnlineRetail(), invoices(tmp_path, row("1", "POST", 1)))[0], "product.updated")
    assert product.data.tracked is False


@pytest.mark.parametrize(
    ("code", "is_goods"), [("85048", True), ("79323P", True), ("15056BL", True), ("47503J ", False)]
)
def test_merchandise_is_five_digits_and_at_most_two_letters(code: str, is_goods: bool) -> None:
    assert is_merchandise(code) is is_goods


def test_codes_are_kept_as_they_are(tmp_path: Path) -> None:
    events, _ = read(
        OnlineRetail(), invoices(tmp_path, row("1", "47503J ", 1), row("1", "85123a", 1), row("1", "85123A", 1))
    )
    [placed] = only(events, "order.placed")
    assert [line.sku for line in placed.data.lines] == ["47503J ", "85123a", "85123A"]


@pytest.mark.parametrize(
    ("remark", "reason"),
    [
        ("damages?", "damaged"), ("wet/smashed/unsellable", "damaged"), ("found again", "found"), ("MIA", "loss"),
        ("lost in space", "loss"), ("given away", "promotion"), ("counted", "cycle_count"), ("my error - connor", "correction"),
        ("?", "other"), ("", "other"), ("CHILLI LIGHTS", "other"),
    ],
)  # fmt: skip
def test_a_remark_gives_the_nearest_reason(remark: str, reason: str) -> None:
    assert reason_of(remark) == reason


def test_opening_stock_stands_before_the_first_row(tmp_path: Path) -> None:
    opening = table(tmp_path / "opening.csv", ("StockCode", "derived_min_opening_stock"), [("10002", "40")])
    events, _ = read(OnlineRetail(opening_stock=Input(opening)), invoices(tmp_path, row("1", "10002", 1)))
    [snapshot], [placed] = only(events, "stock.snapshot"), only(events, "order.placed")
    assert snapshot.data.on_hand == 40_000
    assert snapshot.time < placed.time


def test_times_are_london_local(tmp_path: Path) -> None:
    events, _ = read(OnlineRetail(), invoices(tmp_path, row("1", "10002", 1, time="2010-07-01 10:00:00")))
    assert moment_text(only(events, "order.placed")[0].time) == "2010-07-01T09:00:00Z"


def test_a_bad_row_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    file = invoices(tmp_path, row("1", "10002", 1), ("2", "10002"), row("3", "10002", 1, "much"), row("4", "10002", 1))
    events, bad = read(OnlineRetail(), file)
    assert [event.data.order_id for event in only(events, "order.placed")] == ["1", "4"]
    assert [each.row for each in bad] == [3, 4]
    assert "`much` is not a number" in bad[1].detail


def test_the_same_file_gives_the_same_events(tmp_path: Path) -> None:
    file = invoices(tmp_path, row("1", "10002", 1), row("C2", "10002", -1), row("3", "10002", 5, "0", customer=""))
    assert read(OnlineRetail(), file) == read(OnlineRetail(), file)
    keys = [event.key for event in read(OnlineRetail(), file)[0]]
    assert len(set(keys)) == len(keys)
