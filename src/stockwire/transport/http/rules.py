"""Rules over HTTP: made, changed, removed, and tried on the past first."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from stockwire.core.errors import Conflict, Invalid, TooLarge
from stockwire.core.events import Event
from stockwire.core.rows import Against, Comparison, GroupBy, Reach, RuleKind, RuleRow, Severity
from stockwire.core.rules import RULES_MOST
from stockwire.core.values import moment_text
from stockwire.core.wire import show_row
from stockwire.engine.deeds import defining, new_id, rule_in
from stockwire.engine.previewing import Fired, preview
from stockwire.transport.http import notices_described as described
from stockwire.transport.http.asked import asked_for
from stockwire.transport.http.desk import Desk, answered
from stockwire.transport.http.queries import asked_of, feed_page
from stockwire.transport.http.reading import path_text, reached, refuse_unknown
from stockwire.transport.http.requests import asked_by

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Number = int | Decimal | None


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


def rule_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """The routes of `/api/v1/rules`."""
    previewing = asyncio.Lock()

    def shown(version: int, rule: RuleRow, status: int = 200) -> Response[bytes]:
        return answered({"version": version, "rule": show_row("rules", rule)}, status)

    async def define(form: RuleForm, rule_id: str, by: str, status: int = 200) -> Response[bytes]:
        version = await desk.write(_defined(desk, form, rule_id, by))
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
        rule = rule_in(_defined(desk, form, form.rule_id or "preview", "preview"))
        async with previewing:  # a week is folded again for each, so who asks for many leaves room for others
            found = await asyncio.to_thread(preview, rule, desk.log, desk.present(), desk.calendar.day_of)
        return answered(_preview(found))

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
        return answered({"version": await desk.write(desk.deed("rule.removed", rule_id=rule.rule_id, by=by))})

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


def _defined(desk: Desk, form: RuleForm, rule_id: str, by: str) -> Event:
    """The event that defines a rule. Raises Invalid."""
    wanted = msgspec.to_builtins(form, builtin_types=(Decimal,))
    metrics = (entry.row for entry in desk.hub.feeds["metrics"])
    return defining(wanted, rule_id, by, desk.clock(), metrics)
