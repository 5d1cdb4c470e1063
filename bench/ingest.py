"""How many events a second become durable: through the one writing thread with group commit, and naively.

    .venv/bin/python bench/ingest.py [--seconds 5]

Every event goes through everything a served one goes through but HTTP: looked up, numbered, folded into stock, orders and
metrics, committed with its rows and movements, one sync of the disk per group. The naive way, in the same run and on the
same disk, is what a service without a log does at best: for each event a transaction in a thread, which stores the event
and its stock row. Rounds take turns, because disks have moods; the table has the median round.

Results go to bench/results/ingest.json and ingest.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from stockwire import __version__
from stockwire.core.events import Event, ShopConfigured, parse_event
from stockwire.core.values import SECOND, moment, moment_text
from stockwire.engine.ingest import Ingest
from stockwire.log import database
from stockwire.log.sqlite import SqliteLog

RESULTS = Path(__file__).parent / "results"
SKUS = 20_000
SETTINGS = ShopConfigured(timezone="Europe/London", currency="GBP", allowed_minutes={"placed": 240})
START = moment("2026-03-02T08:00:00Z")


class Way(NamedTuple):
    way: str
    events_of: str
    batch: int
    clients: int


class Round(NamedTuple):
    """What one round stored, in how many seconds of the clock and of the CPUs."""

    stored: int
    took: float
    cpu: float


def envelope(number: int, type_: str, **data: Any) -> Event:
    time_ = moment_text(START + number * SECOND // 20)
    return parse_event({"id": str(number), "source": "bench", "type": type_, "time": time_, "data": data})


def uniform() -> Iterator[Event]:
    """Stock of 20,000 SKUs in one place changes, each as likely as any other."""
    chance, number = random.Random(1), 0
    while True:
        number += 1
        yield envelope(
            number, "stock.adjusted", sku=f"SKU-{chance.randrange(SKUS):05}", quantity=chance.choice((-1, 1, 5))
        )


def shop() -> Iterator[Event]:
    """Orders of two lines, most of them of a few hundred popular SKUs, that are packed and shipped a little later."""
    chance, number = random.Random(2), 0
    waiting: list[tuple[str, str]] = []
    while True:
        number += 1
        if waiting and chance.random() < 0.6:
            order, status = waiting.pop(chance.randrange(min(len(waiting), 300)))
            if status != "shipped":
                waiting.append((order, "shipped"))
            yield envelope(number, "order.status_changed", order_id=order, status=status)
        else:
            lines = [
                {
                    "sku": f"SKU-{int(chance.paretovariate(0.7)) % SKUS:05}",
                    "quantity": 1 + chance.randrange(3),
                    "unit_price": 5,
                }
                for _ in range(2)
            ]
            waiting.append((f"B{number}", "packed"))
            yield envelope(number, "order.placed", order_id=f"B{number}", currency="GBP", lines=lines)


def grouped(directory: Path, events: Iterator[Event], batch: int, clients: int, seconds: float) -> Round:
    """`clients` senders of batches, each waiting for its receipt before it sends the next."""

    async def run() -> Round:
        log = SqliteLog(directory)
        ingest = Ingest(log, log.load(), SETTINGS, now=lambda: time.time_ns() // 1_000)
        await ingest.start()
        stored = 0
        prepared = [[next(events) for _ in range(batch)] for _ in range(int(seconds * 40_000 / batch))][::-1]
        began, cpu = time.perf_counter(), time.process_time()

        async def send() -> None:
            nonlocal stored
            while prepared and time.perf_counter() - began < seconds:
                receipt = await ingest.submit(prepared.pop())
                stored += receipt.accepted

        await asyncio.gather(*(send() for _ in range(clients)))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        await ingest.stop()
        log.close()
        return Round(stored, took, cpu)

    return asyncio.run(run())


def naive(directory: Path, events: Iterator[Event], seconds: float) -> Round:
    """A transaction for each event, in a thread."""
    connection = database.open_writing(directory / "naive.db")
    connection.execute("CREATE TABLE events (source TEXT, id TEXT, type TEXT, body BLOB, PRIMARY KEY (source, id))")
    connection.execute("CREATE TABLE stock (sku TEXT PRIMARY KEY, on_hand INTEGER)")

    def store(event: Event) -> None:
        with database.transaction(connection):
            connection.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?)", (event.source, event.id, event.type, event.body)
            )
            connection.execute(
                "INSERT INTO stock VALUES (?, ?) ON CONFLICT (sku) DO UPDATE SET on_hand = on_hand + excluded.on_hand",
                (event.data.sku, event.data.quantity),  # type: ignore[attr-defined]
            )

    async def run() -> Round:
        prepared = [next(events) for _ in range(int(seconds * 10_000))]
        stored, began, cpu = 0, time.perf_counter(), time.process_time()
        while prepared and time.perf_counter() - began < seconds:
            await asyncio.to_thread(store, prepared.pop())
            stored += 1
        return Round(stored, time.perf_counter() - began, time.process_time() - cpu)

    try:
        return asyncio.run(run())
    finally:
        connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure durable events a second.")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each round lasts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--where", type=Path, default=Path.cwd(), help="a directory on the disk to measure")
    arguments = parser.parse_args()
    seconds: float = arguments.seconds

    ways: dict[Way, Callable[[Path], Round]] = {}
    for batch, clients in ((1, 1), (1, 64), (100, 1), (100, 8), (1000, 1), (1000, 4)):
        for name, events in (("uniform stock", uniform), ("shop", shop)):
            ways[Way("group commit", name, batch, clients)] = partial(
                grouped, events=events(), batch=batch, clients=clients, seconds=seconds
            )
    ways[Way("a transaction each", "uniform stock", 1, 1)] = partial(naive, events=uniform(), seconds=seconds)
    rounds: dict[Way, list[Round]] = {way: [] for way in ways}
    for _ in range(arguments.rounds):
        for way, run in ways.items():
            with tempfile.TemporaryDirectory(dir=arguments.where) as directory:
                rounds[way].append(run(Path(directory)))
            print(way, rounds[way][-1])
    rows = [row(way, measured) for way, measured in rounds.items()]
    write(rows, f"python bench/ingest.py --seconds {seconds:g} --rounds {arguments.rounds}")


def row(way: Way, rounds: list[Round]) -> dict[str, Any]:
    middle = sorted(rounds, key=lambda each: each.stored / each.took)[len(rounds) // 2]
    return {
        **way._asdict(),
        "events_per_second": round(middle.stored / middle.took),
        "cpu_microseconds_per_event": round(middle.cpu / middle.stored * 1e6, 1),
        "rounds": [round(each.stored / each.took) for each in rounds],
    }


def write(rows: list[dict[str, Any]], command: str) -> None:
    versions = {
        "stockwire": __version__,
        "python": platform.python_version(),
        "apsw": apsw.apsw_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "system": f"{platform.system()} {platform.release()}",
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "ingest.json").write_text(
        json.dumps({"command": command, "versions": versions, "results": rows}, indent=2) + "\n"
    )
    lines = [
        "# Durable events a second",
        "",
        f"`{command}`; " + ", ".join(f"{name} {value}" for name, value in versions.items()) + ".",
        "Load is the machine's own average over a minute when the run ended: above the number of CPUs the figures are too low.",
        "",
        "| Way | Events of | Batch | Clients | Events/s | CPU us/event |",
        "|---|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r['way']} | {r['events_of']} | {r['batch']} | {r['clients']} | {r['events_per_second']:,} "
        f"| {r['cpu_microseconds_per_event']} |"
        for r in rows
    ]
    (RESULTS / "ingest.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
