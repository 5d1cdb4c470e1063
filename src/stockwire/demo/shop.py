"""The simulated shop: a seed and a moment give every event up to that moment.

`Shop(seed, start, zone).advance(to)` is a discrete-event simulation: a heap of what happens next, each step of which
writes events and plans further steps. Rule: chance is drawn only while a step runs, in the order of time, so the
events are the same however the time between is cut into calls. That is what lets a restarted demo go on in the same
history.

The shop keeps its own books (what is on hand and committed where) because people in a shop act on what they see: they
order more when it runs low, and mostly do not sell what is not there. Rejected: events drawn independently, which
soon sell more than ever came in.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from stockwire.core.values import DAY, HOUR, MINUTE, SECOND, moment_datetime, moment_text
from stockwire.demo import SOURCE
from stockwire.demo.catalogue import LOCATIONS, SHOPS, WAREHOUSE, Product, customer, products

Envelope = dict[str, Any]
GENERATION: Final = 1
"""Raise it when the simulation changes, so that a kept directory of an older one is made anew."""

ORDERS_A_DAY: Final = 900
LINES_AN_ORDER: Final = 2.2
CURRENCY: Final = "GBP"

_HOURS: Final = (
    0.25, 0.15, 0.10, 0.08, 0.08, 0.12, 0.25, 0.50, 0.85, 1.05, 1.20, 1.45,
    1.85, 1.70, 1.25, 1.15, 1.20, 1.45, 1.80, 2.10, 2.05, 1.60, 1.00, 0.50,
)  # fmt: skip
"""How busy each local hour is: lunch and evening."""
_WEEKDAYS: Final = (1.0, 0.95, 0.95, 1.0, 1.1, 1.2, 0.85)
_BUSIEST: Final = max(_HOURS) * max(_WEEKDAYS) * 1.15
_OPEN: Final = range(9, 20)
"""Local hours in which the shops are open."""
_SHIFT: Final = (5, 23)
"""Local hours between which the warehouse works."""

_HOLDS: Final = ("address check", "payment review", "customer asked to wait", "gift message unclear")


class Stock:
    """The shop's own books for one product at one location, in whole units."""

    __slots__ = ("committed", "damaged", "incoming", "on_hand", "reorder_point", "reorder_quantity")

    def __init__(self, on_hand: int, reorder_point: int, reorder_quantity: int) -> None:
        self.on_hand = on_hand
        self.committed = 0
        self.damaged = 0
        self.incoming = 0
        self.reorder_point = reorder_point
        self.reorder_quantity = reorder_quantity

    @property
    def available(self) -> int:
        return self.on_hand - self.committed - self.damaged


class Line(NamedTuple):
    """What an order is of."""

    product: Product
    quantity: int


class Order(NamedTuple):
    """An order on its way."""

    order_id: str
    lines: tuple[Line, ...]
    slow: float


