"""What happens to orders."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from stockwire.core.errors import Invalid
from stockwire.core.events.data import DEFAULT_LOCATION, Currency, Data, Name, Text, check_moment
from stockwire.core.values import Money, Quantity

Status = Literal[
    "draft", "placed", "confirmed", "allocated", "picking", "packed", "shipped", "delivered", "completed",
    "cancelled", "returned", "expired",
]  # fmt: skip
PaymentStatus = Literal[
    "unpaid", "pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided"
]


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

    def check(self) -> None:
        _check_lines(self.lines)
        if self.promised_at is not None:
            check_moment("promised_at", self.promised_at)


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

    def check(self) -> None:
        _check_lines(self.lines)
        if any(line.line is None for line in self.lines):
            raise Invalid("`data.lines[].line` is needed in order.updated")
        if self.promised_at is not None:
            check_moment("promised_at", self.promised_at)


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

    def check(self) -> None:
        for index, step in enumerate(self.lines):
            if step.quantity <= 0:
                raise Invalid(f"`data.lines[{index}].quantity` must be above 0")


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

    def check(self) -> None:
        for index, credit in enumerate(self.lines):
            if credit.quantity == 0:
                raise Invalid(f"`data.lines[{index}].quantity` must not be 0")


def _check_lines(lines: tuple[OrderLine, ...]) -> None:
    for index, line in enumerate(lines):
        if line.quantity < 0:
            raise Invalid(f"`data.lines[{index}].quantity` must not be below 0")
        if line.unit_price < 0:
            raise Invalid(f"`data.lines[{index}].unit_price` must not be below 0; give a discount instead")
    names = [line.line for line in lines if line.line is not None]
    if len(names) != len(set(names)):
        raise Invalid("`data.lines` names a line twice")
    if len(names) not in (0, len(lines)):
        raise Invalid("`data.lines`: name every line or none")


KINDS: Final[tuple[type[Data], ...]] = (
    OrderPlaced, OrderUpdated, OrderStatusChanged, OrderHeld, OrderReleased, OrderPaymentChanged, OrderCredited,
)  # fmt: skip
