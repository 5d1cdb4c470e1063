"""The format `orders`: a CSV with one row per order line.

Consecutive rows of one order at one time are one event: the first is the order, later ones add lines to it. What
concerns the whole order (status, customer, shipping, ...) is taken from the first row. A line is named by its column
`line`, else by its place within the order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from stockwire.importing.rows import (
    MOST_LINES,
    BadRow,
    Envelope,
    Input,
    Item,
    Parsed,
    Table,
    envelope,
    exact,
    local_time,
    yes_or_no,
)

LINE_NUMBERS: Final = ("unit_price", "discount", "tax")
LINE_TEXTS: Final = ("name", "location")
ORDER_TEXTS: Final = ("number", "status", "payment_status", "channel", "note")
ORDER_NUMBERS: Final = {"order_discount": "discount", "shipping": "shipping", "order_tax": "tax"}
CUSTOMER: Final = {"customer_id": "id", "customer_name": "name", "country": "country"}
NEEDED: Final = ("order_id", "time", "sku", "quantity")
COLUMNS: Final = (
    *NEEDED, "line", *LINE_TEXTS, *LINE_NUMBERS, "stock", "currency", *ORDER_TEXTS, *ORDER_NUMBERS, *CUSTOMER,
    "promised_at",
)  # fmt: skip


class _Row(NamedTuple):
    number: int
    order_id: str
    position: int
    time: str
    line: dict[str, Any]
    fields: dict[str, str]


class Orders(msgspec.Struct, frozen=True):
    """Reads the lines. `money` is the currency of orders that name none; local times are of `zone`."""

    source: str = "orders"
    money: str = "EUR"
    zone: str = "UTC"
    timezone: str | None = None
    currency: str | None = None

    def read(self, file: Input) -> Iterator[Item]:
        run: list[_Row] = []
        for row in self._rows(file):
            if isinstance(row, BadRow):
                yield row
                continue
            goes_on = run and run[0].order_id == row.order_id and run[0].time == row.time
            if run and (not goes_on or len(run) == MOST_LINES):
                yield from self._event(run)
                run = []
            run.append(row)
        if run:
            yield from self._event(run)

    def _rows(self, file: Input) -> Iterator[_Row | BadRow]:
        zone = ZoneInfo(self.zone)
        positions: Counter[str] = Counter()
        with file.text("Importing") as text:
            for number, row in Table(text, NEEDED, COLUMNS).named():
                if row is None:
                    yield BadRow(number, "the row is not as wide as the header")
                    continue
                empty = [name for name in NEEDED if name not in row]
                if empty:
                    yield BadRow(number, f"the row needs {' and '.join(empty)}")
                    continue
                order_id = row["order_id"]
                positions[order_id] += 1
                try:
                    time, line = local_time(row["time"], zone), _line(row, positions[order_id])
                    yield _Row(number, order_id, positions[order_id], time, line, row)
                except ValueError as error:
                    yield BadRow(number, str(error))

    def _event(self, run: list[_Row]) -> Iterator[Item]:
        first = run[0]
        lines = [row.line for row in run]
        id_ = f"order/{first.order_id}/{first.position}"
        data: dict[str, Any] = {"order_id": first.order_id, "lines": lines}
        type_ = "order.updated"
        try:
            if first.position == 1:
                type_ = "order.placed"
                data |= _order(first.fields, ZoneInfo(self.zone)) | {
                    "currency": first.fields.get("currency", self.money)
                }
        except ValueError as error:
            yield BadRow(first.number, str(error))
            return
        event: Envelope = envelope(self.source, id_, type_, first.time, data)
        yield Parsed(first.number, run[-1].number, event)


def _line(row: dict[str, str], position: int) -> dict[str, Any]:
    line: dict[str, Any] = {"line": row.get("line", str(position)), "sku": row["sku"]}
    line["quantity"] = exact(row["quantity"], "quantity")
    line |= {name: exact(row[name], name) for name in LINE_NUMBERS if name in row}
    line |= {name: row[name] for name in LINE_TEXTS if name in row}
    if "stock" in row:
        line["stock"] = yes_or_no(row["stock"], "stock")
    return line


def _order(row: dict[str, str], zone: ZoneInfo) -> dict[str, Any]:
    order: dict[str, Any] = {name: row[name] for name in ORDER_TEXTS if name in row}
    order |= {field: exact(row[name], name) for name, field in ORDER_NUMBERS.items() if name in row}
    if "location" in row:
        order["location"] = row["location"]
    if customer := {field: row[name] for name, field in CUSTOMER.items() if name in row}:
        order["customer"] = customer
    if "promised_at" in row:
        order["promised_at"] = local_time(row["promised_at"], zone)
    return order
