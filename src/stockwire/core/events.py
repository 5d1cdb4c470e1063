"""Events: the immutable facts that sources send, and the one door they come in by.

`parse_event` takes the public JSON form (a CloudEvents 1.0 envelope, spec/events.md) already decoded with
integers as `int` and other numbers as `Decimal`, and gives an `Event` whose `data` is one of the typed structs below
and
whose `body` is the public JSON of that data, byte for byte what the log keeps. The log refolds through the same
door, so what is stored is always what was understood.

Two rules: a struct here has exactly the field names of the wire (but for `from`, a Python keyword), and every
number is exact. `source` + `id` is the idempotency key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from stockwire.core.errors import Invalid
from stockwire.core.rows import Comparison, GroupBy, Preferences, Reach, RuleKind, Severity
from stockwire.core.values import Money, Quantity, moment, money, quantity

INTERNAL_SOURCE: Final = "stockwire"
DEFAULT_LOCATION: Final = "main"

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=4096)]
NotificationId = Annotated[str, Meta(min_length=1, max_length=1000)]
Seconds = Annotated[int, Meta(ge=0, le=31 * 86_400)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]

StockState = Literal["available", "damaged", "quality_control"]
Reason = Literal[
    "correction", "cycle_count", "damaged", "loss", "found", "promotion", "received", "restock", "shrinkage", "other"
]
Status = Literal[
    "draft", "placed", "confirmed", "allocated", "picking", "packed", "shipped", "delivered", "completed",
    "cancelled", "returned", "expired",
]  # fmt: skip
PaymentStatus = Literal[
    "unpaid", "pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided"
]


class Data(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an event says. Subclasses name their event type in `type`."""

    type: ClassVar[str]

    @property
    def subject(self) -> str:
        """What the event is about, for finding it again: `order/1001`, `stock/SKU/main`."""
        return ""


