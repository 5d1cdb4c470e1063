"""Rules, notifications and a person's own over HTTP.

Everything that is changed here is an event, written by whoever asks: the fold decides what becomes of it, and the answer shows
the row that came of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from stockwire.core.errors import Conflict, Invalid, NotFound, TooLarge
from stockwire.core.events import Event
from stockwire.core.rows import (
    Against,
    Comparison,
    FeedName,
    GroupBy,
    Key,
    NotificationRow,
    PersonRow,
    Preferences,
    Reach,
    RuleKind,
    RuleRow,
    Severity,
)
from stockwire.core.rules import RULES_MOST
from stockwire.core.values import DAY, moment, moment_text
from stockwire.core.wire import encode, show_row
from stockwire.engine.access import Reader
from stockwire.engine.deeds import deed, defining, new_id, rule_in
from stockwire.engine.hub import Hub
from stockwire.engine.previewing import Fired, History, Present, preview
from stockwire.transport.http import notices_described as described
from stockwire.transport.http.access import Access
from stockwire.transport.http.asked import asked_for
from stockwire.transport.http.events import Ingest
from stockwire.transport.http.limits import NOTIFICATION_ID_LENGTH
from stockwire.transport.http.queries import asked_of, feed_page, json_answer
from stockwire.transport.http.reading import path_text, reached, refuse_unknown
from stockwire.transport.http.requests import asked_by
from stockwire.transport.http.sales import Calendar

SNOOZE_MOST: Final = 31 * DAY
_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Id = Annotated[str, Meta(min_length=1, max_length=NOTIFICATION_ID_LENGTH)]
_Number = int | Decimal | None
_Row = TypeVar("_Row")


class RuleForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule as somebody wants it."""

    kind: RuleKind
    name: _Name
    rule_id: _Name | None = None
    enabled: bool = True
    severity: Severity = "warning"
    scope: Reach = Reach()
    threshold: _Number = None
    clear: _Number = None
    metric: _Name | None = None
    period: _Name | None = None
    comparison: Comparison | None = None
    against: Against | None = None
    for_seconds: int = 0
    keep_seconds: int = 0
    cooldown_seconds: int = 0
    group_by: GroupBy = "none"
    channels: Any = "default"
    revises: Annotated[int, Meta(ge=0)] | None = None


