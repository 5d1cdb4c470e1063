"""`stockwire key ...` and `stockwire link`: who may send, read and sign in.

Keys and links live in `access.db` in the data directory, which several processes may write: these commands work while
the server runs. A key or link is shown once; only its hash is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from stockwire.cli.common import Config, DataDir, err, load_settings, out, taught

if TYPE_CHECKING:
    from stockwire.log.access import Access
    from stockwire.settings import Settings

keys = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make, list and revoke the keys that programs send and read with.",
)


@contextmanager
def opened(settings: Settings) -> Iterator[Access]:
    """The data directory's keys and sign-ins."""
    from stockwire.log.access import Access
    from stockwire.log.database import make_directory

    make_directory(settings.data_dir)
    access = Access(settings.data_dir / "access.db")
    try:
        yield access
    finally:
        access.close()


def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as the program that will hold it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            "-s",
            help="What it may do: ingest (send events), read, manage (rules and channels). Repeat for several.",
            show_default="ingest",
        ),
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a key and print it, once.

    The key alone goes to stdout, so a script can take it; only its hash is kept, so note it now.

    [bold]Example:[/] [cyan]KEY=$(stockwire key create webshop)[/]

    [bold]Next:[/] send with [cyan]Authorization: Bearer $KEY[/], or set [cyan]STOCKWIRE_KEY[/] for import and replay.
    """
    scopes = tuple(scope or ["ingest"])
    for each in scopes:
        if each not in ("ingest", "read", "manage"):
            raise typer.BadParameter(
                f"there is no scope `{each}`; a key may ingest, read and manage", param_hint="--scope"
            )
    with opened(load_settings(config, data_dir=data_dir).settings) as access:
        token = access.create_key(name, scopes)
    typer.echo(token)
    err().print(f"[dim]Key for {name} ({', '.join(scopes)}). It is not shown again.[/]", markup=True)


def list_(
    data_dir: DataDir = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the keys: name, beginning, what each may do, when it was last used.

    [bold]Next:[/] [cyan]stockwire key revoke NAME[/] for one that nobody should hold any more.
    """
    with opened(load_settings(config, data_dir=data_dir).settings) as access:
        found = access.keys()
    if as_json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    from rich.markup import escape
    from rich.table import Table

    from stockwire.core.values import moment_text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("Name", "Begins", "May", "Created", "Last used", ""):
        table.add_column(column)
    for key in found:
        used = moment_text(key.last_used_at) if key.last_used_at else "never"
        state = "[red]revoked[/]" if key.revoked_at else ""
        table.add_row(escape(key.name), key.prefix, ", ".join(key.scopes), moment_text(key.created_at), used, state)
    out().print(table if found else "No keys yet. Make one with: stockwire key create NAME")


def revoke(
    name: Annotated[str, typer.Argument(help="The key's name, as `stockwire key list` shows it.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Revoke a key: from now on nobody can use it. It stays in the list."""
    from stockwire.core.errors import NotFound

    with opened(load_settings(config, data_dir=data_dir).settings) as access:
        if not access.revoke_key(name):
            raise NotFound(f"there is no key named `{name}` in use; see `stockwire key list`")
    out().print(f"Revoked {name}.", markup=False)


keys.command("create", help=taught(create))(create)
keys.command("list", help=taught(list_))(list_)
keys.command("revoke", help=taught(revoke))(revoke)


def link(
    data_dir: DataDir = None,
    config: Config = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", help="Port the server listens on.", show_default="the setting")
    ] = None,
) -> None:
    """Print a fresh sign-in link. It works once, within a quarter of an hour, in the browser that opens it.

    [bold]Example:[/] [cyan]stockwire link[/] on the machine of the server, then open the link.
    """
    settings = load_settings(config, data_dir=data_dir, port=port).settings
    with opened(settings) as access:
        token = access.create_link()
    typer.echo(f"{settings.own_origins[0]}/sign-in#{token}")
