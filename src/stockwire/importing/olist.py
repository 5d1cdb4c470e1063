"""The format `olist`: the timed status events of a Brazilian marketplace's orders.

The timeline file has one row per event, in time order: `ts, event, order_id, estimated_delivery, item_count,
items_value_brl, freight_brl`. Beside it may lie the items (what each order was of) and the orders (who ordered, and
how it ended).

Events arrive as they happened, some out of order (handed over before it was approved), so every stage is a milestone:
it is recorded and never runs an order backwards. How an order ended is knowledge of the future and is not used, with
one exception: a cancelled or unavailable order has no event of its own, so with the orders file it gets one after the
last row, its time marked derived. No stock is kept for what the sellers of a marketplace sell: lines move none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from stockwire.importing.rows import BadRow, Envelope, Input, Item, Parsed, Table, envelope, exact, local_time

COLUMNS: Final = ("ts", "event", "order_id", "estimated_delivery", "item_count", "items_value_brl", "freight_brl")
ZONE: Final = ZoneInfo("America/Sao_Paulo")
CURRENCY: Final = "BRL"

Row = Mapping[str, str]


class Olist(msgspec.Struct, frozen=True):
    """Reads the timeline; `items` and `orders` are the files beside it."""

    source: str = "olist"
    items: Input | None = None
    orders: Input | None = None
    timezone: str | None = ZONE.key
    currency: str | None = CURRENCY

    def read(self, file: Input) -> Iterator[Item]:
        lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        customers: dict[str, tuple[str, str]] = {}
        if self.items is not None:
            yield from _read_items(self.items, lines)
        if self.orders is not None:
            yield from _read_orders(self.orders, customers)
        last, number = "", 1
        with file.text("Importing") as text:
            for number, row in Table(text, COLUMNS).named():
                if row is None:
                    yield BadRow(number, "the row is not as wide as the header")
                    continue
                try:
                    last = local_time(row.get("ts", ""), ZONE)
                    for event in self._events(row, last, lines, customers):
                        yield Parsed(number, number, event)
                except ValueError as error:
                    yield BadRow(number, str(error))
        if last:
            for event in self._ends(last, customers):
                yield Parsed(number, number, event)

    def _events(
        self, row: Row, time: str, lines: Mapping[str, list[dict[str, Any]]], customers: Mapping[str, tuple[str, str]]
    ) -> Iterator[Envelope]:
        order_id = row.get("order_id")
        if not order_id:
            raise ValueError("the row needs an order_id")

        def event(name: str, type_: str, **data: Any) -> Envelope:
            return envelope(self.source, f"{name}/{order_id}", type_, time, {"order_id": order_id, **data})

        match row.get("event"):
            case "placed":
                yield event("placed", "order.placed", **_placed(row, lines.get(order_id), customers.get(order_id)))
            case "payment_approved":
                yield event("paid", "order.payment_changed", payment_status="paid")
                yield event("confirmed", "order.status_changed", status="confirmed", milestone=True)
            case "handed_to_carrier":
                yield event("shipped", "order.status_changed", status="shipped", milestone=True)
            case "delivered":
                yield event("delivered", "order.status_changed", status="delivered", milestone=True)
            case other:
                raise ValueError(f"unknown event `{(other or '')[:40]}`")

    def _ends(self, time: str, customers: Mapping[str, tuple[str, str]]) -> Iterator[Envelope]:
        for order_id, (_, ending) in customers.items():
            data = {"order_id": order_id, "derived": ["time"]}
            if ending == "canceled":
                data |= {"status": "cancelled", "reason": "cancelled at the source; when is not known"}
                yield envelope(self.source, f"cancelled/{order_id}", "order.status_changed", time, data)
            elif ending == "unavailable":
                data |= {"reason": "unavailable"}
                yield envelope(self.source, f"unavailable/{order_id}", "order.held", time, data)


def _placed(row: Row, lines: list[dict[str, Any]] | None, customer: tuple[str, str] | None) -> dict[str, Any]:
    data: dict[str, Any] = {"currency": CURRENCY, "channel": "olist", "shipping": row.get("freight_brl", "0")}
    exact(data["shipping"], "freight_brl")
    if row.get("estimated_delivery"):
        data["promised_at"] = local_time(row["estimated_delivery"], ZONE)
    if customer is not None and customer[0]:
        data["customer"] = {"id": customer[0]}
    if lines:
        return {**data, "location": lines[0]["location"], "lines": lines}
    if exact(row.get("item_count", "0"), "item_count"):
        value = row.get("items_value_brl", "0")
        exact(value, "items_value_brl")
        name = f"{row['item_count']} items"
        line = {"line": "1", "sku": "items", "name": name, "quantity": 1, "unit_price": value, "stock": False}
        return {**data, "lines": [line], "derived": ["lines"]}
    return data


def _read_items(file: Input, lines: dict[str, list[dict[str, Any]]]) -> Iterator[BadRow]:
    needed = ("order_id", "order_item_id", "product_id", "seller_id", "price")

    def take(row: Row) -> None:
        exact(row["price"], "price")
        line: dict[str, Any] = {"line": row["order_item_id"], "sku": row["product_id"], "location": row["seller_id"]}
        line |= {"quantity": 1, "unit_price": row["price"], "stock": False}
        if category := row.get("product_category_name_english") or row.get("product_category_name"):
            line["name"] = category.replace("_", " ")
        lines[row["order_id"]].append(line)

    yield from _each(file, "Reading items", needed, take)


def _read_orders(file: Input, customers: dict[str, tuple[str, str]]) -> Iterator[BadRow]:
    def take(row: Row) -> None:
        customers[row["order_id"]] = (row.get("customer_id", ""), row["order_status"])

    yield from _each(file, "Reading orders", ("order_id", "order_status"), take)


def _each(file: Input, doing: str, needed: tuple[str, ...], take: Callable[[Row], None]) -> Iterator[BadRow]:
    with file.text(doing) as text:
        for number, row in Table(text, needed).named():
            if row is None:
                yield BadRow(number, f"in {file.path.name}: the row is not as wide as the header")
                continue
            try:
                take(row)
            except KeyError as error:
                yield BadRow(number, f"in {file.path.name}: {error.args[0]} is empty")
            except ValueError as error:
                yield BadRow(number, f"in {file.path.name}: {error}")
