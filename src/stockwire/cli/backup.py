"""`stockwire backup` and `stockwire restore`: a copy of the data directory, and a data directory from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockwire.cli.common import Config, DataDir, load_settings, out


def backup(
    to: Annotated[Path, typer.Argument(help="Directory to make, with the copy in it.", show_default=False)],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Copy the log and the keys as they are at one moment. The server may go on running.

    The copy is checked before it gets its name. Settings are not part of it: keep stockwire.toml where you keep your configuration.

    [bold]Example:[/] [cyan]stockwire backup /backups/shop-monday[/]

    [bold]Next:[/] try it: [cyan]stockwire restore /backups/shop-monday --data-dir /tmp/try && stockwire verify -d /tmp/try[/]
    """
    from stockwire.engine.backup import back_up

    settings = load_settings(config, data_dir=data_dir).settings
    copied = back_up(settings.data_dir, to)
    out().print(f"Copied {copied.version:,} events, {copied.size / (1 << 20):,.1f} MiB, to {to}", soft_wrap=True)


def restore(
    backup: Annotated[Path, typer.Argument(help="Directory that a backup made.", show_default=False)],
    data_dir: DataDir = None,
    config: Config = None,
    replace: Annotated[bool, typer.Option("--replace", help="Give up the log that is there now.")] = False,
) -> None:
    """Make a data directory from a backup, while no server owns it.

    The restored log is another history than the one it was copied from, so every screen gets its content anew, once.
    Keys and sign-ins are as they were at the backup.

    [bold]Example:[/] [cyan]stockwire restore /backups/shop-monday --replace[/]

    [bold]Next:[/] [cyan]stockwire serve[/], and let your sources send again what they sent since.
    """
    from stockwire.engine.backup import restore as restore_from

    settings = load_settings(config, data_dir=data_dir).settings
    copied = restore_from(backup, settings.data_dir, replace=replace)
    out().print(f"Restored {copied.version:,} events into {settings.data_dir}", soft_wrap=True)
