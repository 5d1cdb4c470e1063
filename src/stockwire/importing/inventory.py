"""The format `inventory`: a CSV with one row per SKU and location, as any shop system can export.

What is on hand becomes a `stock.snapshot`, what is known of the product a `product.updated`; an empty field stays as
it is. A count is only worth something with its time, so the file must say it (column `time`) or the one who imports
it. Ids carry time and content: the same file twice changes nothing, a corrected one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from stockwire.core.errors import Invalid
from stockwire.importing.rows import BadRow, Envelope, Input, Item, Parsed, Table, digest, envelope, exact, local_time
from stockwire.importing.rows import yes_or_no as flag

QUANTITIES: Final = ("on_hand", "committed", "reserved", "damaged", "quality_control", "incoming")
PRODUCT_NUMBERS: Final = ("reorder_point", "reorder_quantity", "safety_stock", "overstock_point", "unit_cost")
COLUMNS: Final = (
    "sku", "location", "time", "name", *QUANTITIES, *PRODUCT_NUMBERS, "currency", "tracked",
)  # fmt: skip


class Inventory(msgspec.Struct, frozen=True):
    """Reads the rows. `time` holds for rows without one of their own; local times are of `zone`."""

    source: str = "inventory"
    time: str | None = None
    zone: str = "UTC"
    timezone: str | None = None
    currency: str | None = None

    def read(self, file: Input) -> Iterator[Item]:
        zone = ZoneInfo(self.zone)
        with file.text("Importing") as text:
            table = Table(text, ("sku",), COLUMNS)
            if self.time is None and "time" not in table.columns:
                raise Invalid("when was this counted? give --time, or a column `time`")
            for number, row in table.named():
                if row is None:
                    yield BadRow(number, "the row is not as wide as the header")
                    continue
                try:
                    events = list(self._events(row, zone, "location" in table.columns))
                except ValueError as error:
                    yield BadRow(number, str(error))
                    continue
                for event in events:
                    yield Parsed(number, number, event)

    def _events(self, row: dict[str, str], zone: ZoneInfo, by_location: bool) -> Iterator[Envelope]:
        if "sku" not in row:
            raise ValueError("the row needs a sku")
        when = row.get("time") or self.time
        if when is None:
            raise ValueError("the row has no time, and no --time was given")
        time = local_time(when, zone)
        place = {"sku": row["sku"]} | ({"location": row["location"]} if "location" in row else {})
        stock: dict[str, Any] = {name: exact(row[name], name) for name in QUANTITIES if name in row}
        product: dict[str, Any] = {name: exact(row[name], name) for name in PRODUCT_NUMBERS if name in row}
        product |= {name: row[name] for name in ("name", "currency") if name in row}
        if "tracked" in row:
            product["tracked"] = flag(row["tracked"], "tracked")
        if stock:
            yield self._event("snapshot", "stock.snapshot", time, place | stock)
        if product:
            known_as = place if by_location else {"sku": row["sku"]}
            yield self._event("product", "product.updated", time, known_as | product)

    def _event(self, noun: str, type_: str, time: str, data: dict[str, Any]) -> Envelope:
        return envelope(self.source, f"{noun}/{time}/{digest(data)}", type_, time, data)
