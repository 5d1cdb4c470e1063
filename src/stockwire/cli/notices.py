"""`stockwire rules ...` and `stockwire notifications ...`: when people are told of what, and what there is to be told.

Looking reads the data directory, beside a running server too. What changes something goes straight into the data directory
when no server owns it, else over HTTP (`--url`), as `stockwire import` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stockwire.cli.common import Config, DataDir, load_settings, out, print_json, row, table_of, taught

if TYPE_CHECKING:
    from stockwire.log.base import Loaded
    from stockwire.settings import Settings

rules = typer.Typer(
    no_args_is_help=True, rich_markup_mode="rich", help="When people are told of what: list, show, add, remove."
)
notifications = typer.Typer(
    no_args_is_help=True, rich_markup_mode="rich", help="What there is to be told: list, acknowledge, snooze, resolve."
)

BY = "command line"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Url = Annotated[
    str | None,
    typer.Option("--url", help="Ask this running server instead of the data directory.", show_default=False),
]
Key = Annotated[
    str | None,
    typer.Option("--key", help="Key with scope manage, for --url; better set STOCKWIRE_KEY.", show_default=False),
]
RuleId = Annotated[str, typer.Argument(metavar="RULE_ID", help="The rule's id, as `stockwire rules list` shows it.")]
NotificationId = Annotated[
    str, typer.Argument(metavar="ID", help="The notification's id, as `stockwire notifications list` shows it.")
]


# --- where it goes --------------------------------------------------------------------------------------------------


def _loaded(settings: Settings) -> Loaded:
    """The data directory's rows. Raises StorageFailed."""
    from stockwire.log.sqlite import SqliteLog

    log = SqliteLog(settings.data_dir, reading=True)
    try:
        return log.load()
    finally:
        log.close()


@contextmanager
def _server(settings: Settings) -> Iterator[Any]:
    """Something that asks the server: method, path and body, giving its answer. Raises Failed or Invalid."""
    import httpx

    from stockwire.core.errors import Failed, Invalid, NotFound

    headers = {"Authorization": f"Bearer {settings.key}"} if settings.key else {}
    with httpx.Client(base_url=settings.server_url, timeout=60, trust_env=False, headers=headers) as client:

        def ask(method: str, path: str, body: Any = None) -> Any:
            try:
                answer = client.request(method, f"/api/v1/{path}", json=body)
            except httpx.HTTPError as error:
                raise Failed(f"no Stockwire answers at {settings.server_url} ({error})") from None
            if answer.status_code == 404:
                raise NotFound(str(answer.json().get("detail", "")))
            if not answer.is_success:
                raise Invalid(str(answer.json().get("detail", answer.status_code)))
            return answer.json()

        yield ask


def _write(settings: Settings, type_: str, **data: Any) -> None:
    """Put what is done straight into the data directory. Raises DataDirectoryBusy, Invalid or StorageFailed."""
    from stockwire.cli.writing import moment_now, writing
    from stockwire.engine.deeds import deed, defining

    with writing(settings) as directory:
        loaded = directory.log.load()
        at = moment_now() if settings.clock == "wall" else loaded.clock
        if type_ == "rule.defined":
            event = defining(data, data["rule_id"], BY, at, loaded.metrics.values())
        else:
            event = deed(type_, at, by=BY, **data)
        directory.send([event])


# --- rules ----------------------------------------------------------------------------------------------------------


def list_rules(data_dir: DataDir = None, config: Config = None, as_json: AsJson = False) -> None:
    """List the rules: what each looks at, and whether it is on.

    [bold]Next:[/] [cyan]stockwire rules show RULE_ID[/] for all that one says.
    """
    from stockwire.core.wire import show_row

    loaded = _loaded(load_settings(config, data_dir=data_dir).settings)
    found = [show_row("rules", row) for row in sorted(loaded.rules.values(), key=lambda row: row.rule_id)]
    if as_json:
        print_json(found)
        return
    table = table_of("Id", "Name", "Kind", "Severity", "Threshold", "By", "")
    for each in found:
        threshold = "" if each["threshold"] is None else str(each["threshold"])
        by = each["updated_by"] or "Stockwire"
        row(table, each["rule_id"], each["name"], each["kind"], each["severity"], threshold, by,
             "" if each["enabled"] else "off")  # fmt: skip
    out().print(table if found else "No rules yet: they come with the first event.")


