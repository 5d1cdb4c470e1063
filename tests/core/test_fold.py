"""Folding: the same log gives the same rows, whatever the batches, restarts, failures and bad events on the way."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from stockwire.core import fold
from stockwire.core.events import INTERNAL_TYPES, Event, Record
from stockwire.core.fold import RECENT_CLOSED, Fold
from stockwire.core.fold_state import FoldState
from stockwire.core.lifecycle import STATUSES
from stockwire.core.projections import inventory
from stockwire.core.tables import Draft, Table
from stockwire.core.values import DAY, MINUTE, moment_text
from tests.core.ledger import Ledger, at, event, line

# Any log

SKUS = st.sampled_from(["MUG", "CUP", "TEA"])
ORDERS = st.sampled_from(["1", "2", "3", "4"])
UNITS = st.integers(1, 5)
LINES = st.lists(
    st.builds(lambda sku, n, price: line(sku, n, str(price)), SKUS, UNITS, st.integers(0, 9)), min_size=1, max_size=3
)
RULES = st.sampled_from(["r1", "r2", "default-out-of-stock", "default-order-late"])
KINDS = ("out_of_stock", "low_stock", "oversold", "back_in_stock", "large_movement", "order_stuck", "order_status",
         "large_order", "source_silent", "drift")  # fmt: skip
SECONDS = st.sampled_from([0, 60, 3_600, 86_400])
HAPPENINGS = st.one_of(
    st.builds(lambda sku, n: ("stock.received", {"sku": sku, "quantity": n, "unit_cost": "2"}), SKUS, UNITS),
    st.builds(lambda sku, n: ("stock.counted", {"sku": sku, "quantity": n}), SKUS, UNITS),
    st.builds(lambda sku, n: ("product.updated", {"sku": sku, "safety_stock": n, "reorder_point": n}), SKUS, UNITS),
    st.builds(
        lambda id_, status, currency, lines: (
            "order.placed",
            {"order_id": id_, "currency": currency, "status": status, "lines": lines, "shipping": "2"},
        ),
        ORDERS, st.sampled_from(STATUSES), st.sampled_from(["GBP", "GBP", "SEK"]), LINES,
    ),
    st.builds(
        lambda id_, status, mile: ("order.status_changed", {"order_id": id_, "status": status, "milestone": mile}),
        ORDERS, st.sampled_from(STATUSES), st.booleans(),
    ),
    st.builds(
        lambda id_, sku, n: ("order.updated", {"order_id": id_, "lines": [line(sku, n, "3", line="1")]}),
        ORDERS, SKUS, UNITS,
    ),
    st.builds(lambda id_: ("order.held", {"order_id": id_}), ORDERS),
    st.builds(
        lambda id_, sku, n: (
            "order.credited",
            {"order_id": id_, "document": "C", "currency": "GBP", "lines": [line(sku, n, "3")]},
        ),
        st.one_of(st.none(), ORDERS), SKUS, UNITS,
    ),
    st.builds(
        lambda rule_id, kind, group, seconds, cooldown, threshold: (
            "rule.defined",
            {"rule_id": rule_id, "by": "ann", "kind": kind, "name": kind, "group_by": group, "for_seconds": seconds,
             "keep_seconds": seconds // 2, "cooldown_seconds": cooldown, "threshold": threshold, "clear": 1},
        ),
        RULES, st.sampled_from(KINDS), st.sampled_from(["none", "location", "rule"]), SECONDS, SECONDS,
        st.integers(1, 4),
    ),
    st.builds(lambda rule_id: ("rule.removed", {"rule_id": rule_id, "by": "ben"}), RULES),
    st.builds(
        lambda rule_id, met: ("rule.observed", {"rule_id": rule_id, "about": "source/till", "met": met}),
        RULES, st.booleans(),
    ),
    st.builds(
        lambda type_, rule_id, group, version: (
            f"notification.{type_}",
            {"notification_id": f"{rule_id}/{group}@{version}", "by": "ann"}
            | ({"until": "2026-02-03T00:00:00Z"} if type_ == "snoozed" else {}),
        ),
        st.sampled_from(["acknowledged", "snoozed", "resolved"]), RULES,
        st.sampled_from(["log", "location/main", "stock/MUG/main", "order/1"]), st.integers(1, 12),
    ),
    st.builds(lambda id_: ("order.watched", {"person": "ann", "order_id": id_}), ORDERS),
    st.builds(lambda through: ("notification.read", {"person": "ben", "through": through}), st.integers(0, 9)),
    st.just(("shop.configured", {"timezone": "Asia/Tokyo", "currency": "SEK", "allowed_minutes": {"placed": 5}})),
    st.just(("shop.configured", {"timezone": "Nowhere/Atlantis", "currency": "SEK", "allowed_minutes": {}})),
)  # fmt: skip
STARTS = at("2026-01-30T20:00:00Z")
STEPS = st.one_of(st.integers(-200, 90), st.integers(-3 * 24 * 60, 3 * 24 * 60))
LOGS = st.lists(st.tuples(STEPS, HAPPENINGS), max_size=25)


def written(log: list[Any]) -> list[Event]:
    """The log's events: each some minutes after (or before) the one before it."""
    events: list[Event] = []
    now = STARTS
    for number, (minutes, (type_, data)) in enumerate(log):
        now += minutes * MINUTE
        source = "stockwire" if type_ in INTERNAL_TYPES else f"shop{number % 2}"
        told = {name: value for name, value in data.items() if value is not None}
        events.append(event(type_, moment_text(now), str(number), source, **told))
    return events


