"""What producers tell, and the twenty lines that say what it must come to.

Each producer has its own orders and walks each along the lifecycle, so that a plain count of what is ordered, shipped
and called off gives the stock. Times are the producer's own and may jump.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from stockwire.core.events import Event, parse_event
from stockwire.core.rows import Key
from stockwire.core.values import QUANTITY_SCALE, SECOND, moment_text

SKUS = [f"SKU-{number:02}" for number in range(14)]
COUNTED = {"SKU-12", "SKU-13"}
"""SKUs that absolute events are about too, which plain sums cannot follow."""
LOCATIONS = ("main", "north")
STEPS = ("confirmed", "packed", "shipped", "delivered", "completed")


class Told(msgspec.Struct, frozen=True):
    """One event as it was sent, for the model: what it does to which key."""

    event: Event
    effects: tuple[tuple[str, Key, int], ...]
    status: tuple[str, str] | None = None


class Teller:
    """One source of events. `now` is its clock (a moment)."""

    def __init__(self, source: str, dice: random.Random, now: Callable[[], int]) -> None:
        self._source = source
        self._dice = dice
        self._now = now
        self._number = 0
        self._open: list[tuple[str, int, list[tuple[str, str, int]]]] = []

    def batch(self, size: int) -> list[Told]:
        """The next so many events."""
        return [self._one() for _ in range(size)]

    def _event(self, type_: str, data: dict[str, Any]) -> Event:
        self._number += 1
        late = self._dice.choice((0, 0, 0, 0, 5, 300, 90_000)) * SECOND
        envelope = {"id": f"{self._number}", "source": self._source, "type": type_, "data": data,
                    "time": moment_text(self._now() - late)}  # fmt: skip
        return parse_event(envelope)

    def _one(self) -> Told:
        chance = self._dice.random()
        if chance < 0.35 or (chance < 0.9 and not self._open and chance >= 0.5):
            return self._stock()
        if chance < 0.5:
            return self._place()
        if chance < 0.9:
            return self._step()
        return self._other()

    def _stock(self) -> Told:
        sku, location, quantity = self._dice.choice(SKUS), self._dice.choice(LOCATIONS), self._dice.randrange(1, 9)
        kind = self._dice.random()
        data: dict[str, Any] = {"sku": sku, "quantity": quantity}
        if kind < 0.6:
            event = self._event("stock.received", {**data, "location": location})
            return Told(event, (("on_hand", (sku, location), quantity),))
        if kind < 0.8:
            event = self._event("stock.adjusted", {**data, "location": location, "quantity": -quantity})
            return Told(event, (("on_hand", (sku, location), -quantity),))
        event = self._event("stock.transferred", {**data, "from": "main", "to": "north"})
        return Told(event, (("on_hand", (sku, "main"), -quantity), ("on_hand", (sku, "north"), quantity)))

    def _place(self) -> Told:
        order_id = f"{self._source}-{self._number:05}"
        lines = [
            (self._dice.choice(SKUS), self._dice.choice(LOCATIONS), self._dice.randrange(1, 4))
            for _ in range(self._dice.choice((1, 1, 2)))
        ]
        sent = [
            {"line": str(at), "sku": sku, "location": location, "quantity": quantity, "unit_price": "4.95"}
            for at, (sku, location, quantity) in enumerate(lines)
        ]
        event = self._event("order.placed", {"order_id": order_id, "currency": "GBP", "lines": sent})
        self._open.append((order_id, 0, lines))
        return Told(event, _effects(lines, committed=1), (order_id, "placed"))

    def _step(self) -> Told:
        at = self._dice.randrange(len(self._open))
        order_id, step, lines = self._open[at]
        called_off = step < 2 and self._dice.random() < 0.15
        status = "cancelled" if called_off else STEPS[step]
        event = self._event("order.status_changed", {"order_id": order_id, "status": status})
        if called_off or status == "completed":
            self._open.pop(at)
        else:
            self._open[at] = (order_id, step + 1, lines)
        effects: tuple[tuple[str, Key, int], ...] = ()
        if called_off:
            effects = _effects(lines, committed=-1)
        elif status == "shipped":
            effects = _effects(lines, committed=-1, on_hand=-1)
        return Told(event, effects, (order_id, status))

    def _other(self) -> Told:
        sku = self._dice.choice(sorted(COUNTED))
        match self._dice.randrange(3):
            case 0:
                data: dict[str, Any] = {"sku": sku, "location": "main", "quantity": self._dice.randrange(50)}
                return Told(self._event("stock.counted", data), ())
            case 1:
                return Told(self._event("stock.snapshot", {"sku": sku, "on_hand": self._dice.randrange(50)}), ())
            case _:
                data = {
                    "sku": self._dice.choice(SKUS),
                    "name": f"Name {self._number}",
                    "reorder_point": self._dice.randrange(9),
                }
                return Told(self._event("product.updated", data), ())

    def poisoned(self) -> list[Told]:
        """A batch that cannot be recorded: a figure of its last event is too large."""
        lines = [{"sku": SKUS[0], "quantity": 10**12, "unit_price": 10**12}]
        huge = self._event("order.placed", {"order_id": "huge", "currency": "GBP", "lines": lines})
        return [self._stock(), Told(huge, ())]


def _effects(lines: list[tuple[str, str, int]], **signs: int) -> tuple[tuple[str, Key, int], ...]:
    return tuple(
        (name, (sku, location), sign * quantity) for sku, location, quantity in lines for name, sign in signs.items()
    )


class Sums(msgspec.Struct, frozen=True):
    """What the events must come to: quantities by name and key in thousandths, and each order's status."""

    quantities: dict[tuple[str, Key], int]
    statuses: dict[str, str]


def add_up(told: Iterable[Told]) -> Sums:
    """Sum up each event once, in the order given."""
    quantities: dict[tuple[str, Key], int] = defaultdict(int)
    statuses: dict[str, str] = {}
    for each in told:
        for name, key, quantity in each.effects:
            quantities[name, key] += quantity * QUANTITY_SCALE
        if each.status is not None:
            statuses[each.status[0]] = each.status[1]
    return Sums(dict(quantities), statuses)
