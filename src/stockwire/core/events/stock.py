"""What happens to stock. The formulas are spec/events.md's; the fold applies them (core/projections/inventory.py)."""

from __future__ import annotations

from typing import Final, Literal

from stockwire.core.errors import Invalid
from stockwire.core.events.data import DEFAULT_LOCATION, Currency, Data, Name, Text
from stockwire.core.values import Money, Quantity

StockState = Literal["available", "damaged", "quality_control"]
Reason = Literal[
    "correction", "cycle_count", "damaged", "loss", "found", "promotion", "received", "restock", "shrinkage", "other"
]


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


class StockMoved(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Something that happened to so many of them (> 0)."""

    quantity: Quantity

    def check(self) -> None:
        _above_zero(self.quantity)


class StockReceived(StockMoved, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Goods arrived: on_hand rises by `quantity` (> 0). `from_incoming` lowers incoming by as much, not below 0."""

    type = "stock.received"
    reason: Reason = "received"
    unit_cost: Money | None = None
    from_incoming: bool = False


class StockAdjusted(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Somebody corrected the stock: on_hand changes by `quantity` (either sign, not 0)."""

    type = "stock.adjusted"
    quantity: Quantity
    reason: Reason = "other"

    def check(self) -> None:
        if self.quantity == 0:
            raise Invalid("`data.quantity` must not be 0")


class StockCounted(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A count found exactly `quantity` (>= 0) on hand at the event's time. Absolute."""

    type = "stock.counted"
    quantity: Quantity
    reason: Reason = "cycle_count"

    def check(self) -> None:
        if self.quantity < 0:
            raise Invalid("`data.quantity` must not be below 0")


class StockCommitted(StockMoved, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Stock was promised outside an order Stockwire knows: committed rises by `quantity` (> 0)."""

    type = "stock.committed"


class StockReleased(StockMoved, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A promise was taken back: committed falls by `quantity` (> 0)."""

    type = "stock.released"


class StockFulfilled(StockMoved, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Promised stock left the building: on_hand and committed fall together by `quantity` (> 0)."""

    type = "stock.fulfilled"


class StockReserved(StockMoved, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Stock was set aside (a basket, a hold): reserved rises by `quantity` (> 0)."""

    type = "stock.reserved"


class StockReservationExpired(StockMoved, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A reservation ended: reserved falls by `quantity` (> 0)."""

    type = "stock.reservation_expired"


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

    def check(self) -> None:
        _above_zero(self.quantity)
        if self.from_ == self.to:
            raise Invalid("`data.from` and `data.to` must be two locations")


class StockReturned(StockMoved, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Goods came back: on_hand rises by `quantity` (> 0), and so does `state` unless it is `available`."""

    type = "stock.returned"
    state: StockState = "available"


class StockStateMoved(StockMoved, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True,
                      rename={"from_": "from"}):  # fmt: skip
    """`quantity` (> 0) on hand changed its state, say from available to damaged; on_hand itself does not change."""

    type = "stock.state_moved"
    from_: StockState
    to: StockState

    def check(self) -> None:
        super().check()
        if self.from_ == self.to:
            raise Invalid("`data.from` and `data.to` must be two states")


class StockIncomingChanged(StockData, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is on its way changed by `quantity` (either sign, not 0)."""

    type = "stock.incoming_changed"
    quantity: Quantity

    def check(self) -> None:
        if self.quantity == 0:
            raise Invalid("`data.quantity` must not be 0")


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


def _above_zero(amount: Quantity) -> None:
    if amount <= 0:
        raise Invalid("`data.quantity` must be above 0")


KINDS: Final[tuple[type[Data], ...]] = (
    StockReceived, StockAdjusted, StockCounted, StockCommitted, StockReleased, StockFulfilled, StockReserved,
    StockReservationExpired, StockTransferred, StockReturned, StockStateMoved, StockIncomingChanged, StockSnapshot,
    ProductUpdated, LocationUpdated,
)  # fmt: skip
