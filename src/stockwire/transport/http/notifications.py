"""Notifications over HTTP: listed, acknowledged, put off, resolved and read."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from stockwire.core.errors import Invalid
from stockwire.core.rows import NotificationRow
from stockwire.core.values import DAY, moment
from stockwire.core.wire import show_row
from stockwire.engine.access import Reader
from stockwire.transport.http import notices_described as described
from stockwire.transport.http.asked import asked_for
from stockwire.transport.http.desk import Desk, answered
from stockwire.transport.http.limits import NOTIFICATION_ID_LENGTH
from stockwire.transport.http.queries import asked_of, feed_page
from stockwire.transport.http.reading import path_text
from stockwire.transport.http.requests import asked_by

SNOOZE_MOST: Final = 31 * DAY
_Id = Annotated[str, Meta(min_length=1, max_length=NOTIFICATION_ID_LENGTH)]


class Until(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when something is put off."""

    until: str


class ReadForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody has read: all that fired up to a version, or those by these ids."""

    through: int | None = None
    ids: Annotated[tuple[_Id, ...], Meta(max_length=500)] = ()


def notification_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """The routes of `/api/v1/notifications`."""

    async def act(by: Reader, raw: str, type_: str, **more: Any) -> Response[bytes]:
        """Do something with a notification; with one that is over, nothing."""
        row = desk.notification(path_text(raw, most=NOTIFICATION_ID_LENGTH))
        version = desk.hub.version
        if row.state not in ("resolved", "pending"):
            version = await desk.write(desk.deed(type_, notification_id=row.notification_id, by=by.name, **more))
            row = desk.row("notifications", row.key, NotificationRow) or row
        return answered({"version": version, "notification": show_row("notifications", row)})

    @get("/api/v1/notifications", operation_id="list_notifications", operation_class=described.listing("notifications"))
    async def list_notifications(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List the notifications that are not over, and those that ended last."""
        return await feed_page(desk.hub, "notifications", asked_of(request, desk.access.reader))

    @post("/api/v1/notifications/{notification_id:str}/acknowledge", status_code=200,
          operation_id="acknowledge_notification", operation_class=described.acting())  # fmt: skip
    async def acknowledge(request: Request[Any, Any, Any], notification_id: FromPath[str]) -> Response[bytes]:
        """Say that one sees to it."""
        return await act(desk.access.manager(asked_by(request)), notification_id, "notification.acknowledged")

    @post("/api/v1/notifications/{notification_id:str}/snooze", status_code=200,
          operation_id="snooze_notification", operation_class=described.snoozing())  # fmt: skip
    async def snooze(request: Request[Any, Any, Any], notification_id: FromPath[str]) -> Response[bytes]:
        """Put it off."""
        by = desk.access.manager(asked_by(request))
        until = (await asked_for(request, Until)).until
        try:
            ahead = moment(until) - desk.clock()
        except ValueError as error:
            raise Invalid(f"`until`: {error}") from None
        if not 0 < ahead <= SNOOZE_MOST:
            raise Invalid("`until` must be within the next 31 days of the shop's clock")
        return await act(by, notification_id, "notification.snoozed", until=until)

    @post("/api/v1/notifications/{notification_id:str}/resolve", status_code=200,
          operation_id="resolve_notification", operation_class=described.acting())  # fmt: skip
    async def resolve(request: Request[Any, Any, Any], notification_id: FromPath[str]) -> Response[bytes]:
        """Say that it is over."""
        return await act(desk.access.manager(asked_by(request)), notification_id, "notification.resolved")

    @post("/api/v1/notifications/read", status_code=200, operation_id="read_notifications",
          operation_class=described.having_read())  # fmt: skip
    async def read(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Say what one has read."""
        person = desk.access.manager(asked_by(request)).name
        form = await asked_for(request, ReadForm)
        if form.through is None and not form.ids:
            raise Invalid("say what was read: `through` a version, or `ids`")
        if form.through is not None and not 0 <= form.through <= desk.hub.version:
            raise Invalid("`through` must be a version of the log")
        return answered({"version": await desk.write(
            desk.deed("notification.read", person=person, through=form.through, ids=list(form.ids))
        )})  # fmt: skip

    return [list_notifications, acknowledge, snooze, resolve, read]
