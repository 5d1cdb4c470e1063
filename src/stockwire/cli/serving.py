"""`stockwire serve` and `stockwire demo`: the running server, with real data or with a simulated shop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockwire.cli.common import Assignments, Config, DataDir, load_settings, out

if TYPE_CHECKING:
    from rich.console import Console

    from stockwire.serving import Beside
    from stockwire.settings import Settings

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[
    int | None, typer.Option("--port", "-p", help="Port to listen on; 0: any free one.", show_default="8420")
]


def serve(
    data_dir: DataDir = None,
    config: Config = None,
    host: Host = None,
    port: Port = None,
    shop_name: Annotated[
        str | None, typer.Option("--shop-name", help="The shop's name on the screen.", show_default=False)
    ] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="The shop's time zone.", show_default=False)
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="The shop's currency.", show_default=False)] = None,
    clock: Annotated[
        str | None,
        typer.Option("--clock", help="wall, or events: now is the newest event's time.", show_default="wall"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", help="Processes that serve screens; 1: one does everything.", show_default="1"),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option("--log-level", help="debug, info, warning or error.", show_default="info")
    ] = None,
    assignments: Assignments = None,
) -> None:
    """Run the server: the page, the streams and the API, on loopback unless told otherwise.

    Prints a sign-in link that works once; [cyan]stockwire link[/] prints another. Ctrl-C stops it gracefully: what was accepted is
    finished, and browsers are told to come back.

    [bold]Example:[/] [cyan]stockwire serve --shop-name "Corner shop" --timezone Europe/London --currency GBP[/]

    [bold]Next:[/] [cyan]stockwire key create shop[/], then POST events to /api/v1/events.
    """
    loaded = load_settings(
        config,
        assignments,
        data_dir=data_dir,
        host=host,
        port=port,
        shop_name=shop_name,
        timezone=timezone,
        currency=currency,
        clock=clock,
        workers=workers,
        log_level=log_level,
    )
    run(loaded.settings, out())


def demo(
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", "-d", help="Keep the simulated shop here.", show_default="in your cache directory"),
    ] = None,
    host: Host = None,
    port: Port = None,
    speed: Annotated[
        float, typer.Option("--speed", min=0.1, max=3_600.0, help="How many times real time the shop lives.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Another number is another shop.")] = 7,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew even when the last demo is young enough.")] = False,
) -> None:
    """Run a simulated shop and show it: 400 products in three places, with two weeks of history, going on live.

    The screen says that it is simulated, and its data is kept apart from real data. Started again within a week, it goes on.

    [bold]Example:[/] [cyan]stockwire demo --speed 60[/] lives an hour in a minute.

    [bold]Next:[/] [cyan]stockwire serve[/] and your own events.
    """
    from stockwire.cli.demonstrating import demonstrate

    demonstrate(data_dir, host=host, port=port, speed=speed, seed=seed, fresh=fresh, console=out())


def run(settings: Settings, console: Console, beside: Beside | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM; tells where, and how to sign in, as soon as the server answers."""
    from rich.markup import escape

    from stockwire.core.errors import Failed

    def announce(url: str, sign_in: str) -> None:
        simulated = " [yellow](simulated)[/]" if settings.simulated else ""
        console.print(f"[bold]{escape(settings.shop_name)}[/]{simulated} is live at [cyan]{url}[/]")
        console.print(f"Sign in, once: [cyan]{sign_in}[/]", soft_wrap=True)
        console.print(f"[dim]Data in {escape(str(settings.data_dir))}. Ctrl-C stops it.[/]", soft_wrap=True)

    try:
        if settings.workers > 1:
            from stockwire.workers import supervise

            supervise(settings, announce)
        else:
            from stockwire.serving import serve as serve_until_stopped

            serve_until_stopped(settings, announce, beside)
    except OSError as error:
        raise Failed(
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror or error}; "
            "is another server running? choose with --port"
        ) from None
    console.print("[dim]Stopped.[/]")
