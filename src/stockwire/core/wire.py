"""Rows and frames as bytes: the only place that knows the wire's field names.

`FIELDS` is spec/rows.md as a table: for each feed its fields in order, each with a *kind* (how it is shown, parsed in a
filter and compared) and a getter on the row. `encode_row` turns a row into JSON once; frames are joined from such
pieces, never encoded again. When you change FIELDS, change spec/rows.md (a test compares them).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import msgspec

from stockwire.core.errors import Invalid, StockwireError
from stockwire.core.rows import FeedName, HourRow, Key, LineState, Movement, OrderRow, RuleRow, TimelineEntry
from stockwire.core.values import (
    AMOUNT_SCALE,
    MONEY_SCALE,
    QUANTITY_SCALE,
    amount_of_money,
    amount_text,
    moment,
    moment_text,
    money_text,
    number_json,
    quantity_json,
)

Kind = Literal[
    "text", "quantity", "money", "amount", "moment", "count", "number", "flag", "names", "figure", "object", "value",
]  # fmt: skip
Getter = Callable[[Any], Any]


class Field(NamedTuple):
    """One field of a feed's rows. `get` gives the raw value (None: not known) that filters and orders compare."""

    name: str
    kind: Kind
    get: Getter
    searched: bool = False


def _attribute(name: str) -> Getter:
    def get(row: Any) -> Any:
        return getattr(row, name)

    return get


def _fields(kind: Kind, *names: str) -> list[Field]:
    return [Field(name.rstrip("*"), kind, _attribute(name.rstrip("*")), name.endswith("*")) for name in names]


def _order_discount(row: OrderRow) -> int:
    return amount_of_money(row.discount + sum(line.discount for line in row.lines))


def _order_tax(row: OrderRow) -> int:
    return amount_of_money(row.tax + sum(line.tax for line in row.lines))


def _order_sum(name: str) -> Getter:
    return lambda row: sum(getattr(line, name) for line in row.lines)


def _rule_channels(row: RuleRow) -> Any:
    return "default" if row.channels is None else row.channels


def _net_sales(row: HourRow) -> int:
    return row.gross_sales - row.discounts - row.returns


