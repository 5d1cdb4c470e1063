"""Inventory: stock per SKU and location, and the ledger of its movements.

Two things stay true. Every change of a quantity is a `Movement`, so that for each row and each quantity the deltas
of its movements add up to the row. And an absolute event (a count, a source's own figures) holds for its own time:
one that is older than the newest absolute one changes nothing, and one that arrives after later changes sets what
the quantity was then, with those later changes on top.

`Inventory` works on drafts and never on the tables themselves; a batch that could not be stored leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol, cast

import msgspec

from stockwire.core.cover import day_of, days_known, sold_on, sold_within, units_of
from stockwire.core.events import (
    LocationUpdated,
    OrderCredited,
    ProductUpdated,
    Record,
    StockAdjusted,
    StockCommitted,
    StockCounted,
    StockData,
    StockFulfilled,
    StockIncomingChanged,
    StockReceived,
    StockReleased,
    StockReservationExpired,
    StockReserved,
    StockReturned,
    StockSnapshot,
    StockStateMoved,
    StockTransferred,
)
from stockwire.core.projections.effects import StockEffect
from stockwire.core.projections.sales import NONE, Sums
from stockwire.core.rows import InventoryRow, Key, Movement, ProductRow
from stockwire.core.tables import Draft

replace = msgspec.structs.replace

QUANTITIES: Final = (
    "on_hand", "committed", "reserved", "damaged", "quality_control", "safety_stock", "incoming",
)  # fmt: skip
"""The quantities of an inventory row, which are also the deltas of a movement."""


class History(Protocol):
    """What has been stored of the movements."""

    def deltas_after(self, sku: str, location: str, moment: int) -> Mapping[str, int]:
        """Per quantity the sum of the deltas of this row's stored movements that occurred after `moment`.

        A quantity that is missing counts as zero. Asked only for an absolute event that arrives late.
        """
        ...


class Deltas(NamedTuple):
    """A change of one row's quantities, in thousandths."""

    on_hand: int = 0
    committed: int = 0
    reserved: int = 0
    damaged: int = 0
    quality_control: int = 0
    safety_stock: int = 0
    incoming: int = 0


_NOTHING: Final = Deltas()


class _Why(NamedTuple):
    """What a movement says about its cause, beside the event's type."""

    reason: str | None = None
    document: str | None = None
    order_id: str | None = None
    note: str | None = None


