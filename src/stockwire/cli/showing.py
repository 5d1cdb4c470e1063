"""`stockwire settings`: every setting, its value and where the value came from."""

from __future__ import annotations

from typing import Annotated

import typer

from stockwire.cli.common import Assignments, Config, DataDir, load_settings, out


def settings(
    data_dir: DataDir = None,
    config: Config = None,
    assignments: Assignments = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show every setting, its value and where it came from.

    A value comes from the first of: a flag, the environment ([cyan]STOCKWIRE_PORT=9000[/]), the settings file
    ([cyan]stockwire.toml[/] in the data directory, or [cyan]--config[/]), the default. Secrets are shown as dots.

    [bold]Example:[/] [cyan]STOCKWIRE_PORT=9000 stockwire settings[/]

    [bold]Next:[/] put what should stay into the settings file that is named on top.
    """
    loaded = load_settings(config, assignments, data_dir=data_dir)
    explained = loaded.explain()
    if as_json:
        import msgspec

        shown = {
            each.name: {
                "value": each.shown if each.secret else each.value,
                "from": each.origin,
                "variable": each.variable,
                "description": each.description,
            }
            for each in explained
        }
        typer.echo(msgspec.json.format(msgspec.json.encode(shown, enc_hook=str)).decode())
        return
    from rich.markup import escape

    console = out()
    file = config or loaded.settings.config_file
    console.print(
        f"Settings file: {escape(str(file))}" + ("" if file.exists() else " [dim](none yet)[/]"), soft_wrap=True
    )
    for each in explained:
        origin = "" if each.origin == "default" else f"  [green]from {escape(each.origin)}[/]"
        console.print(f"[bold]{each.name}[/] = {escape(each.shown)}{origin}", soft_wrap=True)
        console.print(f"  [dim]{escape(each.description)}[/]", soft_wrap=True)
