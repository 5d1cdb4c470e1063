"""The format `online-retail`: every invoice line of a UK gift wholesaler, as published (Online Retail II).

Columns `Invoice, StockCode, Description, Quantity, InvoiceDate, Price, Customer ID, Country`, in time order. The
file's order is the order of events: each run of consecutive rows of one invoice at one time is one event, because
invoices interleave and some grow later. A row's identity is (invoice, position in it); exact duplicates are real.

What a row means depends on its whole invoice, so a first pass reads ahead:

* sale (the invoice number begins with neither C nor A): `order.placed`, later runs `order.updated`. The data says
  nothing of a sale but that it happened, so its status `completed` is marked derived;
* `C`: a credit note of its own, quantities negated, merchandise goes back on hand;
* `A`: a debt written off;
* all prices of the invoice 0 and no customer: stock was adjusted. Here Quantity is the change of stock, where on
  sales and credit notes it is units out.

Rejected: one event per line (eighteen times the events for the same facts) and one per whole invoice (it would move
rows in time).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from stockwire.importing.rows import (
    BadRow,
    Envelope,
    Input,
    Item,
    Parsed,
    Table,
    digest,
    envelope,
    exact,
    local_time,
)

COLUMNS: Final = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
ZONE: Final = ZoneInfo("Europe/London")
CHANNEL: Final = "online-retail"
LOCATION: Final = "main"

_merchandise: Final = re.compile(r"[0-9]{5}[A-Za-z]{0,2}").fullmatch


def is_merchandise(code: str) -> bool:
    """Whether the code is of goods that are on a shelf; postage, fees and vouchers are not."""
    return _merchandise(code) is not None


_REASONS: Final[tuple[tuple[str, str], ...]] = (
    (
        "damaged",
        r"dama?g|broken|smash|crush|wet|damp|rust|dirty|discolou?r|quality|unsel|unsale|throw|rott|faulty",
    ),
    ("found", r"found"),
    ("loss", r"missing|lost|\bmia\b|gone|cant find|can't find|short"),
    ("promotion", r"given away|donat|display|\bshow\b|mailout|charity|sample"),
    ("cycle_count", r"count|check"),
    ("correction", r"correct|error|mistake|amend|update|adjust|revers|wrong|mix|sold as|coded|invc|came as"),
)
_reasons: Final = [(reason, re.compile(pattern, re.IGNORECASE).search) for reason, pattern in _REASONS]


def reason_of(remark: str) -> str:
    """The nearest of our reasons to what somebody typed beside an adjustment; `other` when it says nothing."""
    return next((reason for reason, found in _reasons if found(remark)), "other")


class _Row(NamedTuple):
    number: int
    invoice: str
    position: int
    code: str
    text: str
    quantity: int
    time: str
    price: str
    customer: str
    country: str


class _Ahead(NamedTuple):
    """What the first pass learned: which invoices are adjustments, each code's name, and the first row's time."""

    adjustments: frozenset[str]
    names: dict[str, str]
    first: str | None


class OnlineRetail(msgspec.Struct, frozen=True):
    """Reads the invoice lines; `opening_stock` is the file with what was on hand before the first of them."""

    source: str = "online-retail"
    opening_stock: Input | None = None
    timezone: str | None = ZONE.key
    currency: str | None = "GBP"

    def read(self, file: Input) -> Iterator[Item]:
        ahead = _look_ahead(file)
        if ahead.first is not None:
            yield from self._products(ahead)
            yield from self._opening(ahead.first)
        run: list[_Row] = []
        for row in _rows(file, "Importing"):
            if isinstance(row, BadRow):
                yield row
                continue
            if run and (run[0].invoice != row.invoice or run[0].time != row.time):
                yield from self._events(run, ahead)
                run = []
            run.append(row)
        if run:
            yield from self._events(run, ahead)

    def _event(self, id_: str, type_: str, time: str, data: dict[str, Any]) -> Envelope:
        return envelope(self.source, id_, type_, time, data)

    def _events(self, run: list[_Row], ahead: _Ahead) -> Iterator[Item]:
        first = run[0]
        if first.invoice in ahead.adjustments:
            for row in run:
                yield Parsed(row.number, row.number, self._adjusted(row))
        elif first.invoice[0] in "CcAa":
            yield Parsed(first.number, run[-1].number, self._credited(run))
        else:
            yield Parsed(first.number, run[-1].number, self._sold(run))

    def _sold(self, run: list[_Row]) -> Envelope:
        first = run[0]
        lines = [
            {
                "line": str(row.position),
                "sku": row.code,
                "quantity": row.quantity,
                "unit_price": row.price,
                **({"name": row.text} if row.text else {}),
                **({} if is_merchandise(row.code) else {"stock": False}),
            }
            for row in run
        ]
        id_ = f"{first.invoice}/{first.position}"
        if first.position > 1:
            return self._event(id_, "order.updated", first.time, {"order_id": first.invoice, "lines": lines})
        customer = _customer(first)
        return self._event(
            id_,
            "order.placed",
            first.time,
            {
                "order_id": first.invoice,
                "currency": "GBP",
                "status": "completed",
                "channel": CHANNEL,
                "location": LOCATION,
                **({"customer": customer} if customer else {}),
                "lines": lines,
                "derived": ["status"],
            },
        )

    def _credited(self, run: list[_Row]) -> Envelope:
        first = run[0]
        written_off = first.invoice[0] in "Aa"
        lines = [
            {
                "sku": row.code,
                "quantity": row.quantity if written_off else -row.quantity,
                "unit_price": _negated(row.price) if written_off else row.price,
                **({"name": row.text} if row.text else {}),
                "location": LOCATION,
                "restock": not written_off and is_merchandise(row.code),
            }
            for row in run
        ]
        customer = _customer(first)
        return self._event(
            f"{first.invoice}/{first.position}",
            "order.credited",
            first.time,
            {
                "document": first.invoice if first.position == 1 else f"{first.invoice}/{first.position}",
                "currency": "GBP",
                "reason": "bad_debt" if written_off else "cancellation",
                **({"customer": customer} if customer else {}),
                "lines": lines,
            },
        )

    def _adjusted(self, row: _Row) -> Envelope:
        return self._event(
            f"{row.invoice}/{row.position}",
            "stock.adjusted",
            row.time,
            {
                "sku": row.code,
                "location": LOCATION,
                "quantity": row.quantity,
                "reason": reason_of(row.text),
                "document": row.invoice,
                **({"note": row.text} if row.text else {}),
            },
        )

    def _products(self, ahead: _Ahead) -> Iterator[Item]:
        assert ahead.first is not None
        time = _before(ahead.first)
        for code, name in ahead.names.items():
            data: dict[str, Any] = {"sku": code}
            if name:
                data["name"] = name
            if not is_merchandise(code):
                data["tracked"] = False
            if len(data) > 1:
                yield Parsed(1, 1, self._event(f"product/{time}/{digest(data)}", "product.updated", time, data))

    def _opening(self, first: str) -> Iterator[Item]:
        if self.opening_stock is None:
            return
        time = _before(first)
        with self.opening_stock.text("Opening stock") as text:
            table = Table(text, ("StockCode", "derived_min_opening_stock"))
            code_at, stock_at = table.index("StockCode"), table.index("derived_min_opening_stock")
            for number, row in table:
                if row is None:
                    yield BadRow(number, f"in {self.opening_stock.path.name}: the row is not as wide as the header")
                    continue
                data = {"sku": row[code_at], "location": LOCATION, "note": "derived opening stock"}
                try:
                    on_hand = exact(row[stock_at], "opening stock")
                except ValueError as error:
                    yield BadRow(number, f"in {self.opening_stock.path.name}: {error}")
                    continue
                id_ = f"opening/{time}/{row[code_at]}"
                yield Parsed(1, 1, self._event(id_, "stock.snapshot", time, {**data, "on_hand": on_hand}))


def _customer(row: _Row) -> dict[str, str]:
    customer = {}
    if row.customer:
        customer["id"] = row.customer
    if row.country:
        customer["country"] = row.country
    return customer


def _negated(price: str) -> str:
    return format(-Decimal(price), "f")


def _before(first: str) -> str:
    """The minute before the first row: when the opening stock was there."""
    at = datetime.fromisoformat(first) - timedelta(minutes=1)
    return at.isoformat().replace("+00:00", "Z")


def _look_ahead(file: Input) -> _Ahead:
    """The first pass: kinds of invoices and names of codes. Bad rows are left to the second pass to tell."""
    all_free: dict[str, bool] = {}
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    free_rows: list[_Row] = []
    first: str | None = None
    for row in _rows(file, "Reading ahead"):
        if isinstance(row, BadRow):
            continue
        first = first or row.time
        names = counts[row.code]
        if row.invoice[0] in "CcAa":
            continue
        free = Decimal(row.price) == 0 and not row.customer
        all_free[row.invoice] = free and all_free.get(row.invoice, True)
        if free:
            free_rows.append(row)
        else:
            names[row.text] += 1
    adjustments = frozenset(invoice for invoice, free in all_free.items() if free)
    for row in free_rows:
        if row.invoice not in adjustments:
            counts[row.code][row.text] += 1
    return _Ahead(adjustments, {code: _most_frequent(names) for code, names in counts.items()}, first)


def _most_frequent(names: Counter[str]) -> str:
    names.pop("", None)
    return names.most_common(1)[0][0] if names else ""


def _rows(file: Input, doing: str) -> Iterator[_Row | BadRow]:
    positions: Counter[str] = Counter()
    with file.text(doing) as text:
        table = Table(text, COLUMNS)
        at = [table.index(name) for name in COLUMNS]
        for number, row in table:
            if row is None:
                yield BadRow(number, f"the row does not have {len(table.columns)} columns")
                continue
            invoice, code, name, units, time, price, customer, country = (row[each] for each in at)
            if not invoice or not code:
                yield BadRow(number, "the row needs an Invoice and a StockCode")
                continue
            positions[invoice] += 1
            try:
                yield _Row(
                    number, invoice, positions[invoice], code, name.strip(), _units(units), local_time(time, ZONE),
                    _price(price), customer, country,
                )  # fmt: skip
            except ValueError as error:
                yield BadRow(number, str(error))


def _units(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"Quantity `{text[:40]}` is not a whole number") from None


@lru_cache(maxsize=4_096)
def _price(text: str) -> str:
    exact(text, "Price")
    return text
