"""What `stockwire demo` does: have the simulated shop's directory ready, write its history, serve it and keep it going."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from stockwire.cli.common import load_settings
from stockwire.demo import SOURCE
from stockwire.demo.baskets import Baskets, left_behind
from stockwire.demo.keeping import Kept, prepare
from stockwire.demo.running import history, in_order, live, simulated_time
from stockwire.demo.shop import CURRENCY, Shop

if TYPE_CHECKING:
    from rich.console import Console

    from stockwire.app import Stockwire
    from stockwire.settings import Settings

SHOP_NAME = "Harbour & Pine"
ZONE = "Europe/London"


def now() -> int:
    """The wall's clock as a moment."""
    return time.time_ns() // 1_000


def demonstrate(
    data_dir: Path | None,
    *,
    host: str | None,
    port: int | None,
    speed: float,
    seed: int,
    fresh: bool,
    console: Console,
) -> None:
    """Serve the simulated shop until it is stopped."""
    from stockwire.cli.serving import run

    directory = (data_dir or _cache_directory()).expanduser().absolute()
    settings = demo_settings(directory, speed, host=host, port=port)
    kept = prepare(directory, seed=seed, speed=speed, now=now(), fresh=fresh)
    shop = Shop(kept.seed, kept.start, ZONE)
    write_history(settings, shop, kept, console)

    async def beside(application: Stockwire) -> None:
        await keep_going(application, shop, kept)

    run(settings, console, beside)


def demo_settings(directory: Path, speed: float = 1.0, **flags: Any) -> Settings:
    """The settings of a simulated shop in that directory."""
    return load_settings(
        data_dir=directory,
        shop_name=SHOP_NAME,
        timezone=ZONE,
        currency=CURRENCY,
        clock="wall" if speed == 1 else "events",
        allowed_minutes={"allocated": 600, "shipped": 4_320},
        simulated=True,
        workers=1,
        **flags,
    ).settings


def write_history(settings: Settings, shop: Shop, kept: Kept, console: Console) -> None:
    """Bring the log up to now, before anybody looks: two weeks for a new one, what was missed for one that goes on."""
    from stockwire.cli.writing import writing

    to = simulated_time(kept.made, kept.speed)(now())
    with writing(settings) as sink, console.status("Writing the simulated shop's history"):
        kept_rows = sink.log.load()
        source = kept_rows.sources.get((SOURCE,))
        known_until = source.newest_at if source else 0
        for batch in history(shop, to, known_until):
            sink.send(batch)
        if left := in_order(left_behind(kept_rows.inventory.values(), to)):
            sink.send(left)


async def keep_going(application: Stockwire, shop: Shop, kept: Kept) -> None:
    """Let the shop live in the running server, until cancelled."""
    shop_time = simulated_time(kept.made, kept.speed)
    baskets = Baskets(shop, shop_time(now()), Random(f"baskets/{kept.seed}"))
    await live(shop, baskets, application.ingest.submit, lambda: shop_time(now()), asyncio.sleep)


def _cache_directory() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "stockwire" / "demo"