FIELDS: Final[dict[FeedName, tuple[Field, ...]]] = {
    "inventory": (
        *_fields("text", "sku*", "location", "name*"),
        *_fields(
            "quantity", "on_hand", "committed", "reserved", "damaged", "quality_control", "safety_stock", "incoming",
            "available", "reorder_point", "reorder_quantity",
        ),
        *_fields("money", "unit_cost"),
        *_fields("text", "currency"),
        *_fields("quantity", "days_of_cover"),
        *_fields("text", "stock_status", "source"),
        *_fields("moment", "source_updated_at", "counted_at", "updated_at"),
        *_fields("count", "version"),
    ),
    "orders": (
        *_fields("text", "order_id*", "number*", "status", "payment_status", "location", "currency", "source",
                 "customer_id*", "customer_name*", "country", "channel", "note"),
        *_fields("moment", "placed_at", "status_since", "updated_at", "closed_at", "promised_at", "at_risk_at",
        "due_at"),
        *_fields("text", "lateness"),
        Field("hold_reason", "text", lambda row: row.hold.reason if row.hold else None),
        Field("hold_since", "moment", lambda row: row.hold.since if row.hold else None),
        *_fields("amount", "gross"),
        Field("discount", "amount", _order_discount),
        Field("shipping", "amount", lambda row: amount_of_money(row.shipping)),
        Field("tax", "amount", _order_tax),
        *_fields("amount", "total", "credited"),
        Field("line_count", "count", lambda row: len(row.lines)),
        Field("units", "quantity", _order_sum("ordered")),
        Field("units_shipped", "quantity", _order_sum("shipped")),
        Field("units_cancelled", "quantity", _order_sum("cancelled")),
        Field("units_returned", "quantity", _order_sum("returned")),
        *_fields("flag", "irregular"),
        *_fields("names", "skipped", "derived"),
        *_fields("count", "version"),
    ),
    "metrics": (
        *_fields("text", "metric", "period", "unit"),
        *_fields("figure", "value", "previous"),
        *_fields("text", "state"),
        *_fields("moment", "as_of", "since"),
        *_fields("text", "currency"),
        *_fields("object", "detail"),
        *_fields("count", "version"),
    ),
    "hours": (
        *_fields("moment", "start"),
        *_fields("count", "orders_placed"),
        *_fields("quantity", "units_sold"),
        *_fields("amount", "gross_sales", "discounts", "returns"),
        Field("net_sales", "amount", _net_sales),
        *_fields("amount", "shipping", "tax"),
        Field("total_sales", "amount", lambda row: _net_sales(row) + row.shipping + row.tax),
        *_fields("count", "orders_open", "orders_late", "orders_at_risk", "out_of_stock_count", "oversold_count",
                 "low_stock_count"),
        *_fields("amount", "inventory_value"),
        *_fields("count", "version"),
    ),
    "sources": (
        *_fields("text", "source"),
        *_fields("moment", "newest_at", "recorded_at"),
        *_fields("count", "events", "version"),
    ),
    "rules": (
        *_fields("text", "rule_id", "kind", "name*"),
        *_fields("flag", "enabled"),
        *_fields("text", "severity"),
        *_fields("value", "scope"),
        *_fields("number", "threshold", "clear"),
        *_fields("text", "metric", "period", "comparison", "against"),
        *_fields("count", "for_seconds", "keep_seconds", "cooldown_seconds"),
        *_fields("text", "group_by"),
        Field("channels", "value", _rule_channels),
        *_fields("flag", "built_in"),
        *_fields("count", "revision"),
        *_fields("text", "updated_by"),
        *_fields("moment", "updated_at"),
        *_fields("count", "version"),
    ),
    "notifications": (
        *_fields("text", "notification_id", "rule_id", "kind", "severity", "state", "dedupe_key", "subject*", "sku*",
                 "location", "order_id*", "source", "metric", "name*", "value", "threshold"),
        *_fields("count", "count"),
        *_fields("names", "members"),
        *_fields("count", "occurrences"),
        *_fields("moment", "began_at", "fired_at"),
        *_fields("count", "fired_version"),
        *_fields("moment", "updated_at", "ended_at"),
        *_fields("text", "acknowledged_by"),
        *_fields("moment", "snoozed_until"),
        *_fields("text", "resolved_by"),
        *_fields("count", "version"),
    ),
    "people": (
        *_fields("text", "person"),
        *_fields("count", "read_through"),
        *_fields("names", "read"),
        *_fields("value", "preferences"),
        *_fields("names", "watched"),
        *_fields("value", "views"),
        *_fields("count", "version"),
    ),
}  # fmt: skip

FIELD: Final = {feed: {field.name: field for field in fields} for feed, fields in FIELDS.items()}


def _same(value: Any) -> Any:
    return value


def _names(value: Iterable[str]) -> list[str]:
    return list(value)


SHOW: Final[dict[Kind, Callable[[Any], Any]]] = {
    "text": _same, "quantity": quantity_json, "money": money_text, "amount": amount_text, "moment": moment_text,
    "count": _same, "number": number_json, "flag": _same, "names": _names, "figure": _same, "object": _same,
    "value": msgspec.to_builtins,
}  # fmt: skip

_encode: Final = msgspec.json.Encoder().encode
_SHOWN: Final = {
    feed: tuple((field.name, field.get, SHOW[field.kind]) for field in fields) for feed, fields in FIELDS.items()
}


def show_row(feed: FeedName, row: Any) -> dict[str, Any]:
    """The row as JSON-ready members, as spec/rows.md names them."""
    shown = {}
    for name, get, show in _SHOWN[feed]:
        value = get(row)
        shown[name] = None if value is None else show(value)
    return shown


def encode_row(feed: FeedName, row: Any) -> bytes:
    """The row as a JSON object."""
    return _encode(show_row(feed, row))


def encode_key(key: Key) -> bytes:
    """A row's key as a JSON array of texts."""
    return _encode(key)


def encode(value: Any) -> bytes:
    """Any JSON-ready value as bytes."""
    return _encode(value)


def show_line(line: LineState) -> dict[str, Any]:
    """An order's line as JSON-ready members."""
    shown: dict[str, Any] = {
        "line": line.line, "sku": line.sku, "name": line.name, "location": line.location,
        "unit_price": money_text(line.unit_price), "discount": money_text(line.discount), "tax": money_text(line.tax),
        "stock": line.stock,
    }  # fmt: skip
    for name in LINE_QUANTITIES:
        shown[name] = quantity_json(getattr(line, name))
    return shown


