"""The command line: `stockwire`, a thin shell over the library.

Each command reads its options, loads the settings and calls one thing below. Heavy imports happen inside the
commands, so that `stockwire --help` is quick. Help texts teach: what a command does, an example, what comes next.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stockwire import __version__
from stockwire.cli import access, backup, channels, checking, files, notices, serving, showing
from stockwire.cli.common import Exit, report, taught
from stockwire.core.errors import StockwireError


class Commands(TyperGroup):
    """The commands, with the library's errors turned into a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except StockwireError as error:
            raise typer.Exit(report(error)) from None
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None


app = typer.Typer(
    cls=Commands,
    name="stockwire",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Stock, orders and key numbers of a shop or warehouse, live on every screen.\n\n"
        "[bold]Look at it first:[/] [cyan]stockwire demo[/] shows a simulated shop in your browser.\n\n"
        "[bold]Then with your own data:[/] [cyan]stockwire serve[/], [cyan]stockwire key create shop[/], and send events "
        "to [cyan]POST /api/v1/events[/]; or start from a file with [cyan]stockwire import[/]."
    ),
    epilog="Exit codes: 0 fine, 1 differences or bad rows found, 2 wrong usage, 3 could not do it, 130 interrupted.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stockwire {__version__}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


RUN, DATA, TELL, CARE = "Run", "Bring data in", "Tell people", "Look after it"

app.command("demo", rich_help_panel=RUN, help=taught(serving.demo))(serving.demo)
app.command("serve", rich_help_panel=RUN, help=taught(serving.serve))(serving.serve)
app.command("link", rich_help_panel=RUN, help=taught(access.link))(access.link)
app.command("import", rich_help_panel=DATA, help=taught(files.import_))(files.import_)
app.command("replay", rich_help_panel=DATA, help=taught(files.replay))(files.replay)
app.add_typer(access.keys, name="key", rich_help_panel=DATA)
app.add_typer(notices.rules, name="rules", rich_help_panel=TELL)
app.add_typer(notices.notifications, name="notifications", rich_help_panel=TELL)
app.add_typer(channels.channels, name="channels", rich_help_panel=TELL)
app.add_typer(channels.deliveries, name="deliveries", rich_help_panel=TELL)
app.command("settings", rich_help_panel=CARE, help=taught(showing.settings))(showing.settings)
app.command("doctor", rich_help_panel=CARE, help=taught(checking.doctor))(checking.doctor)
app.command("verify", rich_help_panel=CARE, help=taught(checking.verify))(checking.verify)
app.command("backup", rich_help_panel=CARE, help=taught(backup.backup))(backup.backup)
app.command("restore", rich_help_panel=CARE, help=taught(backup.restore))(backup.restore)


def main() -> None:
    """The entry point of the `stockwire` program."""
    app()


__all__ = ["Commands", "app", "main"]
