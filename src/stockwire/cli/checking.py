"""`stockwire doctor` and `stockwire verify`: is this machine fit, and is what it keeps right?

Each check of the doctor is one function that gives a `Finding`: what it saw and, where that is not good, what to do.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
import typer

from stockwire.cli.common import Config, DataDir, Exit, err, load_settings, out

if TYPE_CHECKING:
    from stockwire.settings import Settings

OLDEST_SQLITE: Final = (3, 51, 3)
"""Before it, a reset of the write-ahead log could corrupt a database under several processes."""
LITTLE_SPACE: Final = 1 << 30
NO_SPACE: Final = 100 << 20
MOST_SHOWN: Final = 200

State = Literal["ok", "note", "bad"]


class Finding(msgspec.Struct, frozen=True):
    """What one check saw. `remedy` says what to do about it; a `note` needs nothing done now."""

    check: str
    state: State
    found: str
    remedy: str = ""


def check_python(settings: Settings) -> Finding:
    return Finding("Python", "ok", f"{sys.version.split()[0]} at {sys.executable}")


def check_sqlite(settings: Settings) -> Finding:
    import apsw

    found = apsw.sqlite_lib_version()
    if tuple(map(int, found.split("."))) < OLDEST_SQLITE:
        return Finding(
            "SQLite", "bad", found, "install the `apsw` wheel from the package index, which carries its own SQLite"
        )
    return Finding("SQLite", "ok", found)


def check_directory(settings: Settings) -> Finding:
    directory = settings.data_dir
    if directory.is_dir():
        if os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            return Finding("Data directory", "ok", str(directory))
        return Finding("Data directory", "bad", f"{directory} is not yours to write", f"chown it to uid {os.getuid()}")
    if directory.exists():
        return Finding("Data directory", "bad", f"{directory} is not a directory", "choose another with --data-dir")
    if not os.access(_nearest(directory), os.W_OK | os.X_OK):
        return Finding(
            "Data directory", "bad", f"{directory} cannot be made", "make it, or choose another with --data-dir"
        )
    return Finding("Data directory", "note", f"{directory} will be made at the first start")


def check_disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_nearest(settings.data_dir)).free
    found = f"{free / (1 << 30):.1f} GiB free"
    if free < NO_SPACE:
        return Finding("Disk", "bad", found, "make room: without it nothing is acknowledged")
    if free < LITTLE_SPACE:
        return Finding("Disk", "note", found, "make room soon")
    return Finding("Disk", "ok", found)


def check_lock(settings: Settings) -> Finding:
    from stockwire.cli.writing import owner

    pid = owner(settings.data_dir)
    if pid is None:
        return Finding("Owner", "ok", "no process owns the data directory")
    return Finding("Owner", "note", f"process {pid} owns the data directory", "import with --url while it runs")


def check_port(settings: Settings) -> Finding:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            remedy = "if that is not your running server, choose another with --port"
            return Finding("Port", "note", f"{settings.host}:{settings.port}: {error.strerror}", remedy)
    return Finding("Port", "ok", f"{settings.host}:{settings.port} is free")


def check_address(settings: Settings) -> Finding:
    origins = ", ".join(settings.own_origins)
    if settings.host in ("0.0.0.0", "::") and not settings.origins:
        return Finding(
            "Address", "note", f"listens everywhere, but the page opens only from {origins}",
            'set origins = ["https://the.name.people.use"] and put TLS in front',
        )  # fmt: skip
    return Finding("Address", "ok", f"the page opens from {origins}")


def check_clock(settings: Settings) -> Finding:
    from stockwire.cli.writing import newest_record
    from stockwire.core.values import MINUTE, moment_text

    now = time.time_ns() // 1_000
    newest = newest_record(settings.data_dir)
    if newest > now + MINUTE:
        remedy = "set the machine's clock; time synchronisation (NTP) keeps it right"
        return Finding("Clock", "bad", f"{moment_text(now)}, before the newest record ({moment_text(newest)})", remedy)
    return Finding("Clock", "ok", moment_text(now - now % 1_000_000))


def check_page(settings: Settings) -> Finding:
    page = Path(__file__).parent.parent / "dashboard" / "index.html"
    if page.is_file():
        return Finding("Page", "ok", "built")
    return Finding("Page", "bad", "not built", "run `make build` in the source tree, or install the released package")


def check_zone(settings: Settings) -> Finding:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    there = datetime.now(ZoneInfo(settings.timezone))
    return Finding("Time zone", "ok", f"{settings.timezone}: {there:%Y-%m-%d %H:%M}, currency {settings.currency}")


CHECKS: Final[tuple[Callable[[Settings], Finding], ...]] = (
    check_python, check_sqlite, check_directory, check_disk, check_lock, check_port, check_address, check_clock,
    check_page, check_zone,
)  # fmt: skip


def _nearest(path: Path) -> Path:
    """The path itself or the nearest parent that is there."""
    while not path.exists():
        path = path.parent
    return path


def doctor(
    data_dir: DataDir = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a list.")] = False,
) -> None:
    """Check that this machine is fit to run Stockwire, with a remedy for everything that is not.

    Looks at Python, SQLite, the data directory and its owner, disk, port, address, clock, page and time zone. Changes nothing.
    Exit code 1 when something must be put right.

    [bold]Next:[/] [cyan]stockwire serve[/]
    """
    settings = load_settings(config, data_dir=data_dir).settings
    findings = [check(settings) for check in CHECKS]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(findings)).decode())
    else:
        from rich.markup import escape

        console = out()
        marks = {"ok": "[green]✓ ok  [/]", "note": "[yellow]• note[/]", "bad": "[bold red]✗ bad [/]"}
        for finding in findings:
            console.print(f"{marks[finding.state]}  {finding.check:<15} {escape(finding.found)}")
            if finding.remedy:
                console.print(f"{'':24}[dim]→ {escape(finding.remedy)}[/]")
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(Exit.DIFFERENCES)


def verify(
    data_dir: DataDir = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a list.")] = False,
    with_parent: Annotated[bool, typer.Option(hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Fold the whole log again and compare every stored row with the outcome.

    Reads only, so it may run beside the server. Also lets SQLite check its file. Exit code 1 and a list when anything differs.

    [bold]Example:[/] [cyan]stockwire verify && echo all is well[/]
    """
    from stockwire.engine import verifying
    from stockwire.engine.verify import verify_directory

    if with_parent:
        verifying.with_parent()
    settings = load_settings(config, data_dir=data_dir).settings
    with _folding(as_json) as progress:
        found = verify_directory(settings.data_dir, progress)
    wrong = [*found.damage, *map(str, found.differences)]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"events": found.events, "differences": wrong})).decode())
    else:
        from rich.markup import escape

        console = out()
        for difference in wrong[:MOST_SHOWN]:
            console.print(escape(difference), soft_wrap=True)
        if len(wrong) > MOST_SHOWN:
            console.print(f"and {len(wrong) - MOST_SHOWN:,} more")
        style = "green" if found.sound else "bold red"
        counted = f"{len(wrong):,} difference{'' if len(wrong) == 1 else 's'}"
        console.print(f"[{style}]{counted}[/] after folding {found.events:,} events again")
    if not found.sound:
        raise typer.Exit(Exit.DIFFERENCES)


@contextmanager
def _folding(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr: how much of the log is folded again."""
    from rich.progress import Progress

    with Progress(console=err(), transient=True, disable=quiet) as bar:
        task = bar.add_task("Folding again", total=None)

        def told(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of, description="Folding again" if done < of else "Comparing")

        yield told