LINE_QUANTITIES: Final = (
    "ordered", "allocated", "picked", "packed", "shipped", "delivered", "cancelled", "returned", "refunded",
    "committed",
)  # fmt: skip
MOVED_QUANTITIES: Final = (
    "on_hand", "committed", "reserved", "damaged", "quality_control", "safety_stock", "incoming",
)  # fmt: skip


def show_movement(movement: Movement) -> dict[str, Any]:
    """A movement as JSON-ready members; the quantities are deltas but for `on_hand_after`, the running balance."""
    shown: dict[str, Any] = {
        "version": movement.version, "step": movement.step, "type": movement.type,
        "occurred_at": moment_text(movement.occurred_at), "recorded_at": moment_text(movement.recorded_at),
        "source": movement.source,
    }  # fmt: skip
    for name in (*MOVED_QUANTITIES, "on_hand_after"):
        shown[name] = quantity_json(getattr(movement, name))
    for name in ("reason", "document", "order_id", "note", "superseded"):
        shown[name] = getattr(movement, name)
    return shown


def show_timeline(entry: TimelineEntry) -> dict[str, Any]:
    """A timeline entry as JSON-ready members."""
    return {
        "version": entry.version, "type": entry.type, "occurred_at": moment_text(entry.occurred_at),
        "recorded_at": moment_text(entry.recorded_at), "source": entry.source, "from_status": entry.from_status,
        "to_status": entry.to_status, "irregular": entry.irregular, "skipped": list(entry.skipped),
        "derived": list(entry.derived), "text": entry.text, "document": entry.document,
    }  # fmt: skip


def _decimal(value: Any, scale: int) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Invalid("a number is needed here")
    try:
        number = Decimal(str(value)) * scale
    except ArithmeticError:
        raise Invalid(f"`{str(value)[:40]}` is not a number") from None
    if not number.is_finite() or number.adjusted() > 30:
        raise Invalid("a finite number is needed here")
    whole = int(number)
    return whole if whole == number else number


def parse_operand(field: Field, value: Any) -> Any:
    """A filter's operand in the raw form that `field.get` gives, for comparing. Texts from a query are understood too.

    Raises Invalid when the value cannot be of the field's kind.
    """
    if value is None:
        return None
    match field.kind:
        case "text" | "names":
            if not isinstance(value, str):
                raise Invalid(f"`{field.name}` is compared with a text")
            return value
        case "quantity":
            return _decimal(value, QUANTITY_SCALE)
        case "money" | "number":
            return _decimal(value, MONEY_SCALE)
        case "amount":
            return _decimal(value, AMOUNT_SCALE)
        case "count":
            return _decimal(value, 1)
        case "moment":
            if not isinstance(value, str):
                raise Invalid(f"`{field.name}` is compared with an RFC 3339 time")
            try:
                return moment(value)
            except ValueError as error:
                raise Invalid(f"`{field.name}`: {error}") from None
        case "flag":
            if value in (True, "true"):
                return True
            if value in (False, "false"):
                return False
            raise Invalid(f"`{field.name}` is true or false")
        case _:
            raise Invalid(f"`{field.name}` cannot be filtered by")


# --- frames -------------------------------------------------------------------------------------------------------


class Frame:
    """An encoded frame: its `type` (the SSE event name) and its JSON. Frames are shared and never change.

    `forms` keeps what transports made of it (framed, compressed), so that each is made once for all receivers.
    """

    __slots__ = ("body", "forms", "type")

    def __init__(self, type_: str, body: bytes) -> None:
        self.type = type_
        self.body = body
        self.forms: dict[object, bytes] = {}


def frame(type_: str, **members: Any) -> Frame:
    """A frame of small members. Members that are None are left out."""
    shown = {"type": type_}
    shown.update((name, value) for name, value in members.items() if value is not None)
    return Frame(type_, _encode(shown))


def snapshot_frame(view: str, at: int, part: int, more: bool, rows: Sequence[bytes]) -> Frame:
    """One part of a view's whole content (P5.1) from encoded rows."""
    head = f'{{"type":"snapshot","view":"{view}","at":{at},"part":{part},'
    tail = '"more":true,"rows":[' if more else '"rows":['
    return Frame("snapshot", b"".join((head.encode(), tail.encode(), b",".join(rows), b"]}")))


