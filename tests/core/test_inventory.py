"""Stock: what every event does to the quantities, and the ledger that they are the sum of."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from stockwire.core.projections.inventory import QUANTITIES
from tests.core.ledger import Ledger, at, event, line, units


@pytest.fixture
def shop() -> Ledger:
    """A shop with 10 mugs on hand."""
    shop = Ledger()
    shop.tell("stock.counted", "09:00", sku="MUG", quantity=10)
    return shop


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        ("stock.received", {"quantity": 5}, {"on_hand": 15, "available": 15}),
        ("stock.adjusted", {"quantity": -3, "reason": "loss"}, {"on_hand": 7, "available": 7}),
        ("stock.counted", {"quantity": 4}, {"on_hand": 4, "available": 4}),
        ("stock.committed", {"quantity": 4}, {"on_hand": 10, "committed": 4, "available": 6}),
        ("stock.released", {"quantity": 1}, {"on_hand": 10, "committed": -1, "available": 11}),
        ("stock.fulfilled", {"quantity": 2}, {"on_hand": 8, "committed": -2, "available": 10}),
        ("stock.reserved", {"quantity": 3}, {"on_hand": 10, "reserved": 3, "available": 7}),
        ("stock.reservation_expired", {"quantity": 3}, {"on_hand": 10, "reserved": -3, "available": 13}),
        ("stock.returned", {"quantity": 2}, {"on_hand": 12, "available": 12}),
        ("stock.returned", {"quantity": 2, "state": "damaged"}, {"on_hand": 12, "damaged": 2, "available": 10}),
        (
            "stock.state_moved",
            {"quantity": 4, "from": "available", "to": "quality_control"},
            {"on_hand": 10, "quality_control": 4, "available": 6},
        ),
        (
            "stock.state_moved",
            {"quantity": 4, "from": "quality_control", "to": "damaged"},
            {"on_hand": 10, "quality_control": -4, "damaged": 4, "available": 10},
        ),
        ("stock.incoming_changed", {"quantity": 20}, {"on_hand": 10, "incoming": 20, "available": 10}),
        (
            "stock.snapshot",
            {"on_hand": 8, "committed": 1, "safety_stock": 2, "incoming": 6},
            {"on_hand": 8, "committed": 1, "safety_stock": 2, "incoming": 6, "available": 5},
        ),
    ],
)
def test_a_stock_event_changes_exactly_its_quantities(
    shop: Ledger, type_: str, data: dict[str, Any], expected: dict[str, int]
) -> None:
    shop.tell(type_, "10:00", sku="MUG", **data)
    assert shop.levels() == expected
    assert shop.parked == []


def test_quantities_are_exact_to_a_thousandth(shop: Ledger) -> None:
    for _ in range(10):
        shop.tell("stock.received", "10:00", sku="TEA", quantity=0.1)
    assert shop.stock("TEA").on_hand == 1_000


def test_a_transfer_moves_stock_between_two_locations(shop: Ledger) -> None:
    changes = shop.tell("stock.transferred", "10:00", sku="MUG", from_="main", to="shop", quantity=4, document="T1")
    assert shop.levels() == {"on_hand": 6, "available": 6}
    assert shop.levels(location="shop") == {"on_hand": 4, "available": 4}
    assert [(m.step, m.location, units(m.on_hand), m.document) for m in changes.movements] == [
        (0, "main", -4, "T1"),
        (1, "shop", 4, "T1"),
    ]


def test_received_goods_that_were_expected_are_expected_no_more(shop: Ledger) -> None:
    shop.tell("stock.incoming_changed", "09:10", sku="MUG", quantity=6)
    shop.tell("stock.received", "09:20", sku="MUG", quantity=4, from_incoming=True)
    assert shop.levels() == {"on_hand": 14, "incoming": 2, "available": 14}
    shop.tell("stock.received", "09:30", sku="MUG", quantity=4, from_incoming=True)
    assert shop.levels() == {"on_hand": 18, "available": 18}


def test_the_first_unit_cost_of_received_goods_is_kept(shop: Ledger) -> None:
    shop.tell("stock.received", "10:00", sku="MUG", quantity=1, unit_cost="2.50")
    shop.tell("stock.received", "10:01", sku="MUG", quantity=1, unit_cost="9")
    assert shop.stock().unit_cost == 25_000


def test_a_movement_says_why_and_how_much_there_was_after_it(shop: Ledger) -> None:
    changes = shop.tell(
        "stock.adjusted", "10:00", sku="MUG", quantity=-2, reason="shrinkage", document="A7", note="broken shelf"
    )
    (movement,) = changes.movements
    assert (movement.reason, movement.document, movement.note) == ("shrinkage", "A7", "broken shelf")
    assert (units(movement.on_hand), units(movement.on_hand_after)) == (-2, 8)
    assert movement.occurred_at == at("10:00")


def test_a_row_says_who_changed_it_last_and_when(shop: Ledger) -> None:
    shop.tell("stock.adjusted", "10:00", sku="MUG", quantity=1, source="erp")
    shop.tell("stock.adjusted", "09:30", sku="MUG", quantity=1, source="erp")
    row = shop.stock()
    assert (row.source, row.source_updated_at) == ("erp", at("10:00"))
    assert (row.counted_at, row.changed_at, row.version) == (at("09:00"), at("10:00"), 3)


# Absolute events


def test_an_older_count_never_overwrites_a_newer_one(shop: Ledger) -> None:
    before = shop.stock()
    changes = shop.tell("stock.counted", "08:00", sku="MUG", quantity=99)
    (movement,) = changes.movements
    assert movement.superseded and movement.on_hand == 0
    assert units(movement.on_hand_after) == 10
    assert shop.stock() == before


def test_a_late_count_keeps_what_happened_after_it(shop: Ledger) -> None:
    shop.tell("stock.received", "10:00", sku="MUG", quantity=5)
    shop.tell("stock.adjusted", "12:00", sku="MUG", quantity=-2)
    shop.tell("stock.counted", "11:00", sku="MUG", quantity=14)
    assert shop.levels() == {"on_hand": 12, "available": 12}
    assert units(shop.movements[-1].on_hand) == -1
    assert shop.stock().changed_at == at("12:00")


def test_a_late_count_sees_the_changes_of_its_own_batch(shop: Ledger) -> None:
    shop.write(
        [
            event("stock.adjusted", "12:00", "a", sku="MUG", quantity=-2),
            event("stock.adjusted", "12:00", "b", sku="CUP", quantity=-50),
            event("stock.adjusted", "11:00", "d", sku="MUG", quantity=-1),
            event("stock.counted", "11:00", "c", sku="MUG", quantity=14),
        ]
    )
    assert shop.levels() == {"on_hand": 12, "available": 12}


def test_a_late_snapshot_sets_only_the_fields_it_names(shop: Ledger) -> None:
    shop.tell("stock.committed", "12:00", sku="MUG", quantity=3)
    shop.tell("stock.snapshot", "11:00", sku="MUG", committed=1, reserved=2)
    assert shop.levels() == {"on_hand": 10, "committed": 4, "reserved": 2, "available": 4}


def test_a_count_at_the_same_moment_as_another_replaces_it(shop: Ledger) -> None:
    shop.tell("stock.counted", "09:00", sku="MUG", quantity=11)
    assert shop.levels() == {"on_hand": 11, "available": 11}


# Products and locations


def test_what_is_told_of_a_product_reaches_all_its_rows_and_later_ones(shop: Ledger) -> None:
    shop.tell("stock.received", "09:10", sku="MUG", location="shop", quantity=3)
    shop.tell("product.updated", "10:00", sku="MUG", name="Blue mug", reorder_point=4, unit_cost="2", currency="GBP")
    shop.tell("stock.received", "10:10", sku="MUG", location="attic", quantity=1)
    for location in ("main", "shop", "attic"):
        row = shop.stock(location=location)
        assert (row.name, row.reorder_point, row.unit_cost, row.currency) == ("Blue mug", 4_000, 20_000, "GBP")


def test_a_product_reaches_rows_made_in_the_same_batch() -> None:
    shop = Ledger()
    shop.write(
        [
            event("stock.received", "09:00", "a", sku="MUG", quantity=1),
            event("product.updated", "09:01", "b", sku="MUG", name="Blue mug"),
        ]
    )
    assert shop.stock().name == "Blue mug"


def test_what_is_told_of_a_product_at_one_place_stays_there(shop: Ledger) -> None:
    shop.tell("product.updated", "10:00", sku="MUG", location="shop", reorder_point=4)
    shop.tell("stock.received", "10:10", sku="MUG", location="attic", quantity=1)
    assert shop.stock(location="shop").reorder_point == 4_000
    assert shop.stock().reorder_point is None
    assert shop.stock(location="attic").reorder_point is None


def test_safety_stock_is_a_quantity_with_movements_of_its_own(shop: Ledger) -> None:
    shop.tell("product.updated", "10:00", sku="MUG", safety_stock=4)
    shop.tell("stock.received", "10:10", sku="MUG", location="shop", quantity=9)
    assert shop.levels() == {"on_hand": 10, "safety_stock": 4, "available": 6}
    assert shop.levels(location="shop") == {"on_hand": 9, "safety_stock": 4, "available": 5}
    assert [units(m.safety_stock) for m in shop.movements] == [0, 4, 4, 0]


def test_telling_what_is_known_already_changes_no_row(shop: Ledger) -> None:
    shop.tell("product.updated", "10:00", sku="MUG", name="Blue mug")
    changes = shop.tell("product.updated", "10:01", sku="MUG", name="Blue mug")
    assert changes.inventory == {} and changes.products == {} and changes.movements == []


def test_an_untracked_product_still_has_its_quantities_counted(shop: Ledger) -> None:
    shop.tell("product.updated", "10:00", sku="MUG", tracked=False)
    shop.tell("stock.adjusted", "10:01", sku="MUG", quantity=-12)
    assert shop.levels() == {"on_hand": -2, "available": -2}
    assert shop.stock().stock_status == "untracked"


def test_a_product_without_a_name_gets_the_one_an_order_calls_it(shop: Ledger) -> None:
    shop.tell("order.placed", "10:00", order_id="1", currency="GBP", lines=[line("MUG", 1, name="Mug, blue")])
    assert shop.stock().name == "Mug, blue"
    shop.tell("product.updated", "10:01", sku="MUG", name="Blue mug")
    shop.tell("order.placed", "10:02", order_id="2", currency="GBP", lines=[line("MUG", 1, name="Mug, blue")])
    assert shop.stock().name == "Blue mug"


def test_a_location_has_the_name_it_was_last_given(shop: Ledger) -> None:
    shop.tell("location.updated", "10:00", location="main", name="Leeds")
    changes = shop.tell("location.updated", "10:01", location="main", name="Leeds North")
    assert changes.locations == {"main": "Leeds North"}
    assert shop.state.locations.rows == {"main": "Leeds North"}
    assert shop.tell("location.updated", "10:02", location="main").locations == {}


@pytest.mark.parametrize(
    ("on_hand", "expected"),
    [(-1, "oversold"), (0, "out_of_stock"), (5, "low"), (6, "ok"), (20, "ok"), (21, "overstock")],
)
def test_the_stock_status_is_the_first_that_holds(on_hand: int, expected: str) -> None:
    shop = Ledger()
    shop.tell("product.updated", "09:00", sku="MUG", reorder_point=5, overstock_point=20)
    shop.tell("stock.adjusted", "09:01", sku="MUG", quantity=on_hand or 1)
    if on_hand == 0:
        shop.tell("stock.adjusted", "09:02", sku="MUG", quantity=-1)
    assert shop.stock().stock_status == expected


# The ledger

SKUS = st.sampled_from(["MUG", "CUP"])
PLACES = st.sampled_from(["main", "shop"])
AMOUNTS = st.integers(1, 9)
TIMES = st.integers(0, 59).map(lambda minute: f"10:{minute:02}")
DELTAS = st.sampled_from(
    [
        "received",
        "committed",
        "released",
        "fulfilled",
        "reserved",
        "reservation_expired",
        "returned",
        "incoming_changed",
    ]
)


def told(type_: str, time: str, **data: Any) -> tuple[str, str, dict[str, Any]]:
    return type_, time, data


HAPPENINGS = st.one_of(
    st.builds(
        lambda kind, time, sku, place, n: told(f"stock.{kind}", time, sku=sku, location=place, quantity=n),
        DELTAS, TIMES, SKUS, PLACES, AMOUNTS,
    ),
    st.builds(
        lambda time, sku, place, n: told("stock.counted", time, sku=sku, location=place, quantity=n),
        TIMES, SKUS, PLACES, AMOUNTS,
    ),
    st.builds(
        lambda time, sku, place, n, m: told("stock.snapshot", time, sku=sku, location=place, on_hand=n, reserved=m),
        TIMES, SKUS, PLACES, AMOUNTS, AMOUNTS,
    ),
    st.builds(
        lambda time, sku, n: told("stock.transferred", time, sku=sku, from_="main", to="shop", quantity=n),
        TIMES, SKUS, AMOUNTS,
    ),
    st.builds(lambda time, sku, n: told("product.updated", time, sku=sku, safety_stock=n), TIMES, SKUS, AMOUNTS),
)  # fmt: skip


@given(st.lists(HAPPENINGS, max_size=30), st.integers(1, 7))
def test_every_quantity_is_the_sum_of_its_movements(happenings: list[Any], size: int) -> None:
    shop = Ledger()
    events = [event(type_, time, str(n), **data) for n, (type_, time, data) in enumerate(happenings)]
    for start in range(0, len(events), size):
        shop.write(events[start : start + size])
    assert shop.parked == []
    for row in shop.state.inventory:
        mine = [m for m in shop.movements if (m.sku, m.location) == row.key]
        for name in QUANTITIES:
            assert getattr(row, name) == sum(getattr(movement, name) for movement in mine)
        assert mine[-1].on_hand_after == row.on_hand
        held = row.committed + row.reserved + row.damaged + row.quality_control + row.safety_stock
        assert row.available == row.on_hand - held


@given(st.permutations([("b", "10:20", 5), ("c", "10:30", 7), ("d", "10:40", 9)]), st.integers(0, 3))
def test_a_count_holds_for_its_own_time_whenever_it_arrives(sales: list[tuple[str, str, int]], place: int) -> None:
    shop = Ledger()
    shop.tell("stock.adjusted", "10:10", sku="MUG", quantity=-3)
    later = [event("stock.adjusted", time, name, sku="MUG", quantity=-n) for name, time, n in sales]
    count = event("stock.counted", "10:15", "count", sku="MUG", quantity=100)
    for each in [*later[:place], count, *later[place:]]:
        shop.write([each])
    assert shop.levels()["on_hand"] == 100 - 5 - 7 - 9