class Shop:
    """The simulation. `start` (a moment) is when its history begins; `advance` never goes back."""

    def __init__(self, seed: int, start: int, zone: str = "Europe/London") -> None:
        self.zone = ZoneInfo(zone)
        self.products = products(seed)
        self._seed = seed
        self._start = start
        self._chance = Random(f"shop/{seed}")
        self._weights = _cumulative([product.demand for product in self.products])
        self._plan: list[tuple[int, int, Callable[[int], Iterator[Envelope]]]] = []
        self._planned = 0
        self._events = 0
        self._orders = 0
        self.stock: dict[tuple[str, str], Stock] = {}
        self._later(start, self._open_shop)

    @property
    def next_at(self) -> int:
        """When something happens next (a moment)."""
        return self._plan[0][0]

    def advance(self, to: int) -> Iterator[Envelope]:
        """The events after the last call up to and with the moment `to`, in order of time."""
        while self._plan[0][0] <= to:
            at, _, step = heapq.heappop(self._plan)
            yield from step(at)

    # Beginning

    def _open_shop(self, at: int) -> Iterator[Envelope]:
        for location, name in LOCATIONS.items():
            yield self._event(at, "location.updated", {"location": location, "name": name})
        lines_a_day = ORDERS_A_DAY * LINES_AN_ORDER
        for product in self.products:
            yield self._event(
                at,
                "product.updated",
                {"sku": product.sku, "name": product.name, "unit_cost": _pounds(product.cost), "currency": CURRENCY},
            )
            for location in LOCATIONS:
                share = 1.0 if location == WAREHOUSE else 0.2
                days = product.supply_days if location == WAREHOUSE else 1.2
                stock = Stock(
                    product.stock_for(share * (days + self._chance.uniform(2.0, 9.0)), lines_a_day),
                    product.stock_for(share * min(days, 3.0) * 1.3, lines_a_day),
                    product.stock_for(share * 8.0, lines_a_day),
                )
                self.stock[product.sku, location] = stock
                place = {"sku": product.sku, "location": location}
                yield self._event(at, "stock.snapshot", place | {"on_hand": stock.on_hand})
                levels = {"reorder_point": stock.reorder_point, "reorder_quantity": stock.reorder_quantity}
                yield self._event(at, "product.updated", place | levels)
        self._later(at + self._until_next_order(), self._take_order)
        self._later(at + 2 * HOUR, self._look_around)
        self._later(at + 30 * MINUTE, self._count)

    # Selling

    def _until_next_order(self) -> int:
        """To the next candidate; `_take_order` keeps as many of them as the hour deserves."""
        return int(self._chance.expovariate(ORDERS_A_DAY * _BUSIEST / DAY)) + 1

    def _take_order(self, at: int) -> Iterator[Envelope]:
        self._later(at + self._until_next_order(), self._take_order)
        local = moment_datetime(at).astimezone(self.zone)
        busy = _HOURS[local.hour] * _WEEKDAYS[local.weekday()] * _mood(self._seed, local.date())
        if self._chance.random() * _BUSIEST > busy:
            return
        if self._chance.random() < 0.42 and local.hour in _OPEN:
            yield from self._sell_over_the_counter(at, self._chance.choice(SHOPS))
        else:
            yield from self._sell_online(at)

    def _sell_over_the_counter(self, at: int, location: str) -> Iterator[Envelope]:
        lines = tuple(line for line in self._basket(location) if self._there(line, location))
        if not lines:
            return
        data = self._order_data(lines, location) | {"status": "completed", "payment_status": "paid", "channel": "shop"}
        for line in lines:
            self.stock[line.product.sku, location].on_hand -= line.quantity
        yield self._event(at, "order.placed", data)
        for line in lines:
            yield from self._replenish(at, line.product, location)

    def _sell_online(self, at: int) -> Iterator[Envelope]:
        # Now and then two people buy the last one: that is how a shop oversells.
        careless = self._chance.random() < 0.03
        lines = tuple(line for line in self._basket(WAREHOUSE) if careless or self._there(line, WAREHOUSE))
        if not lines:
            return
        for line in lines:
            self.stock[line.product.sku, WAREHOUSE].committed += line.quantity
        data = self._order_data(lines, WAREHOUSE)
        worth = sum(line.quantity * line.product.price for line in lines)
        paid = self._chance.random() < 0.93
        data |= {
            "channel": "web",
            "payment_status": "paid" if paid else "pending",
            "customer": customer(self._chance),
            "shipping": "0" if worth > 4_000 else "3.95",
            "promised_at": moment_text(_second(at + 2 * DAY + 12 * HOUR)),
        }
        if self._chance.random() < 0.08:
            data["discount"] = _pounds(worth // 10)
        yield self._event(at, "order.placed", data)
        order = Order(data["order_id"], lines, 5.0 if self._chance.random() < 0.02 else 1.0)
        self._follow(at, order, paid)
        for line in lines:
            yield from self._replenish(at, line.product, WAREHOUSE)

    def _follow(self, at: int, order: Order, paid: bool) -> None:
        """What becomes of an online order first."""
        fate = self._chance.random()
        if not paid:
            after = at + self._minutes(3, 90)
            if fate < 0.35:
                self._later(after + 2 * HOUR, lambda then: self._cancel(then, order, "payment did not arrive"))
                return
            self._later(after, lambda then: self._pay(then, order))
            at = after
        elif fate < 0.025:
            self._later(
                at + self._minutes(4, 40), lambda then: self._cancel(then, order, "customer changed their mind")
            )
            return
        elif fate < 0.06:
            self._later(at + self._minutes(1, 8), lambda then: self._hold(then, order))
            return
        self._later(at + self._minutes(1, 12), lambda then: self._allocate(then, order))

    def _pay(self, at: int, order: Order) -> Iterator[Envelope]:
        yield self._event(at, "order.payment_changed", {"order_id": order.order_id, "payment_status": "paid"})

    def _hold(self, at: int, order: Order) -> Iterator[Envelope]:
        yield self._event(at, "order.held", {"order_id": order.order_id, "reason": self._chance.choice(_HOLDS)})
        self._later(self._in_shift(at + self._minutes(30, 900)), lambda then: self._release(then, order))

    def _release(self, at: int, order: Order) -> Iterator[Envelope]:
        yield self._event(at, "order.released", {"order_id": order.order_id})
        self._later(at + self._minutes(1, 10), lambda then: self._allocate(then, order))

    def _cancel(self, at: int, order: Order, reason: str) -> Iterator[Envelope]:
        for line in order.lines:
            self.stock[line.product.sku, WAREHOUSE].committed -= line.quantity
        yield self._moved(at, order, "cancelled", reason=reason)

    # Fulfilling

    def _allocate(self, at: int, order: Order) -> Iterator[Envelope]:
        yield self._moved(at, order, "allocated")
        after = at + int(self._minutes(15, 150) * order.slow)
        self._later(self._in_shift(after), lambda then: self._pick(then, order))

    def _pick(self, at: int, order: Order) -> Iterator[Envelope]:
        if any(self.stock[line.product.sku, WAREHOUSE].on_hand < line.quantity for line in order.lines):
            # Not on the shelf: looked for again later, which is how orders come to be late.
            self._later(self._in_shift(at + self._minutes(120, 360)), lambda then: self._pick(then, order))
            return
        yield self._moved(at, order, "picking")
        self._later(at + int(self._minutes(8, 45) * order.slow), lambda then: self._pack(then, order))

    def _pack(self, at: int, order: Order) -> Iterator[Envelope]:
        yield self._moved(at, order, "packed")
        self._later(self._in_shift(at + self._minutes(20, 200)), lambda then: self._ship(then, order))

    def _ship(self, at: int, order: Order) -> Iterator[Envelope]:
        for line in order.lines:
            stock = self.stock[line.product.sku, WAREHOUSE]
            stock.on_hand -= line.quantity
            stock.committed -= line.quantity
        yield self._moved(at, order, "shipped")
        hours = self._chance.uniform(18, 44) * (3.0 if self._chance.random() < 0.02 else 1.0)
        self._later(at + int(hours * HOUR), lambda then: self._deliver(then, order))

    def _deliver(self, at: int, order: Order) -> Iterator[Envelope]:
        yield self._moved(at, order, "delivered")
        if self._chance.random() < 0.05:
            self._later(at + self._minutes(600, 2_400), lambda then: self._take_back(then, order))
        else:
            self._later(at + self._minutes(360, 900), lambda then: self._complete(then, order))

    def _complete(self, at: int, order: Order) -> Iterator[Envelope]:
        yield self._moved(at, order, "completed")

    def _take_back(self, at: int, order: Order) -> Iterator[Envelope]:
        """Everything comes back: the order ends, the money is credited, most goods go on the shelf again."""
        yield self._moved(at, order, "returned", reason="returned by the customer")
        lines = []
        for line in order.lines:
            fit = self._chance.random() < 0.85
            if fit:
                self.stock[line.product.sku, WAREHOUSE].on_hand += line.quantity
            lines.append(_line(line) | {"location": WAREHOUSE, "restock": fit})
        yield self._event(
            at,
            "order.credited",
            {
                "document": f"R{order.order_id}",
                "order_id": order.order_id,
                "currency": CURRENCY,
                "reason": "return",
                "lines": lines,
            },
        )

    # Keeping stock

    def _replenish(self, at: int, product: Product, location: str) -> Iterator[Envelope]:
        """Order more when it runs low: the warehouse from the supplier, a shop from the warehouse."""
        stock = self.stock[product.sku, location]
        if stock.available > stock.reorder_point or stock.incoming > 0:
            return
        quantity = stock.reorder_quantity
        stock.incoming += quantity
        place = {"sku": product.sku, "location": location}
        if location == WAREHOUSE:
            self._orders += 1
            document = f"PO-{self._orders:06d}"
            yield self._event(at, "stock.incoming_changed", place | {"quantity": quantity, "document": document})
            days = product.supply_days * self._chance.uniform(0.7, 1.5)
            arrival = self._in_shift(at + int(days * DAY))
            self._later(arrival, lambda then: self._receive(then, product, quantity, document))
        else:
            self._later(self._in_shift(at + self._minutes(60, 600)), lambda then: self._refill(then, product, location))

    def _receive(self, at: int, product: Product, quantity: int, document: str) -> Iterator[Envelope]:
        stock = self.stock[product.sku, WAREHOUSE]
        stock.incoming -= quantity
        stock.on_hand += quantity
        data = {"sku": product.sku, "location": WAREHOUSE, "quantity": quantity, "document": document}
        yield self._event(at, "stock.received", data | {"from_incoming": True, "unit_cost": _pounds(product.cost)})

    def _refill(self, at: int, product: Product, location: str) -> Iterator[Envelope]:
        shelf, store = self.stock[product.sku, location], self.stock[product.sku, WAREHOUSE]
        shelf.incoming = 0
        quantity = min(shelf.reorder_quantity, max(0, store.available))
        if quantity == 0:
            return
        store.on_hand -= quantity
        shelf.on_hand += quantity
        data = {"sku": product.sku, "from": WAREHOUSE, "to": location, "quantity": quantity}
        yield self._event(at, "stock.transferred", data)
        yield from self._replenish(at, product, WAREHOUSE)

    def _look_around(self, at: int) -> Iterator[Envelope]:
        """Every few hours somebody finds something broken, or throws out what was."""
        self._later(at + self._minutes(60, 300), self._look_around)
        product = self._chance.choice(self.products)
        location = self._chance.choice((WAREHOUSE, *SHOPS))
        stock = self.stock[product.sku, location]
        place = {"sku": product.sku, "location": location}
        if stock.damaged > 0:
            quantity, stock.damaged = stock.damaged, 0
            stock.on_hand -= quantity
            back = {"from": "damaged", "to": "available", "quantity": quantity, "note": "written off"}
            yield self._event(at, "stock.state_moved", place | back)
            yield self._event(at, "stock.adjusted", place | {"quantity": -quantity, "reason": "damaged"})
        elif stock.available > 3:
            quantity = self._chance.randint(1, 2)
            stock.damaged += quantity
            move = {"from": "available", "to": "damaged", "quantity": quantity, "note": "found broken"}
            yield self._event(at, "stock.state_moved", place | move)

    def _count(self, at: int) -> Iterator[Envelope]:
        """A few shelves are counted at a time; now and then a unit is missing or turns up."""
        self._later(at + self._minutes(90, 240), self._count)
        location = self._chance.choice((WAREHOUSE, *SHOPS))
        for product in self._chance.sample(self.products, 3):
            stock = self.stock[product.sku, location]
            if self._chance.random() < 0.15:
                stock.on_hand = max(stock.damaged, stock.on_hand + self._chance.choice((-2, -1, -1, 1)))
            data = {"sku": product.sku, "location": location, "quantity": max(0, stock.on_hand)}
            stock.on_hand = max(0, stock.on_hand)
            yield self._event(at, "stock.counted", data)
            yield from self._replenish(at, product, location)

    # Pieces

    def _basket(self, location: str) -> tuple[Line, ...]:
        """What somebody would like: one to six lines."""
        size = 1 + min(5, int(self._chance.expovariate(1 / (LINES_AN_ORDER - 0.6))))
        picked = dict.fromkeys(self._chance.choices(self.products, cum_weights=self._weights, k=size))
        return tuple(Line(product, self._chance.choice((1, 1, 1, 1, 2, 2, 3))) for product in picked)

    def _there(self, line: Line, location: str) -> bool:
        return self.stock[line.product.sku, location].available >= line.quantity

    def _order_data(self, lines: tuple[Line, ...], location: str) -> dict[str, Any]:
        self._orders += 1
        return {
            "order_id": f"{100_000 + self._orders}",
            "currency": CURRENCY,
            "location": location,
            "lines": [_line(line) for line in lines],
        }

    def _moved(self, at: int, order: Order, status: str, **more: str) -> Envelope:
        return self._event(at, "order.status_changed", {"order_id": order.order_id, "status": status, **more})

    def _minutes(self, least: float, most: float) -> int:
        """A stretch of time, more often short than long."""
        return int((least + (most - least) * self._chance.random() ** 2) * MINUTE)

    def _in_shift(self, at: int) -> int:
        """The moment itself, or when the warehouse next works."""
        local = moment_datetime(at).astimezone(self.zone)
        first, last = _SHIFT
        if first <= local.hour < last:
            return at
        hours = (first - local.hour) % 24
        return at + hours * HOUR - local.minute * MINUTE + self._minutes(0, 60)

    def _later(self, at: int, step: Callable[[int], Iterator[Envelope]]) -> None:
        self._planned += 1
        heapq.heappush(self._plan, (_second(at), self._planned, step))

    def _event(self, at: int, type_: str, data: dict[str, Any]) -> Envelope:
        self._events += 1
        return {
            "specversion": "1.0",
            "source": SOURCE,
            "id": f"{self._events:08d}",
            "type": type_,
            "time": moment_text(at),
            "data": data,
        }


def _line(line: Line) -> dict[str, Any]:
    product = line.product
    return {"sku": product.sku, "name": product.name, "quantity": line.quantity, "unit_price": _pounds(product.price)}


def _pounds(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}"


def _second(at: int) -> int:
    return at - at % SECOND


def _cumulative(weights: list[float]) -> list[float]:
    total, sums = 0.0, []
    for weight in weights:
        total = math.fsum((total, weight))
        sums.append(total)
    return sums


@lru_cache(maxsize=64)
def _mood(seed: int, day: date) -> float:
    """Some days are just better than others."""
    return Random(f"{seed}/{day}").uniform(0.85, 1.15)