def delta_frame(
    view: str,
    from_: int,
    to: int,
    upsert: Sequence[bytes],
    remove: Sequence[bytes],
    *,
    more: bool,
    merged: int,
    time: int,
) -> Frame:
    """What changed in a view between two versions (P5.3), from encoded rows and keys."""
    parts = [f'{{"type":"delta","view":"{view}","from":{from_},"to":{to},"time":{time}'.encode()]
    if merged > 1:
        parts.append(f',"merged":{merged}'.encode())
    if more:
        parts.append(b',"more":true')
    if upsert:
        parts += (b',"upsert":[', b",".join(upsert), b"]")
    if remove:
        parts += (b',"remove":[', b",".join(remove), b"]")
    parts.append(b"}")
    return Frame("delta", b"".join(parts))


def error_frame(error: StockwireError, id_: str | None = None) -> Frame:
    """An `error` frame (P8.2)."""
    return frame("error", code=error.code, title=error.title, detail=error.detail, id=id_)


def problem(error: StockwireError) -> dict[str, Any]:
    """An error as problem details (RFC 9457); `type` is its heading in docs/reference/errors.md."""
    shown: dict[str, Any] = {
        "type": f"/docs/errors#{error.code}", "title": error.title, "status": error.status, "detail": error.detail,
        "code": error.code,
    }  # fmt: skip
    if error.problems:
        shown["problems"] = error.problems
    return shown


def sse_event(sent: Frame, id_: str | None = None) -> bytes:
    """The frame as one Server-Sent Event (P1.3)."""
    body = sent.body
    if b"\xc2\x85" in body or b"\xe2\x80" in body:
        body = body.replace(b"\xc2\x85", b"\\u0085").replace(b"\xe2\x80\xa8", b"\\u2028")
        body = body.replace(b"\xe2\x80\xa9", b"\\u2029")
    head = f"event: {sent.type}\nid: {id_}\ndata: " if id_ else f"event: {sent.type}\ndata: "
    return b"".join((head.encode(), body, b"\n\n"))


# --- inbound ------------------------------------------------------------------------------------------------------

FRAME_BYTES: Final = 64 * 1024
_DEPTH: Final = 32
_TEXT: Final = 4096


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Invalid("a JSON object names a member twice")
    return members


def _no_constant(name: str) -> Any:
    raise Invalid(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)


def _measure(value: Any, depth: int) -> None:
    if depth > _DEPTH:
        raise Invalid("JSON nested deeper than 32 levels")
    if isinstance(value, str):
        if len(value) > _TEXT:
            raise Invalid("a text is longer than 4,096 characters")
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Invalid("a text holds half of a surrogate pair")
    elif isinstance(value, dict):
        for name, member in value.items():
            _measure(name, depth)
            _measure(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _measure(member, depth + 1)
    elif isinstance(value, int) and not -(2**53) < value < 2**53:
        raise Invalid("an integer is beyond 2^53")


def parse_json(body: bytes | str) -> Any:
    """JSON as strictly as spec/protocol.md P8.4 asks, with exact numbers (`int`, `Decimal`).

    Refuses duplicate members, NaN and Infinity, depth over 32, texts over 4,096 characters, integers beyond 2^53, lone
    surrogates and bytes that are not UTF-8. Raises Invalid.
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise Invalid("the body is not UTF-8") from None
    except RecursionError:
        raise Invalid("JSON nested deeper than 32 levels") from None
    except (ValueError, InvalidOperation, ArithmeticError) as error:
        raise Invalid(f"not JSON: {str(error)[:200]}") from None
    _measure(value, 1)
    return value


def parse_frame(body: bytes | str) -> Mapping[str, Any]:
    """A client's frame: a JSON object with a text `type`. Raises Invalid. Small ones, which many clients send alike, are
    remembered for a while.
    """
    if len(body) > FRAME_BYTES:
        raise Invalid("a frame is larger than 64 KiB")
    return _small_frame(body) if len(body) <= _SMALL else _parse_frame(body)


def _parse_frame(body: bytes | str) -> dict[str, Any]:
    value = parse_json(body)
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise Invalid("a frame is a JSON object with a text `type`")
    return value


_SMALL: Final = 512
_small_frame = lru_cache(maxsize=256)(_parse_frame)
