"""`stockwire import` and `stockwire replay`: a file's events, at once or in their own rhythm.

`import` writes straight into the data directory when no server owns it, else over HTTP (`--url`). `replay` always
goes over HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stockwire.cli.common import Config, DataDir, Exit, err, load_settings, out

if TYPE_CHECKING:
    from stockwire.importing.bringing import Tally
    from stockwire.importing.posting import Posting
    from stockwire.importing.rows import Format, Input
    from stockwire.settings import Loaded

File = Annotated[Path, typer.Argument(help="The file, plain or gzip; - for stdin.", show_default=False)]
FormatName = Annotated[
    str,
    typer.Option(
        "--format", "-f", help="events, inventory, orders, online-retail or olist.", show_default=False,
        autocompletion=lambda: ["events", "inventory", "orders", "online-retail", "olist"],
    ),
]  # fmt: skip
Source = Annotated[
    str | None, typer.Option("--source", help="Name of the source on every event.", show_default="by format")
]
At = Annotated[
    str | None,
    typer.Option("--time", help="inventory: when it was counted, for rows that do not say.", show_default=False),
]
OpeningStock = Annotated[
    Path | None,
    typer.Option("--opening-stock", help="online-retail: what was on hand before the first row.", show_default=False),
]
Items = Annotated[Path | None, typer.Option("--items", help="olist: the items of the orders.", show_default=False)]
OrdersFile = Annotated[
    Path | None, typer.Option("--orders", help="olist: who ordered, and how it ended.", show_default=False)
]
Url = Annotated[
    str | None,
    typer.Option("--url", help="Send to this running server instead of the data directory.", show_default=False),
]
Key = Annotated[
    str | None, typer.Option("--key", help="Ingest key for --url; better set STOCKWIRE_KEY.", show_default=False)
]


def import_(
    file: File,
    format_: FormatName,
    source: Source = None,
    at: At = None,
    opening_stock: OpeningStock = None,
    items: Items = None,
    orders: OrdersFile = None,
    url: Url = None,
    key: Key = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Read and check everything, write nothing.")] = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Bring in the others; without it nothing after a bad row is.")
    ] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Bring a file in, durably.

    An event's id comes from the file, so importing again changes nothing, and after Ctrl-C or a kill the same command goes
    on where it stopped. While a server runs, add [cyan]--url[/] and [cyan]--key[/].

    [bold]Examples:[/]
      [cyan]stockwire import stock.csv --format inventory --time 2026-03-02T08:00:00Z[/]
      [cyan]stockwire import year.csv.gz --format online-retail --opening-stock opening.csv.gz[/]
      [cyan]zcat events.ndjson.gz | stockwire import - --format events --dry-run[/]

    [bold]Next:[/] [cyan]stockwire verify[/], then [cyan]stockwire serve[/]
    """
    from stockwire.core.values import SECOND
    from stockwire.importing.bringing import Tally, bring_in
    from stockwire.importing.rows import spooled

    loaded = load_settings(config, data_dir=data_dir, server_url=url, key=key)
    tally = Tally()
    started = time.monotonic()
    finished = False
    with ExitStack() as stack:
        path = stack.enter_context(spooled(file))
        progress = stack.enter_context(_progress(tally))
        others = {"opening_stock": opening_stock, "items": items, "orders": orders}
        format_made, input_ = _format(format_, path, progress, loaded, source=source, time=at, files=others)
        sink = None
        if not dry_run:
            sink = stack.enter_context(_sink(loaded, format_made, over_http=url is not None, config=config))
        try:
            latest = time.time_ns() // 1_000 + loaded.settings.future_tolerance_seconds * SECOND
            bring_in(format_made, input_, sink, tally, latest=latest, skip_bad_rows=skip_bad_rows)
            finished = True
        except KeyboardInterrupt:
            pass
    _summary(tally, time.monotonic() - started, dry_run)
    if not finished:
        err().print(f"[yellow]Stopped by you[/] at row {tally.rows:,}. The same command goes on from here.")
        raise typer.Exit(Exit.INTERRUPTED)
    if tally.bad_rows:
        raise typer.Exit(Exit.DIFFERENCES)


