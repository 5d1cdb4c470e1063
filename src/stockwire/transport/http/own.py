"""A person's own over HTTP: how they want to be told, what they watch, and the views they keep."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, delete, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from stockwire.core.errors import Invalid
from stockwire.core.rows import Preferences
from stockwire.core.wire import show_row
from stockwire.engine.access import Reader
from stockwire.transport.http import notices_described as described
from stockwire.transport.http.asked import asked_for
from stockwire.transport.http.desk import Desk, answered
from stockwire.transport.http.queries import asked_of
from stockwire.transport.http.reading import path_text, reached, refuse_unknown
from stockwire.transport.http.requests import asked_by


class ViewForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a view that somebody keeps."""

    query: Annotated[str, Meta(max_length=4_096)]


def own_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """The routes of `/api/v1/me`."""

    def shown(name: str, version: int) -> Response[bytes]:
        return answered({**show_row("people", desk.person(name)), "version": version})

    async def did(who: Reader, type_: str, **data: Any) -> Response[bytes]:
        return shown(who.name, await desk.write(desk.deed(type_, person=who.name, **data)))

    @get("/api/v1/me/preferences", operation_id="get_preferences", operation_class=described.own())
    async def get_preferences(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Show what one wants, watches and keeps."""
        asked = asked_of(request, desk.access.reader)
        refuse_unknown(asked.parameters, ())
        await reached(desk.hub, asked.awaited)
        return shown(asked.rights.person, desk.hub.version)

    @put("/api/v1/me/preferences", operation_id="put_preferences", operation_class=described.preferring())
    async def put_preferences(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Say how one wants to be told."""
        who = desk.access.manager(asked_by(request))
        wanted = await asked_for(request, Preferences)
        check_preferences(wanted)
        return await did(who, "person.preferred", preferences=msgspec.to_builtins(wanted))

    @put("/api/v1/me/watched/{order_id:str}", operation_id="watch_order", operation_class=described.watching())
    async def watch_order(request: Request[Any, Any, Any], order_id: FromPath[str]) -> Response[bytes]:
        """Watch an order."""
        return await did(desk.access.manager(asked_by(request)), "order.watched", order_id=path_text(order_id))

    @delete("/api/v1/me/watched/{order_id:str}", status_code=200, operation_id="unwatch_order",
            operation_class=described.watching())  # fmt: skip
    async def unwatch_order(request: Request[Any, Any, Any], order_id: FromPath[str]) -> Response[bytes]:
        """Watch an order no more."""
        return await did(desk.access.manager(asked_by(request)), "order.unwatched", order_id=path_text(order_id))

    @put("/api/v1/me/views/{screen:str}/{name:str}", operation_id="keep_view", operation_class=described.keeping_view())
    async def keep_view(request: Request[Any, Any, Any], screen: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        """Keep a view of a screen by a name."""
        who = desk.access.manager(asked_by(request))
        query = (await asked_for(request, ViewForm)).query
        return await did(who, "view.kept", screen=path_text(screen), name=path_text(name), query=query)

    @delete("/api/v1/me/views/{screen:str}/{name:str}", status_code=200, operation_id="drop_view",
            operation_class=described.dropping_view())  # fmt: skip
    async def drop_view(request: Request[Any, Any, Any], screen: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        """Keep a view no more."""
        return await did(
            desk.access.manager(asked_by(request)), "view.kept", screen=path_text(screen), name=path_text(name)
        )

    return [get_preferences, put_preferences, watch_order, unwatch_order, keep_view, drop_view]


def check_preferences(wanted: Preferences) -> None:
    """Raises Invalid when quiet hours are no hours, or nowhere."""
    if wanted.quiet is None:
        return
    for name, text in (("from", wanted.quiet.from_), ("to", wanted.quiet.to)):
        hour, colon, minute = text.partition(":")
        digits = len(text) == 5 and colon and (hour + minute).isascii() and (hour + minute).isdigit()
        if not digits or int(hour) > 23 or int(minute) > 59:
            raise Invalid(f"`quiet.{name}` is a time of the day such as 22:00")
    try:
        ZoneInfo(wanted.quiet.timezone)
    except (OSError, ValueError, KeyError):
        raise Invalid("`quiet.timezone` is no time zone; Europe/Berlin is one") from None