def show_rule(rule_id: RuleId, data_dir: DataDir = None, config: Config = None) -> None:
    """Show one rule as JSON: what `POST /api/v1/rules` takes, and who changed it when."""
    from stockwire.core.errors import NotFound
    from stockwire.core.wire import show_row

    row = _loaded(load_settings(config, data_dir=data_dir).settings).rules.get((rule_id,))
    if row is None:
        raise NotFound(f"there is no rule {rule_id}; see `stockwire rules list`")
    print_json(show_row("rules", row))


def add_rule(
    kind: Annotated[str, typer.Argument(help="What it looks at, such as low_stock, order_stuck or large_order.")],
    name: Annotated[str, typer.Argument(help="What to call it.")],
    rule_id: Annotated[
        str | None,
        typer.Option("--id", help="Its id; of a rule that is there: take its place.", show_default="made up"),
    ] = None,
    threshold: Annotated[str | None, typer.Option("--threshold", "-t", help="The number it is about.")] = None,
    clear: Annotated[
        str | None, typer.Option("--clear", help="How far back beyond that it must go to be over.")
    ] = None,
    severity: Annotated[str, typer.Option("--severity", help="info, warning or critical.")] = "warning",
    location: Annotated[str | None, typer.Option("--location", help="Only this location.")] = None,
    sku: Annotated[str | None, typer.Option("--sku", help="Only this SKU.")] = None,
    status: Annotated[list[str] | None, typer.Option("--status", help="Only orders of it; repeat for more.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only what this source sends.")] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="The metric, for metric and rate_spike.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="Its period, such as today.")] = None,
    comparison: Annotated[str | None, typer.Option("--is", help="above, below or changed.")] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="period_before or week_before: the threshold is per cent of what it was."),
    ] = None,
    for_seconds: Annotated[int, typer.Option("--for", metavar="SECONDS", help="How long it must be so.")] = 0,
    keep_seconds: Annotated[int, typer.Option("--keep", metavar="SECONDS", help="How long it goes on after.")] = 0,
    cooldown: Annotated[
        int, typer.Option("--cooldown", metavar="SECONDS", help="How long nothing more is told.")
    ] = 3600,
    group_by: Annotated[str, typer.Option("--group-by", help="none, location or rule.")] = "none",
    off: Annotated[bool, typer.Option("--off", help="Make it, but leave it off.")] = False,
    url: Url = None,
    key: Key = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a rule, or put it in the place of another.

    [bold]Example:[/] [cyan]stockwire rules add low_stock "Few mugs" --sku MUG-01 --threshold 10[/]

    While a server runs, add [cyan]--url[/] and [cyan]--key[/].
    """
    from stockwire.core.errors import NotFound
    from stockwire.engine.deeds import new_id

    settings = load_settings(config, data_dir=data_dir, server_url=url, key=key).settings
    scope = {"location": location, "sku": sku, "statuses": status or None, "source": source}
    told: dict[str, Any] = {
        "kind": kind, "name": name, "enabled": not off, "severity": severity, "threshold": _number(threshold),
        "clear": _number(clear), "metric": metric, "period": period, "comparison": comparison,
        "against": against,
        "for_seconds": for_seconds, "keep_seconds": keep_seconds, "cooldown_seconds": cooldown, "group_by": group_by,
        "scope": {each: value for each, value in scope.items() if value is not None},
    }  # fmt: skip
    wanted = {each: value for each, value in told.items() if value is not None}
    made = rule_id or new_id(kind)
    if url is None:
        _write(settings, "rule.defined", **wanted, rule_id=made)
    else:
        with _server(settings) as ask:
            body = {**wanted, "rule_id": made, **_floats(wanted)}
            try:
                ask("PUT", f"rules/{made}", body)
            except NotFound:
                ask("POST", "rules", body)
    typer.echo(made)


def remove_rule(
    rule_id: RuleId, url: Url = None, key: Key = None, data_dir: DataDir = None, config: Config = None
) -> None:
    """Remove a rule: what it fired is over. One of Stockwire's own is better turned off, with `rules add --id ... --off`."""
    from stockwire.core.errors import NotFound

    settings = load_settings(config, data_dir=data_dir, server_url=url, key=key).settings
    if url is not None:
        with _server(settings) as ask:
            ask("DELETE", f"rules/{rule_id}")
    else:
        if (rule_id,) not in _loaded(settings).rules:
            raise NotFound(f"there is no rule {rule_id}; see `stockwire rules list`")
        _write(settings, "rule.removed", rule_id=rule_id)
    out().print(f"Removed {rule_id}.", markup=False)


