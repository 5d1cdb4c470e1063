"""Orders: where they stand, how far each unit has come, and what they do to the stock."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from stockwire.core.lifecycle import ALLOWED, COMMITTING, GONE, STATUSES
from stockwire.core.values import amount_text
from tests.core.ledger import Ledger, at, event, line, units


@pytest.fixture
def shop() -> Ledger:
    """A shop with 10 mugs and 10 cups on hand."""
    shop = Ledger()
    shop.tell("stock.counted", "08:00", sku="MUG", quantity=10)
    shop.tell("stock.counted", "08:00", sku="CUP", quantity=10)
    return shop


def place(shop: Ledger, time: str = "09:00", order_id: str = "1001", **more: Any) -> None:
    """An order of 3 mugs at 6.95 and a cup at 4, with postage."""
    lines = [line("MUG", 3, "6.95"), line("CUP", 1, "4"), line("POST", 1, "5", stock=False)]
    shop.tell("order.placed", time, order_id=order_id, **({"currency": "GBP", "lines": lines} | more))


def reach(shop: Ledger, status: str, time: str, **more: Any) -> None:
    shop.tell("order.status_changed", time, order_id="1001", status=status, **more)


# Placing


def test_a_placed_order_commits_its_stock_lines(shop: Ledger) -> None:
    place(shop)
    assert shop.levels() == {"on_hand": 10, "committed": 3, "available": 7}
    assert shop.levels("CUP") == {"on_hand": 10, "committed": 1, "available": 9}
    assert ("POST", "main") not in shop.state.inventory.rows
    assert shop.counts() == {"ordered": 3, "committed": 3}
    assert shop.counts("3") == {"ordered": 1}
    assert amount_text(shop.order().gross) == "29.85"


def test_an_order_keeps_what_its_source_said(shop: Ledger) -> None:
    place(
        shop, number="A-1", customer={"id": "c1", "name": "Ada", "country": "UK"}, channel="web", discount="2",
        shipping="3.50", tax="1.25", promised_at="2026-03-02T09:30:00Z", note="ring twice", derived=["shipping"],
        payment_status="paid",
    )  # fmt: skip
    order = shop.order()
    assert (order.number, order.status, order.payment_status, order.source) == ("A-1", "placed", "paid", "till")
    assert (order.customer_id, order.customer_name, order.country, order.channel) == ("c1", "Ada", "UK", "web")
    assert (order.discount, order.shipping, order.tax) == (20_000, 35_000, 12_500)
    assert (order.promised_at, order.note, order.derived) == (at("09:30"), "ring twice", ("shipping",))
    assert order.placed_at == order.status_since == at("09:00")
    assert not order.irregular


def test_a_draft_holds_no_stock_until_it_is_placed(shop: Ledger) -> None:
    place(shop, status="draft")
    assert shop.levels() == {"on_hand": 10, "available": 10}
    reach(shop, "placed", "09:10")
    assert shop.levels() == {"on_hand": 10, "committed": 3, "available": 7}


def test_a_draft_may_be_placed_by_telling_the_whole_order(shop: Ledger) -> None:
    place(shop, status="draft")
    place(shop, "09:10")
    assert shop.levels() == {"on_hand": 10, "committed": 3, "available": 7}
    assert not shop.order().irregular


@pytest.mark.parametrize("status", sorted(GONE))
def test_an_order_that_is_done_when_it_is_placed_ships_at_once(shop: Ledger, status: str) -> None:
    place(shop, status=status)
    assert shop.levels() == {"on_hand": 7, "available": 7}
    movements = [m for m in shop.movements if m.order_id == "1001" and m.sku == "MUG"]
    assert [(units(m.on_hand), units(m.committed)) for m in movements] == [(-3, 0)]


def test_an_order_that_was_cancelled_before_it_was_heard_of_holds_nothing(shop: Ledger) -> None:
    place(shop, status="cancelled")
    assert shop.levels() == {"on_hand": 10, "available": 10}
    assert shop.counts() == {"ordered": 3, "cancelled": 3}


# Moving along


def test_an_order_walks_the_path(shop: Ledger) -> None:
    place(shop)
    path = ["confirmed", "allocated", "picking", "packed", "shipped", "delivered", "completed"]
    for minute, status in enumerate(path, 1):
        reach(shop, status, f"09:{minute:02}")
    order = shop.order()
    assert [status for status, _ in order.reached] == ["placed", *path]
    assert (order.irregular, order.skipped, order.closed_at) == (False, (), at("09:07"))
    assert shop.levels() == {"on_hand": 7, "available": 7}
    assert shop.counts() == {"ordered": 3, "allocated": 3, "picked": 3, "packed": 3, "shipped": 3, "delivered": 3}
    assert [entry.to_status for entry in shop.timeline()] == ["placed", *path]


def test_a_closed_order_leaves_memory_and_is_still_known(shop: Ledger) -> None:
    place(shop, status="completed")
    assert len(shop.state.orders) == 0
    shop.tell("order.payment_changed", "10:00", order_id="1001", payment_status="paid")
    assert shop.order().payment_status == "paid"
    assert not shop.order().irregular


def test_shipping_lowers_on_hand_and_committed_together(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "10:00")
    movement = next(m for m in shop.movements if m.type == "order.status_changed" and m.sku == "MUG")
    assert (units(movement.on_hand), units(movement.committed), movement.order_id) == (-3, -3, "1001")


def test_a_skip_forward_is_taken_and_noted(shop: Ledger) -> None:
    place(shop)
    reach(shop, "packed", "10:00")
    order = shop.order()
    assert (order.status, order.skipped, order.irregular) == ("packed", ("confirmed", "allocated", "picking"), False)
    assert shop.timeline()[-1].skipped == ("confirmed", "allocated", "picking")


def test_a_backward_move_is_taken_and_flagged(shop: Ledger) -> None:
    place(shop)
    reach(shop, "packed", "10:00")
    reach(shop, "confirmed", "11:00")
    order = shop.order()
    assert (order.status, order.irregular) == ("confirmed", True)
    assert shop.counts() == {"ordered": 3, "committed": 3}
    assert shop.timeline()[-1].irregular


def test_a_shipping_that_was_taken_back_brings_the_stock_back(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "10:00")
    reach(shop, "packed", "11:00")
    assert shop.levels() == {"on_hand": 10, "committed": 3, "available": 7}
    assert not any(entry.irregular for entry in shop.timeline())


@pytest.mark.parametrize("status", ["cancelled", "expired"])
def test_calling_an_order_off_releases_what_it_held(shop: Ledger, status: str) -> None:
    place(shop)
    reach(shop, status, "10:00")
    assert shop.levels() == {"on_hand": 10, "available": 10}
    assert shop.counts() == {"ordered": 3, "cancelled": 3}


def test_a_partly_shipped_order_releases_only_the_rest(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "10:00", lines=[{"line": "1", "quantity": 2}])
    reach(shop, "cancelled", "11:00")
    assert shop.levels() == {"on_hand": 8, "available": 8}
    assert shop.counts()["cancelled"] == 1


def test_an_order_returned_before_it_left_releases_what_it_held(shop: Ledger) -> None:
    place(shop)
    reach(shop, "returned", "10:00")
    assert shop.levels() == {"on_hand": 10, "available": 10}
    assert shop.order().irregular


def test_a_returned_order_leaves_the_stock_to_the_goods(shop: Ledger) -> None:
    place(shop, status="shipped")
    reach(shop, "returned", "10:00")
    assert shop.levels() == {"on_hand": 7, "available": 7}
    assert shop.counts()["returned"] == 3


def test_a_cancelled_order_that_is_taken_up_again_holds_its_stock_again(shop: Ledger) -> None:
    place(shop)
    reach(shop, "cancelled", "10:00")
    reach(shop, "confirmed", "11:00")
    order = shop.order()
    assert (order.status, order.irregular, order.closed_at) == ("confirmed", True, None)
    assert shop.levels() == {"on_hand": 10, "committed": 3, "available": 7}


# Late and out of order


def test_a_late_event_is_recorded_and_does_not_move_the_order_back(shop: Ledger) -> None:
    place(shop)
    reach(shop, "packed", "10:00")
    reach(shop, "confirmed", "09:30")
    order = shop.order()
    assert (order.status, order.status_since, order.irregular) == ("packed", at("10:00"), False)
    assert order.skipped == ("allocated", "picking")
    assert ("confirmed", at("09:30")) in order.reached


def test_a_late_allowed_step_back_does_not_move_the_order_back(shop: Ledger) -> None:
    place(shop)
    reach(shop, "allocated", "10:00")
    reach(shop, "confirmed", "09:30")
    assert (shop.order().status, shop.order().irregular) == ("allocated", False)


def test_a_milestone_never_runs_an_order_backwards(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "10:00", milestone=True)
    reach(shop, "confirmed", "11:00", milestone=True)
    order = shop.order()
    assert (order.status, order.irregular) == ("shipped", True)
    assert order.reached == (("placed", at("09:00")), ("shipped", at("10:00")), ("confirmed", at("11:00")))


def test_milestones_in_order_move_the_order(shop: Ledger) -> None:
    place(shop)
    reach(shop, "confirmed", "10:00", milestone=True)
    reach(shop, "shipped", "11:00", milestone=True)
    assert (shop.order().status, shop.order().irregular) == ("shipped", False)


def test_an_unknown_order_begins_with_the_first_thing_heard_of_it(shop: Ledger) -> None:
    reach(shop, "packed", "10:00")
    order = shop.order()
    assert (order.status, order.placed_at, order.irregular, order.lines) == ("packed", at("10:00"), True, ())


def test_the_beginning_of_an_order_may_come_after_its_end(shop: Ledger) -> None:
    reach(shop, "shipped", "10:00")
    place(shop, "09:00")
    order = shop.order()
    assert (order.status, order.placed_at, order.currency) == ("shipped", at("09:00"), "GBP")
    assert shop.levels() == {"on_hand": 7, "available": 7}


def test_placing_an_order_twice_commits_its_stock_once(shop: Ledger) -> None:
    place(shop)
    place(shop, "09:05")
    assert shop.levels() == {"on_hand": 10, "committed": 3, "available": 7}
    assert shop.order().irregular


def test_a_stage_that_was_reached_before_is_not_skipped(shop: Ledger) -> None:
    place(shop)
    reach(shop, "confirmed", "09:10")
    reach(shop, "placed", "09:20")
    reach(shop, "packed", "09:30")
    assert shop.order().skipped == ("allocated", "picking")


def test_a_step_forward_that_is_older_than_the_last_keeps_the_time_of_the_last(shop: Ledger) -> None:
    place(shop)
    reach(shop, "confirmed", "08:50")
    order = shop.order()
    assert (order.status, order.status_since) == ("confirmed", at("09:00"))
    assert order.reached[-1] == ("confirmed", at("08:50"))


# Partial steps


def test_units_advance_and_the_order_follows_when_all_have(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "10:00", lines=[{"line": "1", "quantity": 2}])
    assert shop.order().status == "placed"
    assert shop.levels() == {"on_hand": 8, "committed": 1, "available": 7}
    assert shop.counts() == {"ordered": 3, "allocated": 2, "picked": 2, "packed": 2, "shipped": 2, "committed": 1}
    reach(shop, "shipped", "11:00", lines=[{"line": "1", "quantity": 1}, {"line": "2", "quantity": 1}])
    assert (shop.order().status, shop.order().status_since) == ("shipped", at("11:00"))
    assert shop.levels() == {"on_hand": 7, "available": 7}


def test_cancelled_units_are_not_waited_for(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "10:00", lines=[{"line": "1", "quantity": 2}, {"line": "2", "quantity": 1}])
    reach(shop, "cancelled", "11:00", lines=[{"line": "1", "quantity": 1}])
    assert shop.order().status == "shipped"
    assert shop.levels() == {"on_hand": 8, "available": 8}


def test_an_order_is_cancelled_when_all_its_units_are(shop: Ledger) -> None:
    place(shop)
    reach(shop, "cancelled", "10:00", lines=[{"line": "1", "quantity": 3}, {"line": "2", "quantity": 1}])
    assert shop.order().status == "cancelled"
    assert shop.levels() == {"on_hand": 10, "available": 10}


def test_more_units_than_a_line_has_are_flagged(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "10:00", lines=[{"line": "1", "quantity": 5}])
    assert shop.counts()["shipped"] == 3
    assert shop.order().irregular


def test_units_of_a_line_nobody_knows_are_flagged(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "10:00", lines=[{"line": "9", "quantity": 1}])
    assert shop.order().irregular
    assert shop.levels() == {"on_hand": 10, "committed": 3, "available": 7}


def test_goods_that_left_after_they_were_cancelled_are_gone_all_the_same(shop: Ledger) -> None:
    place(shop)
    reach(shop, "cancelled", "10:00")
    reach(shop, "shipped", "11:00", lines=[{"line": "1", "quantity": 2}])
    assert shop.levels() == {"on_hand": 8, "available": 8}
    assert shop.counts()["cancelled"] == 1
    assert (shop.order().status, shop.order().irregular) == ("cancelled", True)


def test_going_back_from_packing_leaves_units_that_shipped_alone(shop: Ledger) -> None:
    place(shop)
    reach(shop, "packed", "10:00")
    reach(shop, "shipped", "10:10", lines=[{"line": "1", "quantity": 1}])
    reach(shop, "picking", "10:20")
    assert shop.counts() == {
        "ordered": 3, "allocated": 3, "picked": 3, "packed": 1, "shipped": 1, "committed": 2,
    }  # fmt: skip
    assert shop.levels() == {"on_hand": 9, "committed": 2, "available": 7}


# Changes to an order


def update(shop: Ledger, *lines: dict[str, Any], **more: Any) -> None:
    shop.tell("order.updated", "10:00", order_id="1001", lines=list(lines), **more)


def test_a_line_may_grow_and_shrink(shop: Ledger) -> None:
    place(shop)
    update(shop, line("MUG", 5, "6.95", line="1"))
    assert shop.levels() == {"on_hand": 10, "committed": 5, "available": 5}
    update(shop, line("MUG", 1, "6.95", line="1"))
    assert shop.levels() == {"on_hand": 10, "committed": 1, "available": 9}


def test_a_line_is_never_cut_below_what_has_left(shop: Ledger) -> None:
    place(shop)
    reach(shop, "shipped", "09:30", lines=[{"line": "1", "quantity": 2}])
    update(shop, line("MUG", 1, "6.95", line="1"))
    assert shop.counts()["ordered"] == 2
    assert shop.levels() == {"on_hand": 8, "available": 8}
    assert shop.order().irregular


def test_a_line_added_to_a_shipped_order_ships_at_once(shop: Ledger) -> None:
    place(shop, status="completed")
    update(shop, line("MUG", 4, "6.95", line="4"))
    assert shop.levels() == {"on_hand": 3, "available": 3}
    assert not shop.order().irregular


def test_a_line_added_to_a_cancelled_order_is_cancelled(shop: Ledger) -> None:
    place(shop, status="cancelled")
    update(shop, line("MUG", 4, "6.95", line="4"))
    assert shop.levels() == {"on_hand": 10, "available": 10}
    assert shop.counts("4") == {"ordered": 4, "cancelled": 4}


def test_a_line_may_become_another_product(shop: Ledger) -> None:
    place(shop)
    update(shop, line("CUP", 2, "4", line="1"))
    assert shop.levels() == {"on_hand": 10, "available": 10}
    assert shop.levels("CUP") == {"on_hand": 10, "committed": 3, "available": 7}


def test_what_an_update_leaves_out_stays(shop: Ledger) -> None:
    place(shop, discount="2", note="ring twice", customer={"name": "Ada"})
    update(shop, shipping="4", customer={"country": "UK"}, promised_at="2026-03-02T12:00:00Z")
    order = shop.order()
    assert (order.discount, order.shipping, order.note) == (20_000, 40_000, "ring twice")
    assert (order.customer_name, order.country, order.promised_at) == ("Ada", "UK", at("12:00"))


# Holds, payment, credit


def test_a_held_order_waits_until_it_is_released(shop: Ledger) -> None:
    place(shop)
    shop.tell("order.held", "09:10", order_id="1001", reason="address")
    hold = shop.order().hold
    assert hold is not None and (hold.reason, hold.since) == ("address", at("09:10"))
    assert shop.order().status == "placed"
    shop.tell("order.released", "09:20", order_id="1001")
    assert shop.order().hold is None
    assert [entry.type for entry in shop.timeline()] == ["order.placed", "order.held", "order.released"]


def test_a_closed_order_waits_for_nothing(shop: Ledger) -> None:
    place(shop)
    shop.tell("order.held", "09:10", order_id="1001", reason="address")
    reach(shop, "cancelled", "09:20")
    assert shop.order().hold is None


CREDIT = {"document": "C7", "currency": "GBP"}


def test_a_credit_note_puts_its_goods_back_on_hand(shop: Ledger) -> None:
    changes = shop.tell(
        "order.credited", "10:00", **CREDIT, lines=[line("MUG", 2, "6.95"), line("X", 1, restock=False)]
    )
    assert shop.levels() == {"on_hand": 12, "available": 12}
    (movement,) = changes.movements
    assert (movement.document, movement.reason, movement.order_id) == ("C7", "return", None)
    assert changes.timeline == [] and changes.orders == {}


def test_a_credit_note_of_an_order_is_noted_on_its_lines(shop: Ledger) -> None:
    place(shop, status="completed")
    shop.tell("order.credited", "10:00", **CREDIT, order_id="1001", lines=[line("MUG", 2, "6.95")])
    assert amount_text(shop.order().credited) == "13.9"
    assert (shop.counts()["returned"], shop.counts()["refunded"]) == (2, 2)
    assert shop.order().payment_status == "unpaid"
    assert shop.timeline()[-1].document == "C7"


def test_a_correcting_credit_note_takes_back_the_first(shop: Ledger) -> None:
    place(shop, status="completed")
    shop.tell("order.credited", "10:00", **CREDIT, order_id="1001", lines=[line("MUG", 2, "6.95")])
    shop.tell("order.credited", "10:01", **CREDIT, order_id="1001", lines=[line("MUG", -2, "6.95")])
    assert shop.order().credited == 0
    assert "returned" not in shop.counts() and "refunded" not in shop.counts()
    assert shop.levels() == {"on_hand": 7, "available": 7}


# Time


def test_an_order_is_at_risk_and_late_as_the_clock_passes(shop: Ledger) -> None:
    place(shop)  # an hour is allowed
    shop.tell("clock.ticked", "09:47", source="stockwire")
    assert shop.order().lateness == "on_track"
    shop.tell("clock.ticked", "09:48", source="stockwire")
    assert shop.order().lateness == "at_risk"
    shop.tell("stock.adjusted", "10:00", sku="MUG", quantity=1)
    assert (shop.order().lateness, shop.order().version) == ("late", shop.version)


def test_moving_on_gives_an_order_new_time(shop: Ledger) -> None:
    place(shop)
    reach(shop, "confirmed", "10:30")
    order = shop.order()
    assert (order.lateness, order.at_risk_at, order.due_at) == ("on_track", at("11:18"), at("11:30"))


def test_an_order_told_of_late_is_late_at_once(shop: Ledger) -> None:
    shop.tell("clock.ticked", "12:00", source="stockwire")
    place(shop, "09:00")
    assert shop.order().lateness == "late"


def test_a_held_order_keeps_counting(shop: Ledger) -> None:
    place(shop)
    shop.tell("order.held", "09:10", order_id="1001")
    shop.tell("clock.ticked", "10:00", source="stockwire")
    assert shop.order().lateness == "late"


def test_a_closed_order_is_never_late(shop: Ledger) -> None:
    place(shop)
    reach(shop, "cancelled", "09:30")
    shop.tell("clock.ticked", "20:00", source="stockwire")
    assert (shop.order().lateness, shop.order().due_at) == ("on_track", None)


# Whatever a source says

STEPS = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(STATUSES), st.booleans()),
    st.tuples(st.just("units"), st.sampled_from(STATUSES), st.integers(1, 4)),
    st.tuples(st.just("lines"), st.integers(0, 6), st.sampled_from(["1", "2", "5"])),
    st.tuples(st.just("place"), st.sampled_from(STATUSES), st.none()),
)


def told(number: int, minute: int, step: Any) -> Any:
    kind, what, how = step
    time, id_ = f"{9 + minute // 60:02}:{minute % 60:02}", str(number)
    if kind == "status":
        return event("order.status_changed", time, id_, order_id="1001", status=what, milestone=how)
    if kind == "units":
        lines: list[dict[str, Any]] = [{"line": "1", "quantity": how}]
        return event("order.status_changed", time, id_, order_id="1001", status=what, lines=lines)
    if kind == "lines":
        return event("order.updated", time, id_, order_id="1001", lines=[line("MUG", what, "2", line=how)])
    return event(
        "order.placed", time, id_, order_id="1001", currency="GBP", status=what, lines=[line("MUG", 3), line("MUG", 2)]
    )


@given(st.lists(st.tuples(st.integers(0, 300), STEPS), max_size=15), st.sampled_from(["completed", "cancelled"]))
def test_whatever_happens_an_order_gives_back_exactly_what_it_took(happenings: list[Any], end: str) -> None:
    shop = Ledger()
    for number, (minute, step) in enumerate([(0, ("place", "placed", None)), *happenings]):
        shop.write([told(number, minute, step)])
        order = shop.order()
        held = sum(each.committed for each in order.lines)
        out = sum(each.shipped for each in order.lines)
        assert (shop.stock().committed, shop.stock().on_hand) == (held, -out)
        for each in order.lines:
            counts = (each.allocated, each.picked, each.packed, each.shipped, each.delivered)
            assert 0 <= each.cancelled <= each.ordered
            assert 0 <= each.committed <= each.ordered - each.shipped - each.cancelled
            assert all(0 <= count <= each.ordered for count in counts)
            assert list(counts) == sorted(counts, reverse=True)
            if order.status in COMMITTING:
                assert each.committed == each.ordered - each.shipped - each.cancelled
            if order.status in GONE:
                assert each.shipped == each.ordered - each.cancelled
    assert shop.parked == []
    shop.tell("order.status_changed", "20:00", order_id="1001", status=end)
    assert shop.stock().committed == 0
    assert len(shop.timeline()) == len(happenings) + 2


@pytest.mark.parametrize("here", STATUSES)
@pytest.mark.parametrize("there", STATUSES)
def test_every_move_is_taken_and_only_those_of_the_lifecycle_are_regular(here: str, there: str) -> None:
    shop = Ledger()
    place(shop, status=here)
    reach(shop, there, "10:00")
    order = shop.order()
    forward = bool(order.skipped)
    assert order.status == there
    assert order.irregular == (here != there and there not in ALLOWED[here] and not forward)
