"""Histories for the tests of the log: events of a small shop, and writing them as the writer does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stockwire.core.changes import Changes
from stockwire.core.events import Event, Record, ShopConfigured
from stockwire.core.fold import Fold
from stockwire.core.fold_state import FoldState
from stockwire.core.values import HOUR, SECOND
from stockwire.engine.state import fold_state
from stockwire.log.base import Writer
from tests.core.ledger import at, event

MONDAY = at("00:00")
RECORDED = at("12:00")
SETTINGS = ShopConfigured(timezone="UTC", currency="GBP", allowed_minutes={})


class Shop:
    """A shop whose events go into a log, batch by batch. `restart` begins anew from what the log has."""

    def __init__(self, log: Writer) -> None:
        self.log = log
        self.now = RECORDED
        self.state: FoldState = fold_state(log)

    def restart(self, log: Writer | None = None) -> None:
        self.log = log or self.log
        self.state = fold_state(self.log)

    def write(self, *events: Event) -> Changes:
        first = self.state.version + 1
        records = [Record(at, RECORDED + at * SECOND, each) for at, each in enumerate(events, first)]
        self.now = records[-1].recorded_at
        changes = Fold(self.state).apply(records)
        self.log.commit(records, changes)
        self.state.commit(changes)
        return changes

    def tell(self, type_: str, time: str, source: str = "till", **data: Any) -> Changes:
        return self.write(event(type_, time, f"e{self.state.version + 1}", source, **data))


def configured() -> Event:
    return event(
        "shop.configured", "00:00", "settings", "stockwire", timezone="UTC", currency="GBP", allowed_minutes={}
    )


def receipt(number: int, sku: str = "MUG", location: str = "main", time: str = "09:00", **data: Any) -> Event:
    return event("stock.received", time, f"r{number}", sku=sku, location=location, quantity=1, **data)


def order(number: int, time: str = "10:00", status: str = "placed", **data: Any) -> Event:
    lines = data.pop("lines", [{"sku": "MUG", "quantity": 1 + number % 3, "unit_price": "6.95"}])
    return event(
        "order.placed", time, f"o{number}", order_id=f"{number:04}", currency="GBP", status=status, lines=lines, **data
    )


def clock(index: int) -> str:
    """A time of the day, a quarter of an hour apart."""
    hour, quarter = divmod(index, 4)
    return f"{2 + hour // 24} {hour % 24:02}:{quarter * 15:02}"


def busy_day() -> list[Event]:
    """Some of everything: stock, orders that go all the way or not, returns, money in another currency."""
    told: list[Event] = [
        configured(),
        event(
            "product.updated", "07:00", "p1", sku="MUG", name="Mug", reorder_point=5, unit_cost="2.10", currency="GBP"
        ),
        event("location.updated", "07:00", "l1", location="main", name="Main Street"),
        event("stock.snapshot", "08:00", "s1", sku="MUG", location="main", on_hand=40, safety_stock=2),
        event("stock.received", "08:05", "s2", sku="LAMP", location="north", quantity="2.5", unit_cost="30"),
        event("stock.transferred", "08:10", "s3", sku="MUG", from_="main", to="north", quantity=4),
    ]
    for number in range(1, 13):
        told.append(
            order(
                number, f"{8 + number // 2:02}:{20 + number}", customer={"id": f"c{number}", "name": f"Ümit {number}"}
            )
        )
    steps = ["confirmed", "packed", "shipped", "delivered", "completed"]
    for number in range(1, 7):
        for step, status in enumerate(steps[: number + 1]):
            told.append(event("order.status_changed", f"{15 + step}:{10 + number}", f"t{number}-{step}",
                              order_id=f"{number:04}", status=status))  # fmt: skip
    told += [
        event("order.status_changed", "16:00", "x8", order_id="0008", status="cancelled", reason="changed their mind"),
        event("order.held", "16:05", "x9", order_id="0009", reason="address"),
        event("order.status_changed", "16:10", "x10", order_id="0010", status="placed"),
        event("order.credited", "17:00", "c1", document="CN-1", currency="GBP", order_id="0005",
              lines=[{"sku": "MUG", "quantity": 1, "unit_price": "6.95"}]),
        event("order.placed", "17:05", "o90", order_id="0090", currency="EUR", lines=[{"sku": "LAMP", "quantity": 3}]),
        event("stock.counted", "09:30", "n1", sku="MUG", location="main", quantity=30),
        event("stock.snapshot", "07:30", "n2", sku="MUG", location="main", on_hand=1),
    ]  # fmt: skip
    return told


def batches(events: Sequence[Event], size: int) -> list[Sequence[Event]]:
    return [events[start : start + size] for start in range(0, len(events), size)]


def filled(log: Writer, size: int = 7) -> Shop:
    """A shop whose busy day is in the log."""
    shop = Shop(log)
    for batch in batches(busy_day(), size):
        shop.write(*batch)
    return shop


HOUR_AT_TEN = MONDAY + 10 * HOUR