class Inventory:
    """One batch's stock: drafts over the rows, and the movements that led to them.

    `places` names the locations at which a SKU has rows, as far as they are stored. `today` is the day of the shop's
    clock.
    """

    def __init__(
        self,
        rows: Draft[Key, InventoryRow],
        products: Draft[str, ProductRow],
        locations: Draft[str, str],
        places: Mapping[str, Iterable[str]],
        history: History,
    ) -> None:
        self.rows = rows
        self.products = products
        self.locations = locations
        self.movements: list[Movement] = []
        self._places = places
        self._new_places: dict[str, dict[str, None]] = {}
        self._history = history
        self._version = -1
        self._step = 0
        self.today = 0
        self._forget_moves()

    def moved_by(self, record: Record) -> Sums:
        """What the event that was taken in last adds to the sums of its minute, if it is that one."""
        if self._version != record.version or not (self._units_left or self._on_hand_change or self._counts):
            return NONE
        return Sums(
            units_fulfilled=self._units_left,
            on_hand_change=self._on_hand_change,
            counts=self._counts,
            counts_exact=self._counts_exact,
        )

    def _forget_moves(self) -> None:
        self._units_left = self._on_hand_change = self._counts = self._counts_exact = 0

    def apply(self, record: Record) -> None:
        """Take a stock, product or location event in."""
        self._begin(record)
        _STEPS[record.event.type](self, record, record.event.data)

    def take(self, record: Record, effects: Iterable[StockEffect]) -> None:
        """Take in what an order's event does to the stock."""
        self._begin(record)
        for effect in effects:
            row = self._row(record, effect.sku, effect.location, effect.name)
            why = _Why(effect.reason, effect.document, effect.order_id)
            self._change(record, row, Deltas(effect.on_hand, effect.committed), why)

    def pass_midnight(self, version: int, today: int, selling: Iterable[Key]) -> None:
        """Let go of what left before the window of cover, when the shop's clock comes to the day `today`.

        `selling` names the stored rows of which anything left within it.
        """
        self.today = today
        for key in sorted({*selling, *self.rows.changed}):
            row = self.rows.get(key)
            if row is None or not row.sold:
                continue
            sold = sold_within(row.sold, today)
            days = days_known(row.since, today) if sold else 0
            if sold is not row.sold or days != row.sold_days:
                left = row.sold_units if sold is row.sold else units_of(sold)
                self.rows.put(key, replace(row, version=version, sold=sold, sold_units=left, sold_days=days))

    # The ledger

    def _begin(self, record: Record) -> None:
        if self._version != record.version:
            self._version = record.version
            self._step = 0
            self._forget_moves()

    def _row(self, record: Record, sku: str, location: str, name: str = "") -> InventoryRow:
        """The row as it is, or a new one that starts from what is known of the product."""
        row = self.rows.get((sku, location))
        if row is None:
            return self._opened(record, sku, location, name)
        return replace(row, name=name) if name and not row.name else row

    def _opened(self, record: Record, sku: str, location: str, name: str) -> InventoryRow:
        self._new_places.setdefault(sku, {})[location] = None
        product = self.products.get(sku)
        if product is None:
            return InventoryRow(version=record.version, sku=sku, location=location, name=name, since=record.event.time)
        row = InventoryRow(
            version=record.version,
            since=record.event.time,
            sku=sku,
            location=location,
            name=product.name or name,
            reorder_point=product.reorder_point,
            reorder_quantity=product.reorder_quantity,
            overstock_point=product.overstock_point,
            unit_cost=product.unit_cost,
            currency=product.currency,
            tracked=product.tracked,
        )
        if product.safety_stock:
            row = self._change(record, row, Deltas(safety_stock=product.safety_stock), _Why())
        return row

    def _change(self, record: Record, row: InventoryRow, by: Deltas, why: _Why) -> InventoryRow:
        """Put the row with its quantities changed, and write the movement down."""
        event = record.event
        at = event.time
        source = event.source
        on_hand = row.on_hand + by.on_hand
        left = -by.on_hand if by.on_hand and _leaves_with_an_order(event.type) else 0
        sold, sold_units, sold_days = row.sold, row.sold_units, row.sold_days
        if left and (now := sold_on(sold, day_of(at), left, self.today)) is not sold:
            sold, sold_units = now, sold_units + left
            sold_days = (sold_days or days_known(row.since, self.today)) if sold else 0
        self._units_left += left
        self._on_hand_change += by.on_hand
        changed = InventoryRow(
            version=record.version,
            sku=row.sku,
            location=row.location,
            name=row.name,
            on_hand=on_hand,
            committed=row.committed + by.committed,
            reserved=row.reserved + by.reserved,
            damaged=row.damaged + by.damaged,
            quality_control=row.quality_control + by.quality_control,
            safety_stock=row.safety_stock + by.safety_stock,
            incoming=row.incoming + by.incoming,
            reorder_point=row.reorder_point,
            reorder_quantity=row.reorder_quantity,
            overstock_point=row.overstock_point,
            unit_cost=row.unit_cost,
            currency=row.currency,
            tracked=row.tracked,
            source=source,
            source_updated_at=_newest_of_source(row, source, at),
            counted_at=row.counted_at,
            absolute_at=row.absolute_at,
            changed_at=at if at > row.changed_at else row.changed_at,
            updated_at=record.recorded_at,
            since=row.since,
            sold=sold,
            sold_units=sold_units,
            sold_days=sold_days,
        )
        self.rows.put((row.sku, row.location), changed)
        self._write(record, changed, by, why)
        return changed

    def _write(self, record: Record, row: InventoryRow, by: Deltas, why: _Why, *, superseded: bool = False) -> None:
        event = record.event
        self.movements.append(
            Movement(
                version=record.version,
                step=self._step,
                sku=row.sku,
                location=row.location,
                type=event.type,
                occurred_at=event.time,
                recorded_at=record.recorded_at,
                source=event.source,
                on_hand=by.on_hand,
                committed=by.committed,
                reserved=by.reserved,
                damaged=by.damaged,
                quality_control=by.quality_control,
                safety_stock=by.safety_stock,
                incoming=by.incoming,
                on_hand_after=row.on_hand,
                reason=why.reason,
                document=why.document,
                order_id=why.order_id,
                note=why.note,
                superseded=superseded,
            )
        )
        self._step += 1

    def _stock(self, record: Record, data: StockData, by: Deltas) -> InventoryRow:
        return self._change(record, self._row(record, data.sku, data.location), by, _why(data))

    # Absolute events

    def _set(self, record: Record, data: StockData, values: Mapping[str, int]) -> InventoryRow | None:
        """Set quantities to what they were at the event's time; None when a newer absolute event is known."""
        at = record.event.time
        row = self._row(record, data.sku, data.location)
        if row.absolute_at is not None and at < row.absolute_at:
            self._write(record, row, _NOTHING, _why(data), superseded=True)
            return None
        later = self._deltas_after(row, at) if at < row.changed_at else {}
        by = {name: value + later.get(name, 0) - getattr(row, name) for name, value in values.items()}
        return replace(self._change(record, row, Deltas(**by), _why(data)), absolute_at=at)

    def _deltas_after(self, row: InventoryRow, at: int) -> dict[str, int]:
        sums = dict(self._history.deltas_after(row.sku, row.location, at))
        for movement in self.movements:
            if movement.sku == row.sku and movement.location == row.location and movement.occurred_at > at:
                for name in QUANTITIES:
                    sums[name] = sums.get(name, 0) + getattr(movement, name)
        return sums

    def _put(self, row: InventoryRow) -> None:
        self.rows.put((row.sku, row.location), row)

    # One function per event

    def _received(self, record: Record, data: StockReceived) -> None:
        before = self._row(record, data.sku, data.location)
        expected = min(int(data.quantity), max(0, before.incoming)) if data.from_incoming else 0
        by = Deltas(on_hand=int(data.quantity), incoming=-expected)
        row = self._change(record, before, by, _why(data))
        if data.unit_cost is not None and row.unit_cost is None:
            self._put(replace(row, unit_cost=int(data.unit_cost)))

    def _adjusted(self, record: Record, data: StockAdjusted) -> None:
        self._stock(record, data, Deltas(on_hand=int(data.quantity)))

    def _counted(self, record: Record, data: StockCounted) -> None:
        before = self._row(record, data.sku, data.location)
        row = self._set(record, data, {"on_hand": int(data.quantity)})
        if row is not None:
            self._put(replace(row, counted_at=record.event.time))
            if before.changed_at:  # else there was nothing on record to be right or wrong
                self._counts += 1
                self._counts_exact += self.movements[-1].on_hand == 0

    def _snapshot(self, record: Record, data: StockSnapshot) -> None:
        told = {name: getattr(data, name) for name in QUANTITIES}
        row = self._set(record, data, {name: int(value) for name, value in told.items() if value is not None})
        if row is not None:
            self._put(row)

    def _committed(self, record: Record, data: StockCommitted) -> None:
        self._stock(record, data, Deltas(committed=int(data.quantity)))

    def _released(self, record: Record, data: StockReleased) -> None:
        self._stock(record, data, Deltas(committed=-int(data.quantity)))

    def _fulfilled(self, record: Record, data: StockFulfilled) -> None:
        self._stock(record, data, Deltas(on_hand=-int(data.quantity), committed=-int(data.quantity)))

    def _reserved(self, record: Record, data: StockReserved) -> None:
        self._stock(record, data, Deltas(reserved=int(data.quantity)))

    def _reservation_expired(self, record: Record, data: StockReservationExpired) -> None:
        self._stock(record, data, Deltas(reserved=-int(data.quantity)))

    def _transferred(self, record: Record, data: StockTransferred) -> None:
        why = _Why(document=data.document, note=data.note)
        moved = int(data.quantity)
        self._change(record, self._row(record, data.sku, data.from_), Deltas(on_hand=-moved), why)
        self._change(record, self._row(record, data.sku, data.to), Deltas(on_hand=moved), why)

    def _returned(self, record: Record, data: StockReturned) -> None:
        back = int(data.quantity)
        self._stock(record, data, _in_state(data.state, back)._replace(on_hand=back))

    def _state_moved(self, record: Record, data: StockStateMoved) -> None:
        moved = int(data.quantity)
        out, into = _in_state(data.from_, -moved), _in_state(data.to, moved)
        self._stock(
            record,
            data,
            Deltas(
                damaged=out.damaged + into.damaged,
                quality_control=out.quality_control + into.quality_control,
            ),
        )

    def _incoming_changed(self, record: Record, data: StockIncomingChanged) -> None:
        self._stock(record, data, Deltas(incoming=int(data.quantity)))

    def _product_updated(self, record: Record, data: ProductUpdated) -> None:
        told = _told(data)
        if data.location is not None:
            self._describe(record, self._row(record, data.sku, data.location), told)
            return
        product = self.products.get(data.sku) or ProductRow(version=record.version, sku=data.sku)
        described = replace(product, **cast(Any, told))
        if described != product or self.products.get(data.sku) is None:
            self.products.put(data.sku, replace(described, version=record.version))
        for location in self._locations_of(data.sku):
            row = self.rows.get((data.sku, location))
            if row is not None:
                self._describe(record, row, told)

    def _describe(self, record: Record, row: InventoryRow, told: Mapping[str, Any]) -> None:
        """Put the row with what was told about its product, when that is anything new."""
        fields = dict(told)
        safety_stock = fields.pop("safety_stock", row.safety_stock)
        described = replace(row, **fields)
        if safety_stock != row.safety_stock:
            self._change(record, described, Deltas(safety_stock=safety_stock - row.safety_stock), _Why())
        elif described != row or self.rows.get((row.sku, row.location)) is None:
            event = record.event
            self._put(
                replace(
                    described,
                    version=record.version,
                    source=event.source,
                    source_updated_at=_newest_of_source(row, event.source, event.time),
                    updated_at=record.recorded_at,
                )
            )

    def _locations_of(self, sku: str) -> list[str]:
        return list({**dict.fromkeys(self._places.get(sku, ())), **self._new_places.get(sku, {})})

    def _location_updated(self, record: Record, data: LocationUpdated) -> None:
        known = self.locations.get(data.location)
        name = data.name if data.name is not None else known or ""
        if name != known:
            self.locations.put(data.location, name)