def replay(
    file: File,
    format_: FormatName,
    speed: Annotated[
        str, typer.Option("--speed", help="How many times real time: 60 plays an hour in a minute; max: no waiting.")
    ] = "1",
    shift_to_now: Annotated[
        bool,
        typer.Option(
            "--shift-to-now", help="Move all times so that the first event is now and each is when it is sent."
        ),
    ] = False,
    source: Source = None,
    at: At = None,
    opening_stock: OpeningStock = None,
    items: Items = None,
    orders: OrdersFile = None,
    url: Url = None,
    key: Key = None,
    config: Config = None,
) -> None:
    """Send a file's events to a running server in their own rhythm, as if the shop were open now.

    Events keep their ids: when the server goes away they are sent again until it has them, and none counts twice. Bad rows are
    passed over and listed at the end.

    [bold]Example:[/] [cyan]stockwire replay year.csv.gz -f online-retail --speed 60 --key $KEY[/]

    Replaying an old year? Start the server with [cyan]--clock events[/], so that its "today" is the data's, or use
    [cyan]--shift-to-now[/].
    """
    from stockwire.importing.bringing import Tally, events_of
    from stockwire.importing.replaying import replay as replay_events
    from stockwire.importing.replaying import shifted
    from stockwire.importing.rows import spooled

    factor = _factor(speed)
    if shift_to_now and factor is None:
        raise typer.BadParameter(
            "needs a number as --speed: at full speed the events would be in the future", param_hint="--shift-to-now"
        )
    loaded = load_settings(config, server_url=url, key=key)
    tally = Tally()
    started = time.monotonic()
    finished = False
    with ExitStack() as stack:
        path = stack.enter_context(spooled(file))
        posting = stack.enter_context(_posting(loaded))
        progress = stack.enter_context(_progress(tally))
        others = {"opening_stock": opening_stock, "items": items, "orders": orders}
        format_made, input_ = _format(format_, path, progress, loaded, source=source, time=at, files=others)
        reading = format_made.read(input_)
        if shift_to_now and factor is not None:
            reading = shifted(reading, time.time_ns() // 1_000, factor)
        results = _hinting(events_of(reading, tally), tally, posting)
        try:
            replay_events(results, posting, tally, factor, now=time.monotonic, wait=time.sleep)
            finished = True
        except KeyboardInterrupt:
            pass
    _summary(tally, time.monotonic() - started, dry_run=False)
    if not finished:
        raise typer.Exit(Exit.INTERRUPTED)
    if tally.bad_rows:
        raise typer.Exit(Exit.DIFFERENCES)


def _factor(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e9:
        raise typer.BadParameter("is a number above 0 (times real time), or max", param_hint="--speed")
    return factor


def _format(
    name: str,
    path: Path,
    progress: Callable[[str, int, int], None],
    loaded: Loaded,
    *,
    source: str | None,
    time: str | None,
    files: dict[str, Path | None],
) -> tuple[Format, Input]:
    from stockwire.importing.formats import Options, make_format
    from stockwire.importing.rows import Input

    settings = loaded.settings
    beside: dict[str, Any] = {option: Input(each, progress) for option, each in files.items() if each is not None}
    options = Options(source=source, time=time, zone=settings.timezone, currency=settings.currency, **beside)
    return make_format(name, options), Input(path, progress)


@contextmanager
def _sink(loaded: Loaded, format_made: Format, *, over_http: bool, config: Path | None) -> Iterator[Any]:
    """The server at --url, or the data directory itself."""
    if over_http:
        with _posting(loaded) as posting:
            yield posting
        return
    from stockwire.cli.writing import suited, writing

    loaded = suited(loaded, format_made, lambda: load_settings(config, data_dir=loaded.settings.data_dir), err().print)
    with writing(loaded.settings) as sink:
        yield sink


@contextmanager
def _posting(loaded: Loaded) -> Iterator[Posting]:
    import httpx

    from stockwire.importing.posting import Posting

    console = err()

    def waiting(seconds: float, why: str) -> None:
        console.print(f"[yellow]{why}[/]; sending the same events again in {seconds:.1f} s", markup=True)

    settings = loaded.settings
    with httpx.Client(base_url=settings.server_url, timeout=60, trust_env=False) as client:
        posting = Posting(client, settings.key, waiting=waiting)
        posting.reach()
        yield posting


def _hinting(results: Iterator[Any], tally: Tally, posting: Posting) -> Iterator[Any]:
    """The results, with a hint once when the data is old and the server lives by the wall's clock."""
    from stockwire.core.values import DAY

    asked = False
    for result in results:
        if not asked and tally.newest is not None:
            asked = True
            if time.time_ns() // 1_000 - tally.newest > DAY:
                shop = posting.status().get("shop") or {}
                if shop.get("clock") == "wall":
                    err().print(
                        "[yellow]Hint[/] this data is old and the server's clock is the wall's, so nothing will count as "
                        "today. Start it with --clock events, or replay with --shift-to-now."
                    )
        yield result


@contextmanager
def _progress(tally: Tally) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr while reading: what is done, how much of the file, rows and rows a second of this pass."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description:<14}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"), TimeRemainingColumn(),
        console=err(), transient=True,
    )  # fmt: skip
    task = bar.add_task("Reading", rows="", total=None)
    began: dict[str, float] = {}

    def told(doing: str, at: int, size: int) -> None:
        now = time.monotonic()
        if doing not in began:
            began[doing] = now
            bar.reset(task)
        rows = tally.rows
        rate = rows / max(now - began[doing], 1e-3)
        shown = f"{rows:,} rows, {rate:,.0f} rows/s" if rows > 1 and doing == "Importing" else ""
        bar.update(task, description=doing, completed=at, total=size, rows=shown)

    with bar:
        yield told


def _summary(tally: Tally, seconds: float, dry_run: bool) -> None:
    """What was brought in, and every bad row by its number."""
    from rich.markup import escape

    from stockwire.core.values import moment_text

    console = out()
    for type_, count in sorted(tally.types.items()):
        console.print(f"{type_:<24}{count:>12,}")
    console.print(f"{'events':<24}{tally.events:>12,}   from {tally.rows:,} rows")
    if tally.oldest is not None and tally.newest is not None:
        console.print(f"{'times':<24}{moment_text(tally.oldest)} to {moment_text(tally.newest)}")
    if dry_run:
        console.print("[bold]Dry run:[/] nothing was written")
    else:
        console.print(f"{'accepted':<24}{tally.accepted:>12,}")
        console.print(f"{'known already':<24}{tally.duplicates:>12,}")
    console.print(f"{'rows a second':<24}{tally.rows / max(seconds, 1e-3):>12,.0f}   in {seconds:.1f} s")
    problems = err()
    for bad in tally.bad:
        problems.print(f"[red]row {bad.row}[/]: {escape(bad.detail)}", soft_wrap=True)
    if tally.bad_rows > len(tally.bad):
        problems.print(f"and {tally.bad_rows - len(tally.bad):,} more bad rows")
    if tally.stopped_at is not None and not dry_run:
        problems.print(
            f"[yellow]Nothing from row {tally.stopped_at:,} on was brought in.[/] Correct the file and run the same command "
            "again, or bring in the good rows with --skip-bad-rows."
        )
