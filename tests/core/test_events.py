"""Events come in by one door, which takes what spec/events.md describes and says what is wrong with the rest."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from stockwire.core.errors import Invalid
from stockwire.core.events import (
    INTERNAL_TYPES,
    TYPES,
    Event,
    OrderPlaced,
    StockTransferred,
    parse_event,
    stored_event,
)
from stockwire.core.projections.inventory import STOCK_TYPES
from stockwire.core.projections.orders import ORDER_TYPES
from stockwire.core.values import moment


def decoded(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def envelope(type_: str = "stock.received", **data: Any) -> dict[str, Any]:
    told = {"id": "1", "source": "till", "type": type_, "time": "2026-03-02T14:02:11Z", "data": data}
    envelope: dict[str, Any] = decoded(json.dumps(told))
    return envelope


EXAMPLES: dict[str, dict[str, Any]] = {
    "stock.received": {"sku": "A", "quantity": 0.25, "unit_cost": "1.5", "from_incoming": True},
    "stock.adjusted": {"sku": "A", "quantity": -3, "reason": "loss", "note": "wet"},
    "stock.counted": {"sku": "A", "quantity": 0},
    "stock.committed": {"sku": "A", "quantity": 1},
    "stock.released": {"sku": "A", "quantity": 1},
    "stock.fulfilled": {"sku": "A", "quantity": 1, "order_id": "7"},
    "stock.reserved": {"sku": "A", "quantity": 1},
    "stock.reservation_expired": {"sku": "A", "quantity": 1},
    "stock.transferred": {"sku": "A", "from": "x", "to": "y", "quantity": 1},
    "stock.returned": {"sku": "A", "quantity": 1, "state": "damaged"},
    "stock.state_moved": {"sku": "A", "from": "available", "to": "damaged", "quantity": 1},
    "stock.incoming_changed": {"sku": "A", "quantity": -1},
    "stock.snapshot": {"sku": "A", "location": "x", "on_hand": 3, "incoming": 0},
    "product.updated": {"sku": "A", "name": "Mug", "unit_cost": "2", "currency": "GBP", "tracked": False},
    "location.updated": {"location": "x", "name": "Leeds"},
    "order.placed": {
        "order_id": "7", "currency": "GBP", "status": "completed", "derived": ["status"],
        "lines": [{"sku": "A", "quantity": 2, "unit_price": "6.95", "stock": False}], "customer": {"country": "UK"},
    },
    "order.updated": {"order_id": "7", "lines": [{"sku": "A", "quantity": 0, "line": "1"}], "discount": "1"},
    "order.status_changed": {"order_id": "7", "status": "shipped", "lines": [{"line": "1", "quantity": 1}]},
    "order.held": {"order_id": "7", "reason": "address"},
    "order.released": {"order_id": "7"},
    "order.payment_changed": {"order_id": "7", "payment_status": "paid"},
    "order.credited": {"document": "C1", "currency": "GBP", "lines": [{"sku": "A", "quantity": -1, "restock": False}]},
    "shop.configured": {"timezone": "UTC", "currency": "GBP", "allowed_minutes": {"placed": 60}},
    "clock.ticked": {},
    "log.verified": {"events": 12, "differences": 0},
    "rule.defined": {
        "rule_id": "r1", "by": "ann", "kind": "low_stock", "name": "Mugs", "scope": {"sku": "A", "location": "x"},
        "threshold": 2.5, "clear": "1", "for_seconds": 60, "group_by": "location", "channels": ["mail"],
    },
    "rule.removed": {"rule_id": "r1", "by": "ann"},
    "rule.observed": {"rule_id": "r1", "about": "source/till", "met": True, "value": "600"},
    "notification.acknowledged": {"notification_id": "r1/log@7", "by": "ann"},
    "notification.snoozed": {"notification_id": "r1/log@7", "by": "ann", "until": "2026-03-02T18:00:00Z"},
    "notification.resolved": {"notification_id": "r1/log@7", "by": "ann"},
    "notification.read": {"person": "ann", "through": 7, "ids": ["r1/log@9"]},
    "person.preferred": {
        "person": "ann",
        "preferences": {
            "quiet": {"from": "22:00", "to": "07:00", "timezone": "Europe/Berlin"}, "digest": True,
            "muted_rules": ["r1"], "rules": {"r2": {"channels": ["mail"]}}, "channels": {"mail": False},
            "toast_severity": "warning",
        },
    },
    "order.watched": {"person": "ann", "order_id": "7"},
    "order.unwatched": {"person": "ann", "order_id": "7"},
    "view.kept": {"person": "ann", "screen": "orders", "name": "Late", "query": "lateness=late"},
}  # fmt: skip


def internal(type_: str) -> dict[str, Any]:
    told = envelope(type_, **EXAMPLES[type_])
    return told | {"source": "stockwire"} if type_ in INTERNAL_TYPES else told


def test_there_is_an_example_of_every_type_and_a_projection_for_it() -> None:
    assert set(EXAMPLES) == set(TYPES)
    assert STOCK_TYPES | ORDER_TYPES | INTERNAL_TYPES == set(TYPES)


@pytest.mark.parametrize("type_", EXAMPLES)
def test_an_event_is_kept_as_it_was_understood(type_: str) -> None:
    event = parse_event(internal(type_), internal=True)
    again = stored_event(event.source, event.id, event.type, event.time, event.body)
    assert again == event
    assert decoded(event.body.decode()) == decoded(json.dumps(EXAMPLES[type_]))


def test_an_event_says_when_it_occurred_and_who_says_so() -> None:
    event = parse_event(envelope(sku="A", quantity=1))
    assert (event.key, event.time) == (("till", "1"), moment("2026-03-02T14:02:11Z"))
    assert event.data.subject == "stock/A/main"


def test_numbers_are_exact() -> None:
    told = envelope(
        "order.placed", order_id="7", currency="GBP", lines=[{"sku": "A", "quantity": 0.1, "unit_price": "0.1"}]
    )
    data = parse_event(told).data
    assert isinstance(data, OrderPlaced)
    assert (data.lines[0].quantity, data.lines[0].unit_price) == (100, 1_000)


def test_from_is_a_field_on_the_wire() -> None:
    data = parse_event(internal("stock.transferred")).data
    assert isinstance(data, StockTransferred)
    assert (data.from_, data.to, data.subject) == ("x", "y", "stock/A/x")


@pytest.mark.parametrize(
    ("type_", "subject"),
    [
        ("product.updated", "product/A"), ("location.updated", "location/x"), ("order.held", "order/7"),
        ("order.credited", "document/C1"), ("clock.ticked", ""),
    ],
)  # fmt: skip
def test_an_event_has_a_subject_to_find_it_by(type_: str, subject: str) -> None:
    assert parse_event(internal(type_), internal=True).data.subject == subject


def test_attributes_of_the_envelope_that_are_not_known_are_left_alone() -> None:
    told = envelope(sku="A", quantity=1) | {"specversion": "1.0", "datacontenttype": "application/json", "ext": 1}
    assert parse_event(told).type == "stock.received"


WRONG_ENVELOPES: list[tuple[dict[str, Any], str]] = [
    ({"id": ""}, "`id`"),
    ({"id": 7}, "`id`"),
    ({"id": "x" * 201}, "`id`"),
    ({"source": None}, "`source`"),
    ({"source": "stockwire"}, "kept for Stockwire"),
    ({"type": "stock.teleported"}, "unknown event type"),
    ({"type": "clock.ticked"}, "unknown event type"),
    ({"specversion": "0.3"}, "specversion"),
    ({"time": 7}, "`time`"),
    ({"time": "2026-03-02"}, "time"),
    ({"data": []}, "`data`"),
]


@pytest.mark.parametrize(("wrong", "says"), WRONG_ENVELOPES)
def test_a_wrong_envelope_is_refused_with_what_is_wrong(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse_event(envelope(sku="A", quantity=1) | wrong)


@pytest.mark.parametrize("told", [None, [], "x", 1])
def test_what_is_no_object_is_refused(told: Any) -> None:
    with pytest.raises(Invalid, match="object"):
        parse_event(told)


ONE_LINE = {"sku": "A", "quantity": 1}
WRONG_DATA: list[tuple[str, dict[str, Any], str]] = [
    ("stock.received", {"quantity": 1}, "sku"),
    ("stock.received", {"sku": "", "quantity": 1}, "length"),
    ("stock.received", {"sku": "A", "quantity": 0}, "above 0"),
    ("stock.received", {"sku": "A", "quantity": "much"}, "quantity"),
    ("stock.received", {"sku": "A", "quantity": 0.0001}, "3 decimals"),
    ("stock.received", {"sku": "A", "quantity": 1, "colour": "red"}, "colour"),
    ("stock.received", {"sku": "A", "quantity": 1, "reason": "because"}, "reason"),
    ("stock.counted", {"sku": "A", "quantity": -1}, "not be below 0"),
    ("stock.adjusted", {"sku": "A", "quantity": 0}, "not be 0"),
    ("stock.transferred", {"sku": "A", "from": "x", "to": "x", "quantity": 1}, "two locations"),
    ("stock.state_moved", {"sku": "A", "from": "damaged", "to": "damaged", "quantity": 1}, "two states"),
    ("order.placed", {"order_id": "7", "currency": "pounds"}, "currency"),
    ("order.placed", {"order_id": "7", "currency": "GBP", "status": "lost"}, "status"),
    ("order.placed", {"order_id": "7", "currency": "GBP", "promised_at": "soon"}, "promised_at"),
    ("order.placed", {"order_id": "7", "currency": "GBP", "lines": [{"sku": "A", "quantity": -1}]}, r"lines\[0\]"),
    ("order.placed", {"order_id": "7", "currency": "GBP", "lines": [ONE_LINE | {"unit_price": "-1"}]}, "discount"),
    ("order.placed", {"order_id": "7", "currency": "GBP", "lines": [ONE_LINE | {"line": "1"}] * 2}, "twice"),
    ("order.placed", {"order_id": "7", "currency": "GBP", "lines": [ONE_LINE | {"line": "1"}, ONE_LINE]}, "every line"),
    ("order.placed", {"order_id": "7", "currency": "GBP", "lines": [ONE_LINE] * 1001}, "length"),
    ("order.updated", {"order_id": "7", "lines": [ONE_LINE]}, "needed"),
    ("order.status_changed", {"order_id": "7", "status": "packed", "lines": [{"line": "1", "quantity": 0}]}, "above 0"),
    ("order.credited", {"document": "C", "currency": "GBP", "lines": [{"sku": "A", "quantity": 0}]}, "not be 0"),
]


@pytest.mark.parametrize(("type_", "data", "says"), WRONG_DATA)
def test_wrong_data_is_refused_with_what_is_wrong(type_: str, data: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse_event(envelope(type_, **data))


def test_a_repeat_has_the_same_key() -> None:
    one, other = (parse_event(envelope(sku="A", quantity=n)) for n in (1, 2))
    assert isinstance(one, Event) and one.key == other.key and one != other
