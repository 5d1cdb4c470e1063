"""What every command shares: the options that say where the data is, the settings in force, and how to speak to a
person.

Figures and lists that somebody may pipe go to stdout; progress, hints and errors go to stderr. Exit codes are the
same everywhere (`Exit`).
"""

from __future__ import annotations

import enum
import inspect
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stockwire.core.errors import Failed, StockwireError

if TYPE_CHECKING:
    from rich.console import Console

    from stockwire.settings import Loaded


class Exit(enum.IntEnum):
    """What a command's exit code says."""

    OK = 0
    DIFFERENCES = 1
    """It ran, and found rows that differ, lines it could not read, or a check that fails."""
    USAGE = 2
    """What was asked for is wrong: an option, a setting, a file."""
    FAILED = 3
    """It could not do its part: a busy data directory, a full disk, a server that does not answer."""
    INTERRUPTED = 130
    """Ctrl-C. What was acknowledged is kept."""


DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", "-d", help="Directory that holds the log and everything kept.", show_default=False),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file, instead of the one in the data directory.", show_default=False),
]


Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting by its name; repeat for more.", show_default=False),
]


def load_settings(config: Path | None = None, assignments: list[str] | None = None, **flags: Any) -> Loaded:
    """The settings in force; flags that are None were not given."""
    from stockwire.settings import load, parse_assignment

    given = dict(parse_assignment(text) for text in assignments or ())
    given |= {name: value for name, value in flags.items() if value is not None}
    return load(given, os.environ, config=config)


def out() -> Console:
    """Where results go. As wide as the terminal; long values are never cut when piped."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Where progress, hints and errors go."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def report(error: StockwireError) -> Exit:
    """Tell the person what went wrong and what is wrong where; gives the exit code."""
    from rich.markup import escape

    console = err()
    console.print(f"[bold red]Error[/] {escape(error.detail)}", soft_wrap=True)
    for problem in error.problems[:20]:
        where = problem.get("path") or (f"event {problem['index']}" if "index" in problem else "")
        console.print(f"  {escape(f'{where}: ' if where else '')}{escape(problem.get('detail', ''))}", soft_wrap=True)
    if len(error.problems) > 20:
        console.print(f"  and {len(error.problems) - 20} more")
    return Exit.FAILED if isinstance(error, Failed) else Exit.USAGE


def taught(command: Callable[..., Any]) -> str:
    """A command's help: its docstring with each paragraph as one line, so that the terminal wraps it. Indented lines stay."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(re.sub(r"\n(?! )", " ", paragraph) for paragraph in paragraphs)


def print_json(value: Any) -> None:
    """A result for programs."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def table_of(*columns: str) -> Any:
    """A table of results; give it rows with `row`."""
    from rich.table import Table

    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        made.add_column(column)
    return made


def row(made: Any, *cells: str) -> None:
    """A row of a table, as it stands."""
    from rich.markup import escape

    made.add_row(*map(escape, cells))
