"""Rows as columns and back: what each table's columns hold, in the order the SQL names them.

Where a row has parts that nobody filters by (an order's lines), they are one MessagePack value of positional lists. The
tuples of names here are the storage format: a new field goes at the end of its tuple, and an older value without it reads
as the field's default. Never reorder them; a test holds that none is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

import msgspec

from stockwire.core.cover import units_of
from stockwire.core.rows import (
    Condition,
    Hold,
    HourRow,
    InventoryRow,
    Key,
    LineState,
    MetricRow,
    MinuteSales,
    Movement,
    NotificationRow,
    Occasion,
    OrderRow,
    PersonRow,
    ProductRow,
    RuleRow,
    SourceRow,
    TimelineEntry,
    Told,
)
from stockwire.core.values import amount_of_money

Columns = tuple[Any, ...]

INVENTORY: Final = (
    "sku", "location", "version", "name", "on_hand", "committed", "reserved", "damaged", "quality_control",
    "safety_stock", "incoming", "reorder_point", "reorder_quantity", "overstock_point", "unit_cost", "currency",
    "tracked", "source", "source_updated_at", "counted_at", "absolute_at", "changed_at", "updated_at", "since",
    "sold_days", "sold",
)  # fmt: skip
PRODUCT: Final = (
    "sku", "version", "name", "reorder_point", "reorder_quantity", "safety_stock", "overstock_point", "unit_cost",
    "currency", "tracked",
)  # fmt: skip
SALES: Final = ("orders_placed", "units_sold", "gross_sales", "discounts", "returns", "shipping", "tax")
MINUTE: Final = (
    "minute", *SALES, "other_currency_orders", "units_fulfilled", "on_hand_change", "counts", "counts_exact",
)  # fmt: skip
HOUR: Final = (
    "start", "version", *SALES, "orders_open", "orders_late", "orders_at_risk", "out_of_stock_count",
    "oversold_count", "low_stock_count", "inventory_value",
)  # fmt: skip
SOURCE: Final = ("source", "version", "newest_at", "recorded_at", "events")
MOVED: Final = ("on_hand", "committed", "reserved", "damaged", "quality_control", "safety_stock", "incoming")
MOVEMENT: Final = (
    "version", "step", "sku", "location", "type", "occurred_at", "recorded_at", "source", *MOVED, "on_hand_after",
    "reason", "document", "order_id", "note", "superseded",
)  # fmt: skip
TIMELINE: Final = (
    "version", "order_id", "type", "occurred_at", "recorded_at", "source", "from_status", "to_status", "irregular",
    "skipped", "derived", "text", "document",
)  # fmt: skip

OCCASION: Final = ("version", "notification_id", "happened", "at", "recorded_at")

ORDER_COLUMNS: Final = (
    "order_id", "number", "status", "payment_status", "location", "currency", "source", "customer_id",
    "customer_name", "country", "channel", "note", "placed_at", "status_since", "updated_at", "closed_at",
    "promised_at", "at_risk_at", "due_at", "lateness", "hold_reason", "hold_since", "gross", "discount", "shipping",
    "tax", "total", "credited", "line_count", "units", "units_shipped", "units_cancelled", "units_returned",
    "irregular", "version",
)  # fmt: skip
"""The fields of the orders feed that lists filter and sort by: each is a column."""

_ORDER: Final = (
    "version", "order_id", "number", "status", "source", "currency", "placed_at", "status_since", "updated_at",
    "location", "payment_status", "customer_id", "customer_name", "country", "channel", "discount", "shipping", "tax",
    "credited", "promised_at", "note", "at_risk_at", "due_at", "lateness", "irregular", "closed_at",
)  # fmt: skip
_LINE: Final = (
    "line", "sku", "location", "name", "unit_price", "discount", "tax", "stock", "ordered", "allocated", "picked",
    "packed", "shipped", "delivered", "cancelled", "returned", "refunded", "committed",
)  # fmt: skip
_PARTS: Final = ("lines", "hold", "skipped", "derived", "reached")
ORDER: Final = (*_ORDER, *_PARTS)
LINE: Final = _LINE

product_columns: Final[Callable[[ProductRow], Columns]] = attrgetter(*PRODUCT)
minute_columns: Final[Callable[[MinuteSales], Columns]] = attrgetter(*MINUTE)
hour_columns: Final[Callable[[HourRow], Columns]] = attrgetter(*HOUR)
source_columns: Final[Callable[[SourceRow], Columns]] = attrgetter(*SOURCE)
movement_columns: Final[Callable[[Movement], Columns]] = attrgetter(*MOVEMENT)

_pack: Final = msgspec.msgpack.Encoder(enc_hook=int).encode  # quantities and money are kinds of int
_unpack: Final = msgspec.msgpack.Decoder().decode
_json: Final = msgspec.json.Encoder().encode
_texts: Final = msgspec.json.Decoder(tuple[str, ...]).decode
_inventory_values: Final = attrgetter(*INVENTORY)
_order_scalars: Final = attrgetter(*_ORDER)
_line_values: Final = attrgetter(*_LINE)
_listed: Final = attrgetter(*ORDER_COLUMNS[:20])
_timeline_values: Final = attrgetter(*TIMELINE)
_occasion_values: Final = attrgetter(*OCCASION)


def inventory_columns(row: InventoryRow) -> Columns:
    """The row as columns; what left on each day is one MessagePack value."""
    *start, sold = _inventory_values(row)
    return (*start, _pack(sold) if sold else b"")


def inventory_row(columns: Columns, texts: dict[str, str] | None = None) -> InventoryRow:
    """The row those columns hold. `texts` shares equal texts between rows, where many are read."""
    (sku, location, version, name, on_hand, committed, reserved, damaged, quality_control, safety_stock, incoming,
     reorder_point, reorder_quantity, overstock_point, unit_cost, currency, tracked, source, source_updated_at,
     counted_at, absolute_at, changed_at, updated_at, since, sold_days, sold) = columns  # fmt: skip
    if texts is not None:
        share = texts.setdefault
        sku, location, name, source = (
            share(sku, sku),
            share(location, location),
            share(name, name),
            share(source, source),
        )
        currency = currency and share(currency, currency)
    left = tuple([(day, units) for day, units in _unpack(sold)]) if sold else ()
    return InventoryRow(
        version=version, sku=sku, location=location, name=name, on_hand=on_hand, committed=committed,
        reserved=reserved, damaged=damaged, quality_control=quality_control, safety_stock=safety_stock,
        incoming=incoming, reorder_point=reorder_point, reorder_quantity=reorder_quantity,
        overstock_point=overstock_point, unit_cost=unit_cost, currency=currency, tracked=tracked == 1, source=source,
        source_updated_at=source_updated_at, counted_at=counted_at, absolute_at=absolute_at, changed_at=changed_at,
        updated_at=updated_at, since=since, sold_days=sold_days,
        sold=left, sold_units=units_of(left),
    )  # fmt: skip


def product_row(columns: Columns) -> ProductRow:
    """The row those columns hold."""
    return ProductRow(**{**dict(zip(PRODUCT, columns, strict=True)), "tracked": columns[-1] == 1})


def minute_row(columns: Columns) -> MinuteSales:
    """The sums those columns hold."""
    return MinuteSales(**dict(zip(MINUTE, columns, strict=True)))


def hour_row(columns: Columns) -> HourRow:
    """The row those columns hold."""
    return HourRow(**dict(zip(HOUR, columns, strict=True)))


def source_row(columns: Columns) -> SourceRow:
    """The row those columns hold."""
    return SourceRow(**dict(zip(SOURCE, columns, strict=True)))


def movement_row(columns: Columns) -> Movement:
    """The movement those columns hold."""
    return Movement(**{**dict(zip(MOVEMENT, columns, strict=True)), "superseded": columns[-1] == 1})


def timeline_columns(entry: TimelineEntry) -> Columns:
    """The entry as columns."""
    *start, skipped, derived, text, document = _timeline_values(entry)
    return (*start, _json(skipped).decode(), _json(derived).decode(), text, document)


def timeline_entry(columns: Columns) -> TimelineEntry:
    """The entry those columns hold."""
    values = dict(zip(TIMELINE, columns, strict=True))
    return TimelineEntry(
        **{
            **values,
            "irregular": values["irregular"] == 1,
            "skipped": _texts(values["skipped"]),
            "derived": _texts(values["derived"]),
        }
    )


def metric_value(row: MetricRow) -> bytes:
    """The row as JSON: its value is a text, a whole number, a fraction or nothing."""
    return _json(row)


metric_row: Final = msgspec.json.Decoder(MetricRow).decode
whole_value: Final[Callable[[Any], bytes]] = _json
"""A rule, notification, person or condition as JSON."""
rule_row: Final = msgspec.json.Decoder(RuleRow).decode
notification_row: Final = msgspec.json.Decoder(NotificationRow).decode
person_row: Final = msgspec.json.Decoder(PersonRow).decode
condition_row: Final = msgspec.json.Decoder(Condition).decode


def occasion_columns(told: Told) -> Columns:
    """The occasion, and the notification as it was then, as columns."""
    occasion, row = told
    return (*_occasion_values(occasion), _json(row))


def occasion_of(columns: Columns) -> Told:
    """The inverse of `occasion_columns`."""
    *values, row = columns
    return Occasion(**dict(zip(OCCASION, values, strict=True))), notification_row(row)


def order_columns(row: OrderRow) -> Columns:
    """What lists need of the order, as `ORDER_COLUMNS` names it: the values that core/wire.py shows of each field.

    Written out and not asked of each field, because an order's lines are then walked once; a test compares the two.
    """
    hold, lines = row.hold, row.lines
    discount, tax = row.discount, row.tax
    gross = units = shipped = cancelled = returned = 0
    for line in lines:
        gross += line.unit_price * line.ordered
        discount += line.discount
        tax += line.tax
        units += line.ordered
        shipped += line.shipped
        cancelled += line.cancelled
        returned += line.returned
    discount, shipping, tax = amount_of_money(discount), amount_of_money(row.shipping), amount_of_money(tax)
    return (
        *_listed(row),
        None if hold is None else hold.reason,
        None if hold is None else hold.since,
        gross, discount, shipping, tax, gross - discount + shipping + tax, row.credited,
        len(lines), units, shipped, cancelled, returned, row.irregular, row.version,
    )  # fmt: skip


def order_value(row: OrderRow) -> bytes:
    """The order whole."""
    hold = None if row.hold is None else (row.hold.reason, row.hold.since)
    lines = [_line_values(line) for line in row.lines]
    return _pack((*_order_scalars(row), lines, hold, row.skipped, row.derived, row.reached))


def order_row(value: bytes) -> OrderRow:
    """The inverse of `order_value`."""
    values = dict(zip(ORDER, _unpack(value), strict=False))
    hold = values["hold"]
    values["lines"] = tuple([LineState(**dict(zip(_LINE, line, strict=False))) for line in values["lines"]])
    values["hold"] = None if hold is None else Hold(*hold)
    values["skipped"] = tuple(values["skipped"])
    values["derived"] = tuple(values["derived"])
    values["reached"] = tuple([(status, at) for status, at in values["reached"]])
    return OrderRow(**values)


def key_text(key: Key) -> str:
    """A key of texts as one text."""
    return _json(key).decode()


key_of_text: Final[Callable[[str], Key]] = _texts


def sums(rows: Iterable[tuple[int, ...]], names: tuple[str, ...]) -> Mapping[str, int]:
    """Adds rows of figures up, column by column; only what is not 0."""
    totals = [0] * len(names)
    for row in rows:
        totals = [total + value for total, value in zip(totals, row, strict=True)]
    return {name: total for name, total in zip(names, totals, strict=True) if total}