def all_rows(shop: Ledger) -> dict[str, Any]:
    """Everything that folding gave; metrics rows without their version, which is that of their batch."""
    state = shop.state
    return {
        "inventory": state.inventory.rows,
        "products": state.products.rows,
        "orders": shop.all_orders(),
        "metrics": {key: msgspec.structs.replace(row, version=0) for key, row in state.metrics.rows.items()},
        "minutes": shop.minutes,
        "hours": state.hours.rows,
        "sources": state.sources.rows,
        "rules": state.board.rules.rows,
        "notifications": state.board.notifications.rows,
        "people": state.board.people.rows,
        "conditions": state.board.conditions.rows,
        "occasions": shop.occasions,
        "movements": shop.movements,
        "timeline": shop.timelines,
        "parked": shop.parked,
        "config": state.config,
        "clock": state.clock,
    }


def kept_beside(state: FoldState) -> dict[str, Any]:
    """What a state keeps over its rows."""
    return {
        "stock": vars(state.stock_tally),
        "open": vars(state.order_tally),
        "places": {sku: set(places) for sku, places in state.places.items()},
        "deadlines": list(state.deadlines),
        "awaited": list(state.awaited),
        "closed": state.closed,
        "closed order": list(state.closed_order),
        "orders": state.has_orders,
        "newest": state.board.newest,
        "over": list(state.board.over),
        "due": list(state.board.deadlines),
        "watched": +state.board.watched,
    }


