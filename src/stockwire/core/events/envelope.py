"""The envelope of an event (CloudEvents 1.0, spec/events.md), and its place in the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from stockwire.core.errors import Invalid
from stockwire.core.events.data import Data
from stockwire.core.events.kinds import INTERNAL_TYPES, TYPES
from stockwire.core.values import Money, Quantity, moment, money, quantity

INTERNAL_SOURCE: Final = "stockwire"


class Event(msgspec.Struct, frozen=True):
    """One fact: who says it (`source`, `id`), what (`type`, `data`), and when it occurred (`time`, a moment).

    `body` is the public JSON of `data`, which is what the log keeps.
    """

    source: str
    id: str
    type: str
    time: int
    data: Data
    body: bytes

    @property
    def key(self) -> tuple[str, str]:
        """The idempotency key."""
        return (self.source, self.id)


class Record(msgspec.Struct, frozen=True):
    """An event with its place in the log: `version` and when it was recorded (a moment)."""

    version: int
    recorded_at: int
    event: Event


def _exact(kind: type, value: Any) -> Any:
    if kind is Quantity:
        return quantity(value)
    if kind is Money:
        return money(value)
    raise NotImplementedError(kind)  # msgspec's own signal for a type it does not know


_encode_body = msgspec.json.Encoder(decimal_format="number").encode
_ENVELOPE: Final = frozenset({"id", "source", "type", "time", "data"})


def _text(envelope: Mapping[str, Any], field: str) -> str:
    value = envelope.get(field)
    if not isinstance(value, str) or not value:
        raise Invalid(f"`{field}` must be a text of 1 to 200 characters")
    if len(value) > 200:
        raise Invalid(f"`{field}` is longer than 200 characters")
    return value


def parse_event(envelope: Any, *, internal: bool = False) -> Event:
    """The event a decoded CloudEvents envelope carries.

    Numbers in it must be `int` or `Decimal`. Unknown envelope attributes are ignored, as CloudEvents asks; unknown
    fields of `data` are refused. `internal` admits the types only Stockwire itself writes.

    Raises Invalid with what is wrong and where.
    """
    if not isinstance(envelope, Mapping):
        raise Invalid("an event must be a JSON object")
    type_ = _text(envelope, "type")
    kind = TYPES.get(type_)
    if kind is None or (type_ in INTERNAL_TYPES and not internal):
        raise Invalid(f"unknown event type `{type_[:60]}`")
    source = _text(envelope, "source")
    if source == INTERNAL_SOURCE and not internal:
        raise Invalid(f"source `{INTERNAL_SOURCE}` is kept for Stockwire itself")
    if envelope.get("specversion", "1.0") != "1.0":
        raise Invalid("`specversion` must be 1.0")
    time = envelope.get("time")
    if not isinstance(time, str):
        raise Invalid("`time` must be an RFC 3339 date-time such as 2026-03-02T14:02:11Z")
    try:
        at = moment(time)
    except ValueError as error:
        raise Invalid(str(error)) from None
    raw = envelope.get("data", {})
    if not isinstance(raw, Mapping):
        raise Invalid("`data` must be a JSON object")
    try:
        data = msgspec.convert(raw, kind, dec_hook=_exact)
    except msgspec.ValidationError as error:
        raise Invalid(f"`data`: {error}") from None
    data.check()
    return Event(source, _text(envelope, "id"), type_, at, data, _encode_body(raw))


def stored_event(source: str, id_: str, type_: str, time: int, body: bytes) -> Event:
    """The event as the log kept it. The inverse of taking `source, id, type, time, body` out of an `Event`."""
    raw = _decode_body(body)
    return Event(source, id_, type_, time, msgspec.convert(raw, TYPES[type_], dec_hook=_exact), body)


def _decode_body(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)
