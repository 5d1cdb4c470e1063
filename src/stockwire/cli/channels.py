"""`stockwire channels ...` and `stockwire deliveries ...`: by what people are told outside the page, and what was sent.

All of it lives in `deliveries.db` in the data directory, which several processes may write: these commands work while the
server runs. What is to be sent then is sent by the server; a test is sent from here when none runs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stockwire.cli.common import Config, DataDir, Exit, err, load_settings, out, print_json, row, table_of, taught

if TYPE_CHECKING:
    from stockwire.engine.receivers import Receivers
    from stockwire.log.deliveries import Channel, Deliveries, Delivery
    from stockwire.settings import Settings

channels = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="By what people are told outside the page: add, list, test, remove.",
)
deliveries = typer.Typer(
    no_args_is_help=True, rich_markup_mode="rich", help="What was sent, waits, and could not be sent: list, retry."
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Name = Annotated[str, typer.Argument(help="The channel's name or id, as `stockwire channels list` shows it.")]


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Deliveries, Receivers]]:
    """The data directory's receivers."""
    from stockwire.log.database import make_directory
    from stockwire.writing import opened_deliveries, receivers

    make_directory(settings.data_dir)
    store = opened_deliveries(settings)
    try:
        yield store, receivers(settings, store)
    finally:
        store.close()


def list_channels(data_dir: DataDir = None, config: Config = None, as_json: AsJson = False) -> None:
    """List the channels, and the browsers that take pushes. Addresses and secrets are not shown.

    [bold]Next:[/] [cyan]stockwire channels test NAME[/] for one that you are not sure of.
    """
    from stockwire.transport.http.channels import show_browser, show_channel

    with opened(load_settings(config, data_dir=data_dir).settings) as (store, _):
        counts = store.counts()
        found = [show_channel(each, counts) for each in store.channels()]
        browsers = [show_browser(each) for each in store.subscriptions()]
    if as_json:
        print_json({"channels": found, "browsers": browsers})
        return
    table = table_of("Name", "Leads to", "Tells", "Last sent", "Waiting", "Dead", "")
    for each in found:
        state = each["note"] or ("" if each["enabled"] else "turned off") or each["last_error"] or ""
        row(table, each["name"], f"{each['service']} {each['address']}", each["person"], each["last_sent_at"] or "never",
             str(each["waiting"]), str(each["dead"]), state)  # fmt: skip
    for each in browsers:
        row(table, each["device"] or "a browser", f"push {each['service']}", each["person"], each["last_sent_at"] or "never",
             "", "", each["last_error"] or "")  # fmt: skip
    nothing = "No channels yet. Make one with: stockwire channels add NAME ADDRESS"
    out().print(table if found or browsers else nothing)


