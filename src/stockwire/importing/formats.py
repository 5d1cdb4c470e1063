"""The formats by name: what each reads, which options it takes, and how to make it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from stockwire.core.errors import Invalid
from stockwire.importing.events import Events
from stockwire.importing.inventory import Inventory
from stockwire.importing.olist import Olist
from stockwire.importing.online_retail import OnlineRetail
from stockwire.importing.orders import Orders
from stockwire.importing.rows import Format, Input


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said about a file beside its format. `zone` and `currency` are the shop's."""

    source: str | None = None
    time: str | None = None
    opening_stock: Input | None = None
    items: Input | None = None
    orders: Input | None = None
    zone: str = "UTC"
    currency: str = "EUR"


class Choice(msgspec.Struct, frozen=True):
    """One format: what it reads, its default source, the options only some formats take, and its maker."""

    reads: str
    source: str
    takes: frozenset[str]
    make: Callable[[str, Options], Format]


FORMATS: Final[Mapping[str, Choice]] = {
    "events": Choice(
        "one JSON event per line, as POST /api/v1/events takes them",
        "import",
        frozenset(),
        lambda source, _: Events(source=source),
    ),
    "inventory": Choice(
        "a CSV row per SKU and location: sku, location, on_hand, name, reorder_point, unit_cost ...",
        "inventory",
        frozenset({"time"}),
        lambda source, given: Inventory(source=source, time=given.time, zone=given.zone),
    ),
    "orders": Choice(
        "a CSV row per order line: order_id, time, sku, quantity, unit_price ...",
        "orders",
        frozenset(),
        lambda source, given: Orders(source=source, money=given.currency, zone=given.zone),
    ),
    "online-retail": Choice(
        "invoice lines of the Online Retail II data set",
        "online-retail",
        frozenset({"opening_stock"}),
        lambda source, given: OnlineRetail(source=source, opening_stock=given.opening_stock),
    ),
    "olist": Choice(
        "status events of the Olist data set, with its items and orders beside them",
        "olist",
        frozenset({"items", "orders"}),
        lambda source, given: Olist(source=source, items=given.items, orders=given.orders),
    ),
}


def make_format(name: str, options: Options) -> Format:
    """The format of that name with these options. Raises Invalid for an unknown name or an option it does not take."""
    choice = FORMATS.get(name)
    if choice is None:
        near = difflib.get_close_matches(name, FORMATS, 1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(FORMATS)}"
        raise Invalid(f"unknown format `{name}`{hint}")
    for option in ("time", "opening_stock", "items", "orders"):
        if getattr(options, option) is not None and option not in choice.takes:
            raise Invalid(f"--{option.replace('_', '-')} says nothing to the format `{name}`")
    return choice.make(options.source or choice.source, options)