# --- notifications --------------------------------------------------------------------------------------------------


def list_notifications(
    over: Annotated[bool, typer.Option("--over", help="Those that are over too.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List what fires, what somebody sees to, and what was put off; newest first.

    [bold]Next:[/] [cyan]stockwire notifications acknowledge ID[/] for what you see to.
    """
    from stockwire.core.wire import show_row

    loaded = _loaded(load_settings(config, data_dir=data_dir).settings)
    newest = sorted(loaded.notifications.values(), key=lambda row: row.updated_at, reverse=True)
    found = [show_row("notifications", row) for row in newest if over or row.state != "resolved"]
    if as_json:
        print_json(found)
        return
    table = table_of("Id", "State", "Severity", "What", "Since", "How many", "Value")
    for each in found:
        what = f"{each['kind'].replace('_', ' ')}: {each['name'] or each['subject']}"
        row(table, each["notification_id"], each["state"], each["severity"], what, each["began_at"], str(each["count"]),
             each["value"] or "")  # fmt: skip
    out().print(table if found else "Nothing fires.")


def acknowledge(
    notification_id: NotificationId, url: Url = None, key: Key = None, data_dir: DataDir = None, config: Config = None
) -> None:
    """Say that you see to it: it is not told again unless more joins it."""
    settings = load_settings(config, data_dir=data_dir, server_url=url, key=key).settings
    _act(settings, notification_id, "acknowledge", over_http=url is not None)


def snooze(
    notification_id: NotificationId,
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=744, help="For how long.")] = 4.0,
    url: Url = None,
    key: Key = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Put it off: it comes back after that time if it is still so."""
    from stockwire.cli.writing import moment_now
    from stockwire.core.values import HOUR, moment_text

    settings = load_settings(config, data_dir=data_dir, server_url=url, key=key).settings
    at = moment_now() if settings.clock == "wall" else _loaded(settings).clock
    until = moment_text(at + round(hours * HOUR))
    _act(settings, notification_id, "snooze", over_http=url is not None, until=until)


def resolve(
    notification_id: NotificationId, url: Url = None, key: Key = None, data_dir: DataDir = None, config: Config = None
) -> None:
    """Say that it is over: it comes again only when it comes anew."""
    settings = load_settings(config, data_dir=data_dir, server_url=url, key=key).settings
    _act(settings, notification_id, "resolve", over_http=url is not None)


_DEEDS = {"acknowledge": "acknowledged", "snooze": "snoozed", "resolve": "resolved"}


def _act(settings: Settings, notification_id: str, what: str, *, over_http: bool, **more: str) -> None:
    from urllib.parse import quote

    from stockwire.core.errors import NotFound

    if over_http:
        with _server(settings) as ask:
            ask("POST", f"notifications/{quote(notification_id, safe='')}/{what}", more or None)
    else:
        if (notification_id,) not in _loaded(settings).notifications:
            raise NotFound(f"there is no notification {notification_id}; see `stockwire notifications list`")
        _write(settings, f"notification.{_DEEDS[what]}", notification_id=notification_id, **more)
    out().print(f"{_DEEDS[what].capitalize()}: {notification_id}", markup=False)


# --- words ----------------------------------------------------------------------------------------------------------


def _number(text: str | None) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"`{text}` is not a number") from None


def _floats(wanted: dict[str, Any]) -> dict[str, Any]:
    """The numbers as JSON has them."""
    return {each: float(wanted[each]) for each in ("threshold", "clear") if each in wanted}


rules.command("list", help=taught(list_rules))(list_rules)
rules.command("show", help=taught(show_rule))(show_rule)
rules.command("add", help=taught(add_rule))(add_rule)
rules.command("remove", help=taught(remove_rule))(remove_rule)
notifications.command("list", help=taught(list_notifications))(list_notifications)
notifications.command("acknowledge", help=taught(acknowledge))(acknowledge)
notifications.command("snooze", help=taught(snooze))(snooze)
notifications.command("resolve", help=taught(resolve))(resolve)