def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    address: Annotated[
        str, typer.Argument(help="https://… for a webhook, else an address of Apprise; -: read it from stdin.")
    ],
    person: Annotated[str, typer.Option("--person", help="Whom it tells, by their preferences.")] = "owner",
    language: Annotated[str, typer.Option("--language", help="en or de.")] = "en",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Add a channel. A webhook's secret goes to stdout, once: the receiver checks signatures with it.

    [bold]Example:[/] [cyan]stockwire channels add office https://example.com/hook[/]
    [bold]Example:[/] [cyan]stockwire channels add team slack://TokenA/TokenB/TokenC[/]

    [bold]Next:[/] [cyan]stockwire channels test office[/]
    """
    if language not in ("en", "de"):
        raise typer.BadParameter("messages come in en and de", param_hint="--language")
    if address == "-":
        address = sys.stdin.readline().strip()
    kind: Any = "webhook" if address.lower().startswith(("https://", "http://")) else "apprise"
    with opened(load_settings(config, data_dir=data_dir).settings) as (_, receivers):
        made = receivers.make(person, kind, name, address, "de" if language == "de" else "en")
    if made.secret is not None:
        typer.echo(made.secret)
        err().print("[dim]The secret that signs what this webhook gets. It is not shown again.[/]")
    err().print(f"Added {made.channel.name}, which leads to {made.channel.shown}.", markup=False)


def remove(name: Name, data_dir: DataDir = None, config: Config = None) -> None:
    """Remove a channel, and all that was sent by it."""
    with opened(load_settings(config, data_dir=data_dir).settings) as (store, _):
        channel = _named(store, name)
        store.remove_channel(channel.channel_id)
    out().print(f"Removed {channel.name}.", markup=False)


def test(name: Name, data_dir: DataDir = None, config: Config = None) -> None:
    """Send a test by a channel and say what became of it: through the server when one runs, else from here.

    Exit code 1 when it was not taken.
    """
    from stockwire.cli.writing import owner

    settings = load_settings(config, data_dir=data_dir).settings
    with opened(settings) as (store, receivers):
        channel = _named(store, name)
        delivery = receivers.try_channel(channel.channel_id)
        if owner(settings.data_dir) is None:
            delivery = asyncio.run(_sent_from_here(settings, store, delivery))
        else:
            delivery = asyncio.run(receivers.outcome(delivery))
    if delivery.state == "sent":
        out().print(f"Sent to {channel.name}.", markup=False)
        return
    said = (
        delivery.error
        or f"the server has not sent it yet; look again with: stockwire deliveries list ({delivery.state})"
    )
    err().print(f"{channel.name}: {said}", markup=False)
    raise typer.Exit(Exit.DIFFERENCES)


async def _sent_from_here(settings: Settings, store: Deliveries, delivery: Delivery) -> Delivery:
    from stockwire.core.retrying import verdict
    from stockwire.engine.outbox import message_of
    from stockwire.writing import messenger, moment_now, shop

    begun = store.begin(delivery.delivery_id)
    if begun is not None:
        channel = store.channel(begun.receiver)
        way = messenger(settings, store)
        try:
            outcome = await way.by_channel(channel, message_of(begun, store, shop(settings), channel.language))
        finally:
            await way.close()
        store.finish(begun, outcome, verdict(outcome, begun.attempts, moment_now(), 0.0, tries=1), 0)
    return store.delivery(delivery.delivery_id)


def list_deliveries(
    state: Annotated[
        str | None,
        typer.Option("--state", help="waiting, held, sending, sent, dead, digested or dropped.", show_default="all"),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many.")] = 100,
    data_dir: DataDir = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List what was sent, waits and could not be sent, newest first.

    [bold]Example:[/] [cyan]stockwire deliveries list --state dead[/]
    """
    from stockwire.transport.http.channels import show_delivery
    from stockwire.transport.http.schemas import DELIVERY_STATES

    if state is not None and state not in DELIVERY_STATES:
        raise typer.BadParameter(f"a delivery is {', '.join(DELIVERY_STATES)}", param_hint="--state")
    with opened(load_settings(config, data_dir=data_dir).settings) as (store, _):
        names = {each.channel_id: each.name for each in store.channels()}
        names |= {each.subscription_id: each.device for each in store.subscriptions()}
        wanted: Any = state
        found = [show_delivery(each, names.get(each.receiver, "")) for each in store.deliveries(wanted, limit)]
    if as_json:
        print_json({"deliveries": found})
        return
    table = table_of("Id", "State", "To", "Says", "Tries", "Made", "")
    for each in found:
        row(table, str(each["delivery_id"]), each["state"], each["channel_name"], each["subject"], str(each["attempts"]),
             each["created_at"], each["error"] or "")  # fmt: skip
    out().print(table if found else "Nothing.")


def retry(
    delivery_id: Annotated[int | None, typer.Argument(help="The delivery's id.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every dead letter of what is turned on.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Have a dead letter tried anew, by the server.

    [bold]Example:[/] [cyan]stockwire deliveries retry --all[/]
    """
    if (delivery_id is None) != every:
        raise typer.BadParameter("give an id, or --all")
    with opened(load_settings(config, data_dir=data_dir).settings) as (store, _):
        ids = _dead(store) if delivery_id is None else [delivery_id]
        for each in ids:
            store.retry(each)
    out().print(f"{len(ids)} to be tried anew." if ids else "There are no dead letters.")


def _dead(store: Deliveries) -> list[int]:
    """Every dead letter but those of channels that are turned off."""
    off = {each.channel_id for each in store.channels() if not each.enabled}
    return [each.delivery_id for each in store.deliveries("dead", 100_000) if each.receiver not in off]


def _named(store: Deliveries, name: str) -> Channel:
    from stockwire.core.errors import Invalid, NotFound

    found = [each for each in store.channels() if name in (each.name, each.channel_id)]
    if not found:
        raise NotFound(f"there is no channel {name}; see `stockwire channels list`")
    if len(found) > 1:
        raise Invalid(f"{len(found)} channels are called {name}; give the id, which --json shows")
    return found[0]


channels.command("list", help=taught(list_channels))(list_channels)
channels.command("add", help=taught(add))(add)
channels.command("remove", help=taught(remove))(remove)
channels.command("test", help=taught(test))(test)
deliveries.command("list", help=taught(list_deliveries))(list_deliveries)
deliveries.command("retry", help=taught(retry))(retry)