class Until(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when something is put off."""

    until: str


class ReadForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody has read: all that fired up to a version, or those by these ids."""

    through: int | None = None
    ids: Annotated[tuple[_Id, ...], Meta(max_length=500)] = ()


class ViewForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a view that somebody keeps."""

    query: Annotated[str, Meta(max_length=4_096)]


class Desk(NamedTuple):
    """What these routes work with. What people do is timed by the shop's clock."""

    access: Access
    hub: Hub
    ingest: Ingest
    log: History
    calendar: Calendar
    allowed_minutes: Mapping[str, int]

    def clock(self) -> int:
        """The shop's clock."""
        return self.calendar.clock()

    def deed(self, type_: str, **data: Any) -> Event:
        """The event that says what somebody does. Raises Invalid."""
        return deed(type_, self.clock(), **data)

    async def write(self, event: Event) -> int:
        """Have it stored; gives the version. Raises as `Ingest.submit`."""
        return (await self.ingest.submit([event])).version

    def row(self, feed: FeedName, key: Key, kind: type[_Row]) -> _Row | None:
        """The row as it is now."""
        entry = self.hub.feeds[feed].entries.get(key)
        return entry.row if entry is not None and isinstance(entry.row, kind) else None

    def rule(self, rule_id: str) -> RuleRow:
        """Raises NotFound."""
        row = self.row("rules", (rule_id,), RuleRow)
        if row is None:
            raise NotFound("there is no rule by that id")
        return row

    def notification(self, notification_id: str) -> NotificationRow:
        """Raises NotFound."""
        row = self.row("notifications", (notification_id,), NotificationRow)
        if row is None:
            raise NotFound("there is no notification by that id")
        return row

    def person(self, name: str) -> PersonRow:
        return self.row("people", (name,), PersonRow) or PersonRow(version=0, person=name)

    def present(self) -> Present:
        """How the shop stands, for what looks at it from another thread."""
        feeds = self.hub.feeds
        return Present(
            stock=tuple(feeds["inventory"]),
            orders=tuple(feeds["orders"]),
            metrics=tuple(feeds["metrics"]),
            hours=tuple(feeds["hours"]),
            people=tuple(feeds["people"]),
            clock=self.clock(),
            wall=self.hub.now(),
            timezone=self.calendar.timezone,
            currency=self.calendar.currency,
            allowed_minutes=self.allowed_minutes,
            freshness=self.hub.freshness,
        )

    def defined(self, form: RuleForm, rule_id: str, by: str) -> Event:
        """The event that defines a rule. Raises Invalid."""
        wanted = msgspec.to_builtins(form, builtin_types=(Decimal,))
        metrics = (entry.row for entry in self.hub.feeds["metrics"])
        return defining(wanted, rule_id, by, self.clock(), metrics)


def notice_routes(
    access: Access, hub: Hub, ingest: Ingest, log: History, calendar: Calendar, allowed_minutes: Mapping[str, int]
) -> list[HTTPRouteHandler]:
    """The routes of `/api/v1/rules`, `/api/v1/notifications` and `/api/v1/me`. `allowed_minutes`: how long an order may be at
    each status."""
    desk = Desk(access, hub, ingest, log, calendar, allowed_minutes)
    return [*_rules(desk), *_notifications(desk), *_own(desk)]


# --- rules ----------------------------------------------------------------------------------------------------------


def _rules(desk: Desk) -> list[HTTPRouteHandler]:
    previewing = asyncio.Lock()

    def shown(version: int, rule: RuleRow, status: int = 200) -> Response[bytes]:
        return _answer({"version": version, "rule": show_row("rules", rule)}, status)

    async def define(form: RuleForm, rule_id: str, by: str, status: int = 200) -> Response[bytes]:
        version = await desk.write(desk.defined(form, rule_id, by))
        rule = desk.rule(rule_id)
        if rule.version < version:
            raise Conflict(f"`{rule_id}` was changed since its revision {form.revises}")
        return shown(version, rule, status)

    @get("/api/v1/rules", operation_id="list_rules", operation_class=described.listing("rules"))
    async def list_rules(request: Request[Any, Any, Any]) -> Response[bytes]:
        """List the rules."""
        return await feed_page(desk.hub, "rules", asked_of(request, desk.access.reader))

    @post("/api/v1/rules", status_code=201, operation_id="make_rule", operation_class=described.making_rule())
    async def make_rule(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Make a rule."""
        by = desk.access.manager(asked_by(request)).name
        form = await asked_for(request, RuleForm)
        rule_id = form.rule_id or new_id(form.kind)
        if desk.row("rules", (rule_id,), RuleRow) is not None:
            raise Invalid("there is a rule by that id; change it with PUT")
        if len(desk.hub.feeds["rules"]) >= RULES_MOST:
            raise TooLarge(f"a shop has at most {RULES_MOST:,} rules")
        return await define(form, rule_id, by, 201)

    @post("/api/v1/rules/preview", status_code=200, operation_id="preview_rule", operation_class=described.previewing())
    async def preview_rule(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Say how often a rule would have fired lately."""
        desk.access.reader(asked_by(request))
        form = await asked_for(request, RuleForm)
        rule = rule_in(desk.defined(form, form.rule_id or "preview", "preview"))
        async with previewing:  # a week is folded again for each, so who asks for many leaves room for others
            found = await asyncio.to_thread(preview, rule, desk.log, desk.present(), desk.calendar.day_of)
        return _answer(_preview(found))

    @get("/api/v1/rules/{rule_id:str}", operation_id="get_rule", operation_class=described.one_rule())
    async def get_rule(request: Request[Any, Any, Any], rule_id: FromPath[str]) -> Response[bytes]:
        """Show one rule."""
        asked = asked_of(request, desk.access.reader)
        refuse_unknown(asked.parameters, ())
        await reached(desk.hub, asked.awaited)
        return shown(desk.hub.version, desk.rule(path_text(rule_id)))

    @put("/api/v1/rules/{rule_id:str}", operation_id="change_rule", operation_class=described.changing_rule())
    async def change_rule(request: Request[Any, Any, Any], rule_id: FromPath[str]) -> Response[bytes]:
        """Put a rule in the place of another."""
        by = desk.access.manager(asked_by(request)).name
        name = path_text(rule_id)
        form = await asked_for(request, RuleForm)
        if form.revises not in (None, desk.rule(name).revision):
            raise Conflict(f"`{name}` was changed since its revision {form.revises}")
        if form.rule_id not in (None, name):
            raise Invalid("`rule_id` is another than the path's")
        return await define(form, name, by)

    @delete("/api/v1/rules/{rule_id:str}", status_code=200, operation_id="remove_rule",
            operation_class=described.removing_rule())  # fmt: skip
    async def remove_rule(request: Request[Any, Any, Any], rule_id: FromPath[str]) -> Response[bytes]:
        """Remove a rule."""
        by = desk.access.manager(asked_by(request)).name
        rule = desk.rule(path_text(rule_id))
        return _answer({"version": await desk.write(desk.deed("rule.removed", rule_id=rule.rule_id, by=by))})

    return [list_rules, make_rule, preview_rule, get_rule, change_rule, remove_rule]


def _preview(found: Fired) -> dict[str, Any]:
    return {
        "fired": found.fired,
        "since": moment_text(found.since),
        "complete": found.gap is None,
        "gap": found.gap,
        "per_day": [{"day": day, "count": count} for day, count in found.per_day],
        "examples": [
            {"at": moment_text(row.fired_at or row.began_at), **{name: getattr(row, name) for name in _EXAMPLE}}
            for row in found.examples
        ],
    }


_EXAMPLE: Final = ("subject", "name", "value", "threshold", "count")

# --- notifications --------------------------------------------------------------------------------------------------


def _notifications(desk: Desk) -> list[HTTPRouteHandler]:
    async def act(by: Reader, raw: str, type_: str, **more: Any) -> Response[bytes]:
        """Do something with a notification; with one that is over, nothing."""
        row = desk.notification(path_text(raw, most=NOTIFICATION_ID_LENGTH))
        version = desk.hub.version
        if row.state not in ("resolved", "pending"):
            version = await desk.write(desk.deed(type_, notification_id=row.notification_id, by=by.name, **more))
            row = desk.row("notifications", row.key, NotificationRow) or row
        return _answer({"version": version, "notification": show_row("notifications", row)})

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
        return _answer({"version": await desk.write(
            desk.deed("notification.read", person=person, through=form.through, ids=list(form.ids))
        )})  # fmt: skip

    return [list_notifications, acknowledge, snooze, resolve, read]


# --- a person's own -------------------------------------------------------------------------------------------------


def _own(desk: Desk) -> list[HTTPRouteHandler]:
    def shown(name: str, version: int) -> Response[bytes]:
        return _answer({**show_row("people", desk.person(name)), "version": version})

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


def _answer(value: dict[str, Any], status: int = 200) -> Response[bytes]:
    answer = json_answer(encode(value))
    answer.status_code = status
    return answer
