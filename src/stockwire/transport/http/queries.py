"""Queries: the feeds' rows by page, and one order or stock row with its history.

What a feed shows comes from memory, as the streams show it; orders, closed ones included, and histories come from the
log. Each answer carries the version it holds at least, and rows are the same JSON as on the streams (spec/rows.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from stockwire.core.errors import NotFound
from stockwire.core.movements import movement_name, parse_movement
from stockwire.core.rights import Rights
from stockwire.core.rows import FeedName, Movement, OrderRow, TimelineEntry
from stockwire.core.views import View
from stockwire.core.wire import encode, encode_row, show_line, show_movement, show_row, show_timeline
from stockwire.engine.access import Headers, Reader
from stockwire.engine.hub import Hub
from stockwire.transport.http.describing import MOVEMENTS, listing, movements, one_order
from stockwire.transport.http.limits import PAGE_ROWS
from stockwire.transport.http.reading import (
    Awaited,
    Parameters,
    Reading,
    page_after,
    page_of,
    parse_parameters,
    parse_reading,
    path_text,
    reached,
    refuse_unknown,
    take_awaited,
    whole_number,
)
from stockwire.transport.http.requests import asked_by

_OFF_LOOP_ROWS: Final = 2_000

Authorise = Callable[[Headers], Reader]


class History(Protocol):
    """What the log answers readers from any thread."""

    def order(self, order_id: str) -> OrderRow | None: ...

    def orders(self, view: View, limit: int, after: tuple[Any, ...] | None = None) -> Sequence[OrderRow]: ...

    def timeline(self, order_id: str) -> Sequence[TimelineEntry]: ...

    def movements(
        self, sku: str, location: str, limit: int, before: tuple[int, int] | None = None
    ) -> Sequence[Movement]: ...


class Asked(NamedTuple):
    """Whose rights a read has, its parameters but for those of waiting, and what it waits for.

    Look at the parameters before waiting: what is wrong is said at once.
    """

    rights: Rights
    parameters: Parameters
    awaited: Awaited


def asked_of(request: Request[Any, Any, Any], authorise: Authorise) -> Asked:
    """What a read asks for."""
    reader = authorise(asked_by(request))
    awaited, parameters = take_awaited(parse_parameters(request.scope["query_string"]))
    return Asked(reader.rights, parameters, awaited)


def json_answer(body: bytes) -> Response[bytes]:
    """An answer that nobody keeps."""
    return Response(body, media_type="application/json", headers={"cache-control": "no-store", "vary": "Cookie"})


async def feed_page(hub: Hub, feed: FeedName, asked: Asked) -> Response[bytes]:
    """One page of a feed as it is now, or at the version that is waited for."""
    reading = parse_reading(feed, asked.parameters, asked.rights)
    await reached(hub, asked.awaited)
    version, entries = hub.version, list(hub.feeds[feed].entries.values())
    if len(entries) > _OFF_LOOP_ROWS:
        page, more = await asyncio.to_thread(page_of, reading, entries)
    else:
        page, more = page_of(reading, entries)
    following = page_after(reading.view, page[-1].row) if more else None
    return _page([entry.json_once() for entry in page], following, version)


def _page(rows: Sequence[bytes], following: str | None, version: int) -> Response[bytes]:
    head = b'{"version":%d,"next":%s,"rows":[' % (version, encode(following))
    return json_answer(b"".join((head, b",".join(rows), b"]}")))


def _orders_page(log: History, reading: Reading) -> tuple[list[bytes], str | None]:
    found = log.orders(reading.view, reading.limit + 1, reading.after)
    page = found[: reading.limit]
    following = page_after(reading.view, page[-1]) if len(found) > reading.limit else None
    return [encode_row("orders", row) for row in page], following


def _order_page(log: History, order_id: str) -> dict[str, Any]:
    row = log.order(order_id)
    if row is None:
        raise NotFound("there is no order by that id")
    return {
        "order": show_row("orders", row),
        "lines": [show_line(line) for line in row.lines],
        "timeline": [show_timeline(entry) for entry in log.timeline(order_id)],
    }


def query_routes(authorise: Authorise, hub: Hub, log: History) -> list[HTTPRouteHandler]:
    """The GET routes of inventory, orders, hours and sources."""

    @get("/api/v1/inventory", operation_id="list_inventory", operation_class=listing("inventory"))
    async def list_inventory(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List stock by SKU and location."""
        return await feed_page(hub, "inventory", asked_of(request, authorise))

    @get("/api/v1/hours", operation_id="list_hours", operation_class=listing("hours"))
    async def list_hours(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List the newest 62 days by the hour."""
        return await feed_page(hub, "hours", asked_of(request, authorise))

    @get("/api/v1/sources", operation_id="list_sources", operation_class=listing("sources"))
    async def list_sources(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List where events come from."""
        return await feed_page(hub, "sources", asked_of(request, authorise))

    @get("/api/v1/orders", operation_id="list_orders", operation_class=listing("orders"))
    async def list_orders(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List orders, closed ones included."""
        asked = asked_of(request, authorise)
        reading = parse_reading("orders", asked.parameters, asked.rights)
        await reached(hub, asked.awaited)
        version = hub.version
        rows, following = await asyncio.to_thread(_orders_page, log, reading)
        return _page(rows, following, version)

    @get("/api/v1/orders/{order_id:str}", operation_id="get_order", operation_class=one_order())
    async def get_order(request: Request[Any, Any, Any], order_id: FromPath[str]) -> Response[bytes]:
        """Show one order with its lines and timeline."""
        asked = asked_of(request, authorise)
        refuse_unknown(asked.parameters, ())
        name = path_text(order_id)
        await reached(hub, asked.awaited)
        version = hub.version
        if not asked.rights.allow("orders", (name,)):
            raise NotFound("there is no order by that id")
        shown = await asyncio.to_thread(_order_page, log, name)
        return json_answer(encode({**shown, "version": version}))

    @get(
        "/api/v1/inventory/{sku:str}/{location:str}/movements",
        operation_id="list_movements",
        operation_class=movements(),
    )
    async def list_movements(
        request: Request[Any, Any, Any], sku: FromPath[str], location: FromPath[str]
    ) -> Response[bytes]:
        """List what changed one SKU's stock at one location, newest first."""
        asked = asked_of(request, authorise)
        refuse_unknown(asked.parameters, ("limit", "before"))
        named = dict(asked.parameters)
        limit = whole_number("limit", named.get("limit"), 1, PAGE_ROWS, default=MOVEMENTS)
        before = parse_movement(named["before"]) if "before" in named else None
        key = (path_text(sku), path_text(location))
        await reached(hub, asked.awaited)
        version = hub.version
        known = asked.rights.allow("inventory", key) and key in hub.feeds["inventory"].entries
        if not known:
            raise NotFound("there is no stock of that SKU at that location")
        found = await asyncio.to_thread(log.movements, *key, limit + 1, before)
        page = found[:limit]
        following = movement_name(page[-1]) if len(found) > limit else None
        rows = [show_movement(movement) for movement in page]
        return json_answer(encode({"version": version, "next": following, "rows": rows}))

    return [list_inventory, list_hours, list_sources, list_orders, get_order, list_movements]