@settings(max_examples=150, deadline=None)
@given(LOGS, st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_any_split_into_batches_gives_the_same_rows(log: list[Any], sizes: list[int]) -> None:
    events = written(log)
    whole, split = Ledger(), Ledger()
    whole.write(events)
    rest = events
    while rest:
        for size in sizes:
            split.write(rest[:size])
            rest = rest[size:]
    assert all_rows(split) == all_rows(whole)


@settings(max_examples=100, deadline=None)
@given(LOGS, st.integers(1, 4))
def test_a_restart_from_stored_rows_changes_nothing(log: list[Any], size: int) -> None:
    events = written(log)
    steady, restarted = Ledger(), Ledger()
    for start in range(0, len(events), size):
        steady.write(events[start : start + size])
        restarted.write(events[start : start + size])
        restarted.restart()
        assert kept_beside(restarted.state) == kept_beside(steady.state)
    assert all_rows(restarted) == all_rows(steady)


@settings(max_examples=60, deadline=None)
@given(LOGS, LOGS)
def test_a_batch_that_is_not_stored_leaves_no_trace(log: list[Any], lost: list[Any]) -> None:
    shop, model = Ledger(), Ledger()
    shop.write(written(log))
    model.write(written(log))
    records = [Record(shop.version + n, 1, each) for n, each in enumerate(written(lost), 1)]
    Fold(shop.state).apply(records)
    assert all_rows(shop) == all_rows(model)
    assert kept_beside(shop.state) == kept_beside(model.state)
    again = [Record(shop.version + n, 1, each) for n, each in enumerate(written(log), 1)]
    assert Fold(shop.state).apply(again) == Fold(model.state).apply(again)


@settings(max_examples=60, deadline=None)
@given(LOGS)
def test_the_tallies_are_what_counting_all_rows_gives(log: list[Any]) -> None:
    shop = Ledger()
    shop.write(written(log))
    detail = shop.state.metrics.rows[("orders_open", "now")].detail if log else None
    still_open = [row for row in shop.all_orders().values() if row.closed_at is None]
    assert shop.state.order_tally.open == len(still_open)
    if detail is not None:
        held = sum(row.hold is not None for row in still_open)
        assert detail.pop("on_hold") == held
        assert detail == {status: sum(row.status == status for row in still_open) for status in detail}


# One batch


def test_an_event_that_cannot_be_digested_is_parked_and_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Ledger()
    shop.tell("stock.counted", "09:00", sku="MUG", quantity=10)
    whole = inventory.Inventory._change

    def fragile(self: Any, record: Any, row: Any, *more: Any) -> Any:
        if row.sku == "BOMB":
            raise RuntimeError("no")
        return whole(self, record, row, *more)

    monkeypatch.setattr(inventory.Inventory, "_change", fragile)
    changes = shop.write(
        [
            event("stock.adjusted", "09:01", "a", sku="MUG", quantity=-1),
            event(
                "order.placed", "09:02", "b", order_id="1", currency="GBP", lines=[line("MUG", 2, "5"), line("BOMB", 1)]
            ),
            event("stock.adjusted", "09:03", "c", sku="MUG", quantity=-1),
        ]
    )
    assert [(parked.version, parked.error) for parked in changes.parked] == [(3, "RuntimeError: no")]
    assert shop.levels() == {"on_hand": 8, "available": 8}
    assert changes.orders == {} and changes.timeline == []
    assert not any(minute is None or minute.orders_placed for minute in changes.minutes.values())
    assert [movement.version for movement in changes.movements] == [2, 4]
    assert shop.metric("orders_open").state == "no_data"
    assert shop.metric("stockout_rate").value == 0


def test_an_order_that_fails_at_the_last_moment_is_parked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no")

    shop = Ledger()
    monkeypatch.setattr(fold, "order_sales", broken)
    changes = shop.tell("order.placed", "09:00", order_id="1", currency="GBP", lines=[line("MUG", 1)])
    assert len(changes.parked) == 1
    assert not (changes.orders or changes.inventory or changes.movements or changes.timeline or changes.minutes)
    assert shop.metric("orders_open").state == "no_data"


def test_settings_that_name_no_time_zone_are_parked() -> None:
    shop = Ledger()
    changes = shop.tell(
        "shop.configured", "09:00", source="stockwire", timezone="Nowhere/Atlantis", currency="SEK", allowed_minutes={}
    )
    assert len(changes.parked) == 1 and changes.config is None
    assert shop.state.config.currency == "GBP"


def test_the_clock_only_rises() -> None:
    shop = Ledger()
    shop.tell("clock.ticked", "09:00", source="stockwire")
    assert shop.tell("stock.received", "08:00", sku="MUG", quantity=1).clock == at("09:00")


def test_a_row_carries_the_version_of_the_event_that_changed_it() -> None:
    shop = Ledger()
    shop.write(
        [
            event("stock.received", "09:00", "a", sku="MUG", quantity=1),
            event("stock.received", "09:00", "b", sku="CUP", quantity=1),
            event("order.placed", "09:00", "c", order_id="1", currency="GBP", lines=[line("CUP", 1)]),
            event("clock.ticked", "09:00", "d", "stockwire"),
        ]
    )
    assert (shop.stock().version, shop.stock("CUP").version, shop.order("1").version) == (1, 3, 3)
    assert shop.metric("orders_open").version == 4
    assert shop.state.version == 4


def test_a_batch_that_changes_no_number_changes_no_metric() -> None:
    shop = Ledger()
    shop.tell("stock.received", "09:00", sku="MUG", quantity=1)
    assert shop.tell("stock.received", "09:00", sku="MUG", quantity=1).metrics == {}
    as_of = shop.tell("clock.ticked", "09:01", source="stockwire").metrics
    assert set(as_of) == set(shop.state.metrics.rows)


def test_an_empty_batch_changes_nothing() -> None:
    shop = Ledger()
    shop.tell("stock.received", "09:00", sku="MUG", quantity=1)
    changes = Fold(shop.state).apply([])
    assert (changes.version, changes.clock) == (1, at("09:00"))
    assert not (changes.inventory or changes.metrics or changes.hours or changes.sources or changes.movements)


def test_the_feed_lets_go_of_the_orders_that_closed_longest_ago() -> None:
    shop = Ledger()
    orders = [
        event("order.placed", moment_text(at("09:00") + n * MINUTE), str(n), order_id=str(n), currency="GBP",
              status="completed", lines=[line("MUG", 1)])
        for n in range(RECENT_CLOSED + 3)
    ]  # fmt: skip
    assert shop.write(orders[:RECENT_CLOSED]).evicted == {}
    version = shop.version
    assert shop.write(orders[RECENT_CLOSED:]).evicted == {(str(n),): version + 3 for n in range(3)}
    assert len(shop.state.closed) == RECENT_CLOSED
    changes = shop.tell("order.payment_changed", "23:00", order_id="0", payment_status="paid")
    assert changes.evicted == {("0",): shop.version}


def test_a_reopened_order_is_in_the_feed_whenever_it_closed() -> None:
    shop = Ledger()
    shop.tell("order.placed", "09:00", order_id="1", currency="GBP", status="cancelled")
    shop.tell("order.status_changed", "10:00", order_id="1", status="confirmed")
    assert shop.state.closed == {}
    assert ("1",) in shop.state.orders.rows


def test_a_shop_nobody_configured_counts_orders_but_no_money() -> None:
    state = FoldState(Ledger())
    placed = event("order.placed", "09:00", order_id="1", currency="GBP", lines=[line("MUG", 1, "5")])
    changes = Fold(state).apply([Record(1, 1, placed)])
    (row,) = [row for row in changes.minutes.values() if row is not None]
    assert (row.orders_placed, row.gross_sales, row.other_currency_orders) == (1, 0, 1)


def test_sales_older_than_two_months_leave_memory() -> None:
    shop = Ledger()
    for day in range(0, 200, 20):
        time = moment_text(at("09:00") + day * DAY)
        shop.tell("order.placed", time, order_id=str(day), currency="GBP", lines=[line("MUG", 1, "1")])
    assert len(shop.minutes) == 10
    assert shop.state.sales.at(at("09:00")).gross_sales == 10_000_000
    assert len(shop.state.sales._minutes) == 4


# Drafts


def test_a_draft_returns_to_its_savepoint_and_tells_who_watches() -> None:
    heard: list[tuple[int | None, int | None]] = []
    table = Table({"a": 1, "b": 2})
    draft: Draft[str, int] = Draft(table, lambda before, after: heard.append((before, after)))
    draft.put("a", 10)
    draft.savepoint()
    draft.put("a", 11)
    draft.put("c", 3)
    draft.delete("b")
    assert (draft.get("a"), draft.get("b"), draft.get("c")) == (11, None, 3)
    draft.rollback()
    assert (draft.get("a"), draft.get("b"), draft.get("c")) == (10, 2, None)
    assert draft.changed == {"a": 10}
    assert heard == [(1, 10), (10, 11), (None, 3), (2, None), (None, 2), (3, None), (11, 10)]
    assert table.rows == {"a": 1, "b": 2}
    table.commit(draft.changed | {"b": None})
    assert table.rows == {"a": 10} and len(table) == 1
