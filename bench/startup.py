"""How long a start takes and how much memory it needs: 100,000 SKUs in 4 places.

    .venv/bin/python bench/startup.py [--skus 100000] [--locations 4]

Fills a log through the writer's own commit, in big batches, then starts anew in a process of its own: opening, loading every
row, and building the state that folds and the feeds that answer. Results go to bench/results/startup.json.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import apsw

from stockwire import __version__
from stockwire.core.events import ShopConfigured, parse_event
from stockwire.core.feed import Feed
from stockwire.core.values import moment
from stockwire.engine.recorder import Recorder
from stockwire.engine.state import fold_state
from stockwire.log.sqlite import SqliteLog

RESULTS = Path(__file__).parent / "results"
TIME = "2026-03-02T08:00:00Z"
BATCH = 5_000


def fill(directory: Path, skus: int, locations: int) -> dict[str, Any]:
    """A log with that many stock rows, each of one snapshot."""
    log = SqliteLog(directory)
    recorder = Recorder(log, log.load(), lambda: moment(TIME))
    recorder.configure(ShopConfigured(timezone="UTC", currency="GBP", allowed_minutes={}))
    began, events = time.perf_counter(), []
    for sku in range(skus):
        for location in range(locations):
            data = {"sku": f"SKU-{sku:06}", "location": f"place-{location}", "on_hand": sku % 500, "safety_stock": 2}
            envelope = {
                "id": f"{sku}/{location}",
                "source": "bench",
                "type": "stock.snapshot",
                "time": TIME,
                "data": data,
            }
            events.append(parse_event(envelope))
        if len(events) >= BATCH:
            recorder.record([events])
            events = []
    recorder.record([events])
    took = time.perf_counter() - began
    log.close()
    size = (directory / "log.db").stat().st_size
    return {"rows": skus * locations, "fill_seconds": round(took, 1), "file_mib": round(size / 2**20, 1)}


def resident_kib() -> int:
    """The memory this process holds now."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def start(directory: Path, told: Any) -> None:
    """Start as the server does, and tell how long each part took."""
    before = resident_kib()
    began = time.perf_counter()
    log = SqliteLog(directory)
    opened = time.perf_counter()
    loaded = log.load()
    read = time.perf_counter()
    state = fold_state(log, loaded)
    folded = time.perf_counter()
    feed = Feed("inventory", loaded.inventory.values())
    ready = time.perf_counter()
    told.send(
        {
            "open_seconds": round(opened - began, 3),
            "load_seconds": round(read - opened, 3),
            "state_seconds": round(folded - read, 3),
            "feed_seconds": round(ready - folded, 3),
            "start_seconds": round(ready - began, 3),
            "memory_mib": round((resident_kib() - before) / 1024, 1),
            "rows_in_memory": len(feed.entries) if len(feed.entries) == len(state.inventory) else -1,
        }
    )
    log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a start.")
    parser.add_argument("--skus", type=int, default=100_000)
    parser.add_argument("--locations", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        result = fill(Path(directory), arguments.skus, arguments.locations)
        receiving, sending = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("spawn").Process(target=start, args=(Path(directory), sending))
        process.start()
        result |= receiving.recv()
        process.join()
    versions = {
        "stockwire": __version__, "python": platform.python_version(), "sqlite": apsw.sqlite_lib_version(),
        "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    command = f"python bench/startup.py --skus {arguments.skus} --locations {arguments.locations}"
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"command": command, "versions": versions, "results": result}, indent=2)
    (RESULTS / "startup.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