def _leaves_with_an_order(type_: str) -> bool:
    """Whether what an event of that type takes from the stock goes to a customer, and what it puts back came from one
    that never got it. A credit note's goods are returns, which are no demand."""
    return type_ == StockFulfilled.type or (type_.startswith("order.") and type_ != OrderCredited.type)


def _newest_of_source(row: InventoryRow, source: str, at: int) -> int:
    """The newest time in the source's events of this row."""
    return row.source_updated_at if row.source == source and row.source_updated_at > at else at


def _in_state(state: str, units: int) -> Deltas:
    """`units` more in that state; what is available has no count of its own."""
    if state == "damaged":
        return Deltas(damaged=units)
    return Deltas(quality_control=units) if state == "quality_control" else _NOTHING


def _why(data: StockData) -> _Why:
    return _Why(getattr(data, "reason", None), data.document, data.order_id, data.note)


def _told(data: ProductUpdated) -> dict[str, Any]:
    """The fields a product event gives, as plain values."""
    told: dict[str, Any] = {}
    for name in ("name", "currency", "tracked"):
        if (value := getattr(data, name)) is not None:
            told[name] = value
    for name in ("reorder_point", "reorder_quantity", "safety_stock", "overstock_point", "unit_cost"):
        if (value := getattr(data, name)) is not None:
            told[name] = int(value)
    return told


_STEPS: Final[Mapping[str, Callable[[Inventory, Record, Any], None]]] = {
    StockReceived.type: Inventory._received,
    StockAdjusted.type: Inventory._adjusted,
    StockCounted.type: Inventory._counted,
    StockCommitted.type: Inventory._committed,
    StockReleased.type: Inventory._released,
    StockFulfilled.type: Inventory._fulfilled,
    StockReserved.type: Inventory._reserved,
    StockReservationExpired.type: Inventory._reservation_expired,
    StockTransferred.type: Inventory._transferred,
    StockReturned.type: Inventory._returned,
    StockStateMoved.type: Inventory._state_moved,
    StockIncomingChanged.type: Inventory._incoming_changed,
    StockSnapshot.type: Inventory._snapshot,
    ProductUpdated.type: Inventory._product_updated,
    LocationUpdated.type: Inventory._location_updated,
}
STOCK_TYPES: Final = frozenset(_STEPS)
"""The event types that `Inventory.apply` takes."""