class StockData(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Something that happened to one SKU at one location."""

    sku: Name
    location: Name = DEFAULT_LOCATION
    document: Name | None = None
    order_id: Name | None = None
    note: Text | None = None

    @property
    def subject(self) -> str:
        return f"stock/{self.sku}/{self.location}"


class StockReceived(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Goods arrived: on_hand rises by `quantity` (> 0). `from_incoming` lowers incoming by as much, not below 0."""

    type = "stock.received"
    quantity: Quantity
    reason: Reason = "received"
    unit_cost: Money | None = None
    from_incoming: bool = False


class StockAdjusted(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Somebody corrected the stock: on_hand changes by `quantity` (either sign, not 0)."""

    type = "stock.adjusted"
    quantity: Quantity
    reason: Reason = "other"


class StockCounted(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A count found exactly `quantity` (>= 0) on hand at the event's time. Absolute."""

    type = "stock.counted"
    quantity: Quantity
    reason: Reason = "cycle_count"


class StockCommitted(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Stock was promised outside an order Stockwire knows: committed rises by `quantity` (> 0)."""

    type = "stock.committed"
    quantity: Quantity


class StockReleased(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A promise was taken back: committed falls by `quantity` (> 0)."""

    type = "stock.released"
    quantity: Quantity


class StockFulfilled(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Promised stock left the building: on_hand and committed fall together by `quantity` (> 0)."""

    type = "stock.fulfilled"
    quantity: Quantity


class StockReserved(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Stock was set aside (a basket, a hold): reserved rises by `quantity` (> 0)."""

    type = "stock.reserved"
    quantity: Quantity


class StockReservationExpired(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A reservation ended: reserved falls by `quantity` (> 0)."""

    type = "stock.reservation_expired"
    quantity: Quantity


class StockTransferred(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True,
                       rename={"from_": "from"}):  # fmt: skip
    """Stock moved between locations: on_hand falls at `from` and rises at `to` by `quantity` (> 0)."""

    type = "stock.transferred"
    sku: Name
    from_: Name
    to: Name
    quantity: Quantity
    document: Name | None = None
    note: Text | None = None

    @property
    def subject(self) -> str:
        return f"stock/{self.sku}/{self.from_}"


class StockReturned(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Goods came back: on_hand rises by `quantity` (> 0), and so does `state` unless it is `available`."""

    type = "stock.returned"
    quantity: Quantity
    state: StockState = "available"


class StockStateMoved(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True,
                      rename={"from_": "from"}):  # fmt: skip
    """`quantity` (> 0) on hand changed its state, say from available to damaged; on_hand itself does not change."""

    type = "stock.state_moved"
    from_: StockState
    to: StockState
    quantity: Quantity


class StockIncomingChanged(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is on its way changed by `quantity` (either sign, not 0)."""

    type = "stock.incoming_changed"
    quantity: Quantity


class StockSnapshot(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The source's own figures at the event's time. Absolute; a field that is left out stays as it is."""

    type = "stock.snapshot"
    on_hand: Quantity | None = None
    committed: Quantity | None = None
    reserved: Quantity | None = None
    damaged: Quantity | None = None
    quality_control: Quantity | None = None
    safety_stock: Quantity | None = None
    incoming: Quantity | None = None


class ProductUpdated(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known of a product, everywhere or (with `location`) at one place. Fields left out stay as they are."""

    type = "product.updated"
    sku: Name
    location: Name | None = None
    name: Name | None = None
    reorder_point: Quantity | None = None
    reorder_quantity: Quantity | None = None
    safety_stock: Quantity | None = None
    overstock_point: Quantity | None = None
    unit_cost: Money | None = None
    currency: Currency | None = None
    tracked: bool | None = None

    @property
    def subject(self) -> str:
        return f"product/{self.sku}"


class LocationUpdated(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known of a location."""

    type = "location.updated"
    location: Name
    name: Name | None = None

    @property
    def subject(self) -> str:
        return f"location/{self.location}"


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line of an order, absolute. `line` names it within the order (its position when left out: "1", "2" ...).

    `discount` and `tax` are for the whole line. `stock` false: nothing physical moves (postage, a service).
    """

    sku: Name
    quantity: Quantity
    unit_price: Money = Money(0)
    line: Name | None = None
    name: Name | None = None
    discount: Money = Money(0)
    tax: Money = Money(0)
    location: Name | None = None
    stock: bool = True


class Customer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who ordered, as the source names them."""

    id: Name | None = None
    name: Name | None = None
    country: Name | None = None


Lines = Annotated[tuple[OrderLine, ...], Meta(max_length=1000)]
Derived = Annotated[tuple[Name, ...], Meta(max_length=20)]


class OrderData(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Something that happened to one order. `derived` names fields the source did not say and somebody inferred."""

    order_id: Name
    derived: Derived = ()

    @property
    def subject(self) -> str:
        return f"order/{self.order_id}"


class OrderPlaced(OrderData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An order exists. `status` is where it stands already (a finished till sale is `completed`).

    `discount`, `shipping` and `tax` are for the whole order, beside those of its lines.
    """

    type = "order.placed"
    currency: Currency
    lines: Lines = ()
    number: Name | None = None
    status: Status = "placed"
    payment_status: PaymentStatus = "unpaid"
    location: Name = DEFAULT_LOCATION
    customer: Customer | None = None
    channel: Name | None = None
    discount: Money = Money(0)
    shipping: Money = Money(0)
    tax: Money = Money(0)
    promised_at: str | None = None
    note: Text | None = None


class OrderUpdated(OrderData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An order changed before it was done: `lines` are added, or replace the line of the same name; the rest
    overwrite.
    """

    type = "order.updated"
    lines: Lines = ()
    customer: Customer | None = None
    discount: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    promised_at: str | None = None
    note: Text | None = None


class LineQuantity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How much of one line a step covers (> 0)."""

    line: Name
    quantity: Quantity


class OrderStatusChanged(OrderData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An order reached `status`. With `lines` only those quantities did: the order follows when every line has.

    `milestone` true: the source reports a stage that was reached at some time, not where the order is now, so
    the status never runs backwards because of it.
    """

    type = "order.status_changed"
    status: Status
    lines: Annotated[tuple[LineQuantity, ...], Meta(max_length=1000)] = ()
    milestone: bool = False
    reason: Text | None = None


class OrderHeld(OrderData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An order waits for something."""

    type = "order.held"
    reason: Text = ""


class OrderReleased(OrderData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An order waits no longer."""

    type = "order.released"


class OrderPaymentChanged(OrderData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The payment's own axis moved."""

    type = "order.payment_changed"
    payment_status: PaymentStatus


class CreditLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line of a credit note. Quantity and price are as credited (positive: the customer gets it back); either may
    be negative on a correcting note. `restock`: the goods go back on hand at `location`."""

    sku: Name
    quantity: Quantity
    unit_price: Money = Money(0)
    name: Name | None = None
    location: Name = DEFAULT_LOCATION
    restock: bool = True


class OrderCredited(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A credit note: a document of its own, which may or may not name the order it belongs to.

    `reason` `bad_debt` is written off and counts in no sales figure; every other reason counts as returns.
    """

    type = "order.credited"
    document: Name
    currency: Currency
    lines: Annotated[tuple[CreditLine, ...], Meta(max_length=1000)]
    order_id: Name | None = None
    reason: Literal["return", "cancellation", "correction", "bad_debt", "other"] = "return"
    customer: Customer | None = None
    note: Text | None = None
    derived: Derived = ()

    @property
    def subject(self) -> str:
        return f"order/{self.order_id}" if self.order_id else f"document/{self.document}"


class ShopConfigured(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: the settings that folding depends on, in force from here on. `allowed_minutes`: per status, how long
    an order may stay there before it is late."""

    type = "shop.configured"
    timezone: str
    currency: Currency
    allowed_minutes: dict[str, int]


class ClockTicked(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: time passed. Written about once a minute when the shop's clock is the wall's, so that what depends
    on time (late orders, "today") changes by an event and replays the same."""

    type = "clock.ticked"


class LogVerified(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: the first `events` of the log were folded again, and so many stored rows differed from the outcome."""

    type = "log.verified"
    events: int
    differences: int


class RuleDefined(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a rule is in force from here on, in the place of any of the same id. `threshold` and `clear` are exact,
    with at most 4 decimals; what they are of, the kind says (core/rules.py)."""

    type = "rule.defined"
    rule_id: Name
    by: Name
    kind: RuleKind
    name: Name
    enabled: bool = True
    severity: Severity = "warning"
    scope: Reach = Reach()
    threshold: Money | None = None
    clear: Money | None = None
    metric: Name | None = None
    period: Name | None = None
    comparison: Comparison | None = None
    for_seconds: Seconds = 0
    keep_seconds: Seconds = 0
    cooldown_seconds: Seconds = 0
    group_by: GroupBy = "none"
    channels: tuple[Name, ...] | Literal["default"] = "default"

    @property
    def subject(self) -> str:
        return f"rule/{self.rule_id}"


class RuleRemoved(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a rule is in force no more."""

    type = "rule.removed"
    rule_id: Name
    by: Name

    @property
    def subject(self) -> str:
        return f"rule/{self.rule_id}"


class RuleObserved(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: what a rule looks at is so from here on, or no more. For what folding cannot see by itself: metrics, which
    are worked out once a batch, and the silence of a source. Written only when `met` turns."""

    type = "rule.observed"
    rule_id: Name
    about: Name
    met: bool
    value: Text | None = None
    previous: Text | None = None

    @property
    def subject(self) -> str:
        return f"rule/{self.rule_id}"


class NotificationData(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: what somebody did with a notification."""

    notification_id: NotificationId
    by: Name

    @property
    def subject(self) -> str:
        return f"notification/{self.notification_id}"


class NotificationAcknowledged(NotificationData, frozen=True, kw_only=True, omit_defaults=True,
                               forbid_unknown_fields=True):  # fmt: skip
    """Internal: somebody sees to it."""

    type = "notification.acknowledged"


class NotificationSnoozed(NotificationData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: it is not to be heard of until then (by the shop's clock)."""

    type = "notification.snoozed"
    until: str


class NotificationResolved(NotificationData, frozen=True, kw_only=True, omit_defaults=True,
                           forbid_unknown_fields=True):  # fmt: skip
    """Internal: somebody says that it is over."""

    type = "notification.resolved"


class PersonData(Data, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: what a person did for themself."""

    person: Name

    @property
    def subject(self) -> str:
        return f"person/{self.person}"


class NotificationRead(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a person has read all that fired up to a version, or those by these ids."""

    type = "notification.read"
    through: int | None = None
    ids: Annotated[tuple[NotificationId, ...], Meta(max_length=500)] = ()


class PersonPreferred(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: how a person wants to be told, in the place of all they wanted before."""

    type = "person.preferred"
    preferences: Preferences


class OrderWatched(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a person watches an order."""

    type = "order.watched"
    order_id: Name


class OrderUnwatched(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a person watches an order no more."""

    type = "order.unwatched"
    order_id: Name


class ViewKept(PersonData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Internal: a person keeps a view of a screen by a name; without a `query` no more."""

    type = "view.kept"
    screen: Name
    name: Name
    query: Text | None = None


_STOCK_SIGNS: Final = {
    "stock.received": 1, "stock.counted": 0, "stock.committed": 1, "stock.released": 1, "stock.fulfilled": 1,
    "stock.reserved": 1, "stock.reservation_expired": 1, "stock.transferred": 1, "stock.returned": 1,
    "stock.state_moved": 1, "stock.adjusted": -1, "stock.incoming_changed": -1,
}  # fmt: skip
"""What sign a stock event's quantity may have: 1 above zero, 0 zero or above, -1 anything but zero."""

TYPES: Final[Mapping[str, type[Data]]] = {
    kind.type: kind
    for kind in (
        StockReceived, StockAdjusted, StockCounted, StockCommitted, StockReleased, StockFulfilled, StockReserved,
        StockReservationExpired, StockTransferred, StockReturned, StockStateMoved, StockIncomingChanged, StockSnapshot,
        ProductUpdated, LocationUpdated, OrderPlaced, OrderUpdated, OrderStatusChanged, OrderHeld, OrderReleased,
        OrderPaymentChanged, OrderCredited, ShopConfigured, ClockTicked, LogVerified, RuleDefined, RuleRemoved,
        RuleObserved, NotificationAcknowledged, NotificationSnoozed, NotificationResolved, NotificationRead,
        PersonPreferred, OrderWatched, OrderUnwatched, ViewKept,
    )
}  # fmt: skip
NOTICE_TYPES: Final = frozenset(
    kind.type
    for kind in (
        RuleDefined, RuleRemoved, RuleObserved, NotificationAcknowledged, NotificationSnoozed, NotificationResolved,
        NotificationRead, PersonPreferred, OrderWatched, OrderUnwatched, ViewKept,
    )
)  # fmt: skip
"""What is done about rules, notifications and a person's own."""
INTERNAL_TYPES: Final = frozenset({ShopConfigured.type, ClockTicked.type, LogVerified.type}) | NOTICE_TYPES


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
    _check(data)
    return Event(source, _text(envelope, "id"), type_, at, data, _encode_body(raw))


def stored_event(source: str, id_: str, type_: str, time: int, body: bytes) -> Event:
    """The event as the log kept it. The inverse of taking `source, id, type, time, body` out of an `Event`."""
    raw = _decode_body(body)
    return Event(source, id_, type_, time, msgspec.convert(raw, TYPES[type_], dec_hook=_exact), body)


def _decode_body(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def _check(data: Data) -> None:
    """The rules between fields. Raises Invalid."""
    sign = _STOCK_SIGNS.get(data.type)
    if sign is not None:
        amount: int = data.quantity  # type: ignore[attr-defined]
        if sign == 1 and amount <= 0:
            raise Invalid("`data.quantity` must be above 0")
        if sign == 0 and amount < 0:
            raise Invalid("`data.quantity` must not be below 0")
        if sign == -1 and amount == 0:
            raise Invalid("`data.quantity` must not be 0")
    match data:
        case StockTransferred() if data.from_ == data.to:
            raise Invalid("`data.from` and `data.to` must be two locations")
        case StockStateMoved() if data.from_ == data.to:
            raise Invalid("`data.from` and `data.to` must be two states")
        case OrderPlaced() | OrderUpdated():
            for index, line in enumerate(data.lines):
                if line.quantity < 0:
                    raise Invalid(f"`data.lines[{index}].quantity` must not be below 0")
                if line.unit_price < 0:
                    raise Invalid(f"`data.lines[{index}].unit_price` must not be below 0; give a discount instead")
            names = [line.line for line in data.lines if line.line is not None]
            if len(names) != len(set(names)):
                raise Invalid("`data.lines` names a line twice")
            if len(names) not in (0, len(data.lines)):
                raise Invalid("`data.lines`: name every line or none")
            if data.type == OrderUpdated.type and len(names) != len(data.lines):
                raise Invalid("`data.lines[].line` is needed in order.updated")
            if data.promised_at is not None:
                try:
                    moment(data.promised_at)
                except ValueError as error:
                    raise Invalid(f"`data.promised_at`: {error}") from None
        case NotificationSnoozed():
            try:
                moment(data.until)
            except ValueError as error:
                raise Invalid(f"`data.until`: {error}") from None
        case OrderStatusChanged():
            for index, step in enumerate(data.lines):
                if step.quantity <= 0:
                    raise Invalid(f"`data.lines[{index}].quantity` must be above 0")
        case OrderCredited():
            for index, credit in enumerate(data.lines):
                if credit.quantity == 0:
                    raise Invalid(f"`data.lines[{index}].quantity` must not be 0")
        case _:
            pass
